use super::Cluster;
use crate::{
    core::agent::{Agent, Container},
    server::VERSION,
    wire::{json, refusal},
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::Path, sync::Arc};

/// `/state` of the agent.
pub(super) async fn state(State(cluster): State<Arc<Cluster>>) -> Response {
    let (started, work_dir) = (cluster.started, cluster.agent.work_dir.clone());
    let seen = cluster.agent.read(move |agent| {
        json!({
            "version": VERSION,
            "start_time": started.as_secs_f64(),
            "id": agent.id(),
            "pid": format!("slave(1)@{}:{}", agent.info.hostname, agent.info.port()),
            "hostname": agent.info.hostname,
            "attributes": {},
            "unreserved_resources_full": agent.info.resources,
            "flags": { "work_dir": work_dir.to_string_lossy() },
            "frameworks": frameworks(agent, agent.containers.values().collect(), &work_dir, true),
            "completed_frameworks": frameworks(agent, agent.completed.iter().collect(), &work_dir, false),
        })
    });
    match seen.await {
        Ok(seen) => json(&seen),
        Err(error) => refusal(StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
    }
}

/// Containers by framework, each an executor of its own.
fn frameworks(agent: &Agent, containers: Vec<&Container>, work_dir: &Path, running: bool) -> Vec<Value> {
    let mut by_framework: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for one in containers {
        let shown = executor(agent, one, work_dir, running);
        by_framework.entry(&one.framework).or_default().push(shown);
    }
    let shown = by_framework.into_iter().map(|(id, executors)| {
        let info = agent.frameworks.get(id).map(|one| &one.info);
        let (open, over) = if running {
            (executors, Vec::new())
        } else {
            (Vec::new(), executors)
        };
        json!({
            "id": id,
            "name": info.map_or("", |info| &info.name),
            "user": info.map_or("", |info| &info.user),
            "executors": open,
            "completed_executors": over,
        })
    });
    shown.collect()
}

fn executor(agent: &Agent, one: &Container, work_dir: &Path, running: bool) -> Value {
    let id = &one.task.task_id.value;
    let task = json!({
        "id": id,
        "name": one.task.name,
        "framework_id": one.framework,
        "executor_id": "",
        "slave_id": agent.id(),
        "state": one.state.as_str_name(),
    });
    let (open, over) = if running {
        (vec![task], vec![])
    } else {
        (vec![], vec![task])
    };
    json!({
        "id": id,
        "name": "Command Executor",
        "source": id,
        "container": one.id,
        "directory": work_dir.join(one.sandbox(agent.id())).to_string_lossy(),
        "tasks": open,
        "queued_tasks": [],
        "completed_tasks": over,
    })
}
