use crate::{
    core::agent::{Agent, Asked, Executor, Kind, Task, container_id},
    core::resources::{Resources, decimal},
    handlers::Cluster,
    shell::{CallError, Usage, usage},
    wire::{json, refusal},
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use mesos_proto::v1::{ContainerId, ContainerStatus, ExecutorId, FrameworkId, ResourceStatistics};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc};

/// A container that runs, and what it uses.
#[derive(Debug, Clone)]
pub(super) struct Container {
    pub(super) id: ContainerId,
    /// Nobody's, where it is below no executor.
    pub(super) framework: Option<FrameworkId>,
    pub(super) executor: Option<ExecutorId>,
    name: String,
    source: String,
    pid: Option<u32>,
    /// Every process that counts.
    pids: Vec<u32>,
    cpus: f64,
    memory_bytes: u64,
    pub(super) used: Usage,
    timestamp: f64,
}

/// `/containers`
pub(in crate::handlers) async fn containers(State(cluster): State<Arc<Cluster>>) -> Response {
    shown(&cluster, true).await
}

/// `/monitor/statistics`
pub(in crate::handlers) async fn statistics(State(cluster): State<Arc<Cluster>>) -> Response {
    shown(&cluster, false).await
}

async fn shown(cluster: &Cluster, whole: bool) -> Response {
    match measured(cluster, false, false).await {
        Ok(all) => json(&all.iter().map(|one| value(one, whole)).collect::<Vec<_>>()),
        Err(error) => refusal(StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
    }
}

fn value(one: &Container, whole: bool) -> Value {
    let mut shown = json!({
        "executor_id": one.executor.as_ref().map(|id| &id.value),
        "executor_name": one.name,
        "framework_id": one.framework.as_ref().map(|id| &id.value),
        "source": one.source,
        "statistics": {
            "cpus_soft_limit": one.cpus,
            "cpus_system_time_secs": one.used.system_s,
            "cpus_user_time_secs": one.used.user_s,
            "mem_limit_bytes": one.memory_bytes,
            "mem_rss_bytes": one.used.rss_bytes,
            "mem_soft_limit_bytes": one.memory_bytes,
            "timestamp": one.timestamp,
        },
    });
    if let Value::Object(map) = &mut shown["statistics"] {
        let told = [
            ("mem_total_bytes", one.used.memory_bytes.map(Value::from)),
            ("cpus_nr_periods", one.used.periods.map(Value::from)),
            ("cpus_nr_throttled", one.used.throttled.map(Value::from)),
            ("cpus_throttled_time_secs", one.used.throttled_s.map(Value::from)),
        ];
        let told = told
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        map.extend(told);
    }
    if let (true, Value::Object(map)) = (whole, &mut shown) {
        map.insert("container_id".to_owned(), json!(one.id.value));
        map.insert("status".to_owned(), json!(status(one)));
    }
    shown
}

pub(super) fn status(one: &Container) -> ContainerStatus {
    ContainerStatus {
        container_id: Some(one.id.clone()),
        executor_pid: one.pid,
        ..ContainerStatus::default()
    }
}

pub(super) fn told(one: &Container) -> ResourceStatistics {
    ResourceStatistics {
        timestamp: one.timestamp,
        cpus_user_time_secs: Some(one.used.user_s),
        cpus_system_time_secs: Some(one.used.system_s),
        cpus_soft_limit: Some(one.cpus),
        mem_rss_bytes: Some(one.used.rss_bytes),
        mem_limit_bytes: Some(one.memory_bytes),
        mem_soft_limit_bytes: Some(one.memory_bytes),
        mem_total_bytes: one.used.memory_bytes,
        cpus_nr_periods: one.used.periods.and_then(|count| u32::try_from(count).ok()),
        cpus_nr_throttled: one.used.throttled.and_then(|count| u32::try_from(count).ok()),
        cpus_throttled_time_secs: one.used.throttled_s,
        ..ResourceStatistics::default()
    }
}

pub(super) fn name(one: &Container) -> Option<String> {
    one.executor.is_some().then(|| one.name.clone())
}

/// Every container that runs, measured; those below others, and by themselves, where it is asked for.
pub(super) async fn measured(
    cluster: &Cluster,
    nested: bool,
    standalone: bool,
) -> Result<Vec<Container>, CallError> {
    let mut all = cluster
        .agent
        .read(move |agent| {
            let mut all = running(agent, nested);
            all.extend(asked(agent, nested, standalone));
            all
        })
        .await?;
    let pids: BTreeSet<u32> = all.iter().flat_map(|one| one.pids.clone()).collect();
    let isolation = cluster.agent.isolation.clone();
    let used = tokio::task::spawn_blocking(move || usage(&pids, &isolation.cgroups)).await;
    let used = used.map_err(|_| CallError::Stopping)?;
    let now = std::time::Duration::from_millis(u64::try_from(cluster.clock.now_ms()).unwrap_or(0));
    for one in &mut all {
        one.timestamp = now.as_secs_f64();
        for used in one.pids.iter().filter_map(|pid| used.get(pid)) {
            one.used.user_s += used.user_s;
            one.used.system_s += used.system_s;
            one.used.rss_bytes += used.rss_bytes;
            one.used.processes += used.processes;
            one.used.memory_bytes = sum(one.used.memory_bytes, used.memory_bytes);
            one.used.periods = sum(one.used.periods, used.periods);
            one.used.throttled = sum(one.used.throttled, used.throttled);
            one.used.throttled_s = sum(one.used.throttled_s, used.throttled_s);
        }
    }
    Ok(all)
}

/// Of what not everybody is counted by.
fn sum<T: std::ops::Add<Output = T>>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one + other),
        (one, other) => one.or(other),
    }
}

