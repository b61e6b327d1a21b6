//! The routes from before the v1 API, which dashboards and DNS servers still read: JSON alone.
//!
//! Rooms: `shown` (frameworks, agents, tasks as these routes tell them). Never: changes anything.

mod shown;
#[cfg(test)]
mod tests;

use super::Cluster;
use crate::{
    core::master::Master,
    server::VERSION,
    wire::{json, refusal},
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

async fn look(cluster: &Cluster, look: fn(&Master, Duration) -> Value) -> Response {
    let started = cluster.started;
    match cluster.master.read(move |master| look(master, started)).await {
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
    look(&cluster, |master, _| {
        let slaves: Vec<Value> = master
            .agents
            .values()
            .map(|one| shown::agent_summary(master, one))
            .collect();
        let frameworks: Vec<Value> = master
            .frameworks
            .values()
            .map(|one| shown::framework_summary(master, one))
            .collect();
        json!({
            "hostname": master.info.hostname(),
            "slaves": slaves,
            "frameworks": frameworks,
        })
    })
    .await
}

/// `/slaves`
pub(super) async fn slaves(State(cluster): State<Arc<Cluster>>) -> Response {
    look(&cluster, |master, _| {
        json!({
            "slaves": agents(master),
            "recovered_slaves": [],
        })
    })
    .await
}

/// `/frameworks`
pub(super) async fn frameworks(State(cluster): State<Arc<Cluster>>) -> Response {
    look(&cluster, |master, _| {
        json!({
            "frameworks": running(master),
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

fn agents(master: &Master) -> Vec<Value> {
    master
        .agents
        .values()
        .map(|one| shown::agent(master, one))
        .collect()
}

fn running(master: &Master) -> Vec<Value> {
    master
        .frameworks
        .values()
        .map(|one| shown::framework(master, one))
        .collect()
}

fn completed(master: &Master) -> Vec<Value> {
    master
        .completed
        .iter()
        .map(|one| shown::framework(master, one))
        .collect()
}

fn state_of(master: &Master, started: Duration) -> Value {
    let info = &master.info;
    json!({
        "version": VERSION,
        "start_time": started.as_secs_f64(),
        "elected_time": started.as_secs_f64(),
        "id": info.id,
        "pid": info.pid(),
        "hostname": info.hostname(),
        "capabilities": ["AGENT_UPDATE", "AGENT_DRAINING", "QUOTA_V2"],
        "activated_slaves": master.agents.len() as f64,
        "deactivated_slaves": 0.0,
        "unreachable_slaves": 0.0,
        "leader": info.pid(),
        "leader_info": {
            "id": info.id,
            "pid": info.pid(),
            "port": info.port,
            "hostname": info.hostname(),
        },
        "flags": {},
        "slaves": agents(master),
        "recovered_slaves": [],
        "frameworks": running(master),
        "completed_frameworks": completed(master),
        "orphan_tasks": [],
        "unregistered_frameworks": [],
    })
}
