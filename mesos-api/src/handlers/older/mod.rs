//! The routes from before the v1 API, which dashboards and DNS servers still read: JSON alone.
//!
//! Rooms: `shown` (frameworks, agents, tasks as these routes tell them), `changes` (what operators changed by them).
//! Never: answers protobuf.

mod changes;
mod shown;

pub(super) use shown::{amounts, status};
#[cfg(test)]
pub(super) mod tests;

pub(super) use changes::{
    create_volumes, destroy_volumes, machine_down, machine_up, maintenance_schedule, quota, remove_quota,
    reserve, teardown, unreserve, weights,
};

use super::{
    Cluster,
    operator::{self, Around, Sums},
};
use crate::{
    core::master::{Master, VERSION},
    wire::{json, refusal},
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use std::sync::Arc;

async fn look(cluster: &Cluster, look: fn(&Master, &Around) -> Value) -> Response {
    let around = cluster.around();
    match cluster.master.read(move |master| look(master, &around)).await {
        Ok(seen) => json(&seen),
        Err(error) => refusal(StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
    }
}

/// `/state`
pub(super) async fn state(State(cluster): State<Arc<Cluster>>) -> Response {
    look(&cluster, state_of).await
}

/// `/state-summary`
pub(super) async fn summary(State(cluster): State<Arc<Cluster>>) -> Response {
    look(&cluster, |master, _| summary_of(master)).await
}

fn summary_of(master: &Master) -> Value {
    let sums = Sums::new(master);
    let agents = master.agents.values();
    let slaves: Vec<Value> = agents.map(|one| shown::agent_summary(one, &sums)).collect();
    let frameworks = master.frameworks.values();
    let frameworks: Vec<Value> = frameworks
        .map(|one| shown::framework_summary(one, &sums))
        .collect();
    json!({
        "hostname": master.info.hostname(),
        "slaves": slaves,
        "frameworks": frameworks,
    })
}

/// `/slaves`
pub(super) async fn slaves(State(cluster): State<Arc<Cluster>>) -> Response {
    look(&cluster, |master, _| {
        json!({
            "slaves": agents(master, &Sums::new(master)),
            "recovered_slaves": recovered(master),
        })
    })
    .await
}

/// `/frameworks`
pub(super) async fn frameworks(State(cluster): State<Arc<Cluster>>) -> Response {
    look(&cluster, |master, _| {
        json!({
            "frameworks": running(master, &Sums::new(master)),
            "completed_frameworks": completed(master),
            "unregistered_frameworks": [],
        })
    })
    .await
}

/// `/tasks`: the newest first.
pub(super) async fn tasks(State(cluster): State<Arc<Cluster>>) -> Response {
    look(&cluster, |master, _| {
        let frameworks = master.frameworks.values().chain(&master.completed);
        let all = frameworks.flat_map(|one| one.tasks.values().chain(&one.completed_tasks));
        let mut all: Vec<Value> = all.map(shown::task).collect();
        all.reverse();
        json!({ "tasks": all })
    })
    .await
}

/// `/roles`
pub(super) async fn roles(State(cluster): State<Arc<Cluster>>) -> Response {
    look(&cluster, |master, _| json!({ "roles": shown::roles(master) })).await
}

/// `/flags`
pub(super) async fn flags(State(cluster): State<Arc<Cluster>>) -> Response {
    json(&json!({ "flags": flags_of(&cluster.around()) }))
}

/// `/metrics/snapshot`: of a master that does not lead, little more than that.
pub(super) async fn metrics(State(cluster): State<Arc<Cluster>>) -> Response {
    let (around, uptime) = (cluster.around(), cluster.around().uptime);
    let leading = cluster
        .master
        .read(move |master| operator::metrics::metrics(master, &around));
    match leading.await {
        Ok(metrics) => json(&metrics),
        Err(_) => json(&json!({ "master/elected": 0.0, "master/uptime_secs": uptime.as_secs_f64() })),
    }
}

/// `/maintenance/status`
pub(super) async fn maintenance_status(State(cluster): State<Arc<Cluster>>) -> Response {
    look(&cluster, |master, _| json!(operator::maintenance_status(master))).await
}

/// `/files/debug`: what of this server's files can be browsed through it.
pub(super) async fn files_debug() -> Response {
    json(&json!({}))
}

fn flags_of(around: &Around) -> Value {
    let flags = operator::flags::flags(around).into_iter();
    Value::Object(flags.map(|flag| (flag.name, json!(flag.value))).collect())
}

fn agents(master: &Master, sums: &Sums<'_>) -> Vec<Value> {
    let all = master.agents.values();
    all.map(|one| shown::agent(master, one, sums)).collect()
}

fn recovered(master: &Master) -> Vec<Value> {
    let shown = |info: &mesos_proto::v1::AgentInfo| {
        json!({
            "id": info.id.as_ref().map_or("", |id| &id.value),
            "hostname": info.hostname,
            "port": info.port(),
        })
    };
    master.recovered.values().map(shown).collect()
}

fn running(master: &Master, sums: &Sums<'_>) -> Vec<Value> {
    let all = master.frameworks.values();
    all.map(|one| shown::framework(master, one, sums)).collect()
}

fn completed(master: &Master) -> Vec<Value> {
    let sums = Sums::new(master);
    let all = master.completed.iter();
    all.map(|one| shown::framework(master, one, &sums)).collect()
}

fn state_of(master: &Master, around: &Around) -> Value {
    let (started, sums) = (around.started, Sums::new(master));
    let active = master.agents.values().filter(|one| one.is_active()).count();
    let info = &master.info;
    json!({
        "version": VERSION,
        "start_time": started.as_secs_f64(),
        "elected_time": master.elected.as_secs_f64(),
        "id": info.id,
        "pid": info.pid(),
        "hostname": info.hostname(),
        "capabilities": ["AGENT_UPDATE", "AGENT_DRAINING", "QUOTA_V2"],
        "activated_slaves": active as f64,
        "deactivated_slaves": (master.agents.len() - active) as f64,
        "unreachable_slaves": master.unreachable.len() as f64,
        "leader": info.pid(),
        "leader_info": {
            "id": info.id,
            "pid": info.pid(),
            "port": info.port,
            "hostname": info.hostname(),
        },
        "flags": flags_of(around),
        "slaves": agents(master, &sums),
        "recovered_slaves": recovered(master),
        "frameworks": running(master, &sums),
        "completed_frameworks": completed(master),
        "orphan_tasks": [],
        "unregistered_frameworks": [],
    })
}