fn running(agent: &Agent, nested: bool) -> Vec<Container> {
    let open = agent.executors.values().filter(|executor| !executor.ended);
    let all = open.flat_map(|executor| {
        let tasks = || executor.tasks.values().filter(|task| !task.has_ended());
        let pids = match executor.kind {
            Kind::Custom => executor.process.pid.into_iter().collect(),
            _ => tasks().filter_map(|task| task.process.pid).collect(),
        };
        let own = container(executor, &executor.container, pids, &tasks().collect::<Vec<_>>());
        let below = tasks().filter(move |_| nested && executor.kind == Kind::Default);
        let below = below.map(|task| {
            let pids = task.process.pid.into_iter().collect();
            container(executor, &task.container, pids, &[task])
        });
        std::iter::once(own).chain(below.collect::<Vec<_>>())
    });
    all.collect()
}

/// Those that were asked for.
fn asked(agent: &Agent, nested: bool, standalone: bool) -> Vec<Container> {
    let shown = |one: &&Asked| {
        let root = one.container.split('.').next().unwrap_or_default();
        let below = root != one.container;
        one.end.is_none() && (!below || nested) && (standalone || agent.executors.contains_key(root))
    };
    let all = agent.asked.values().filter(shown).map(|one| {
        let root = one.container.split('.').next().unwrap_or_default();
        let executor = agent.executors.get(root);
        let has = Resources::of(&one.resources).unwrap_or_default();
        Container {
            id: container_id(&one.container),
            framework: executor.map(|executor| FrameworkId {
                value: executor.framework.clone(),
            }),
            executor: executor.map(|executor| executor.info.executor_id.clone()),
            name: executor.map_or(String::new(), |executor| executor.info.name().to_owned()),
            source: executor.map_or(String::new(), |executor| executor.info.source().to_owned()),
            pid: one.process.alive(),
            pids: one.process.alive().into_iter().collect(),
            cpus: decimal(has.scalar("cpus")),
            memory_bytes: bytes_of(decimal(has.scalar("mem"))),
            used: Usage::default(),
            timestamp: 0.0,
        }
    });
    all.collect()
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "megabytes of a machine"
)]
fn bytes_of(megabytes: f64) -> u64 {
    (megabytes * 1024.0 * 1024.0) as u64
}

fn container(executor: &Executor, id: &str, pids: Vec<u32>, tasks: &[&Task]) -> Container {
    let mut has = Resources::of(&executor.info.resources).unwrap_or_default();
    for task in tasks {
        has.add(&Resources::of(&task.info.resources).unwrap_or_default());
    }
    let scalar = |name: &str| decimal(has.scalar(name));
    Container {
        id: container_id(id),
        framework: Some(FrameworkId {
            value: executor.framework.clone(),
        }),
        executor: Some(executor.info.executor_id.clone()),
        name: executor.info.name().to_owned(),
        source: executor.info.source().to_owned(),
        pid: pids.first().copied().filter(|_| pids.len() == 1),
        pids,
        cpus: scalar("cpus"),
        memory_bytes: bytes_of(scalar("mem")),
        used: Usage::default(),
        timestamp: 0.0,
    }
}
