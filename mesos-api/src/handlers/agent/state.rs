use crate::{
    core::agent::{Agent, Executor, Kind, Task},
    handlers::{Cluster, older},
    server::VERSION,
    wire::{json, refusal},
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use mesos_proto::v1::Resource;
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::Path, sync::Arc};

/// `/state` of the agent.
pub(in crate::handlers) async fn state(State(cluster): State<Arc<Cluster>>) -> Response {
    let (started, work_dir) = (cluster.started, cluster.agent.work_dir.clone());
    let seen = cluster.agent.read(move |agent| {
        json!({
            "version": VERSION,
            "start_time": started.as_secs_f64(),
            "id": agent.id(),
            "pid": format!("slave(1)@{}:{}", agent.info.hostname, agent.info.port()),
            "hostname": agent.info.hostname,
            "resources": older::amounts(&agent.info.resources),
            "attributes": {},
            "unreserved_resources_full": agent.info.resources,
            "flags": { "work_dir": work_dir.to_string_lossy() },
            "frameworks": frameworks(agent, agent.executors.values().collect(), &work_dir, true),
            "completed_frameworks": frameworks(agent, agent.completed.iter().collect(), &work_dir, false),
        })
    });
    match seen.await {
        Ok(seen) => json(&seen),
        Err(error) => refusal(StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
    }
}

/// Executors by framework.
fn frameworks(agent: &Agent, executors: Vec<&Executor>, work_dir: &Path, running: bool) -> Vec<Value> {
    let mut by_framework: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for one in executors {
        let shown = executor(agent, one, work_dir);
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

fn executor(agent: &Agent, one: &Executor, work_dir: &Path) -> Value {
    let shown = |task: &Task| shown(agent, one, task);
    let own = one.tasks.values();
    let queued = own.clone().filter(|task| !task.is_launched());
    let (over, open): (Vec<_>, Vec<_>) = own
        .filter(|task| task.is_launched())
        .partition(|task| task.has_ended());
    let used: Vec<Resource> = one
        .info
        .resources
        .iter()
        .chain(open.iter().flat_map(|task| &task.info.resources))
        .cloned()
        .collect();
    let kind = match one.kind {
        Kind::Command => None,
        Kind::Custom => Some("CUSTOM"),
        Kind::Default => Some("DEFAULT"),
    };
    let mut value = json!({
        "id": one.id(),
        "name": one.info.name(),
        "source": one.info.source(),
        "container": one.container,
        "directory": work_dir.join(one.sandbox(agent.id())).to_string_lossy(),
        "resources": older::amounts(&used),
        "tasks": open.into_iter().map(shown).collect::<Vec<_>>(),
        "queued_tasks": queued.map(shown).collect::<Vec<_>>(),
        "completed_tasks": one.finished.iter().chain(over).map(shown).collect::<Vec<_>>(),
    });
    if let (Some(kind), Value::Object(map)) = (kind, &mut value) {
        map.insert("type".to_owned(), json!(kind));
    }
    value
}

fn shown(agent: &Agent, executor: &Executor, task: &Task) -> Value {
    json!({
        "id": task.id(),
        "name": task.info.name,
        "framework_id": executor.framework,
        "executor_id": if executor.kind == Kind::Command { "" } else { executor.id() },
        "slave_id": agent.id(),
        "state": task.state().as_str_name(),
        "resources": older::amounts(&task.info.resources),
        "statuses": task.statuses.iter().map(older::status).collect::<Vec<_>>(),
    })
}
