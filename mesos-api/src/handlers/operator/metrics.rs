use super::Around;
use crate::core::{
    master::{Master, state_of},
    resources::{Scalars, decimal},
};
use mesos_proto::v1::{OperationState, TaskState};
use std::collections::BTreeMap;

/// States of tasks that are counted, as metrics name them.
const TASKS: [(TaskState, &str); 13] = [
    (TaskState::TaskDropped, "dropped"),
    (TaskState::TaskError, "error"),
    (TaskState::TaskFailed, "failed"),
    (TaskState::TaskFinished, "finished"),
    (TaskState::TaskGone, "gone"),
    (TaskState::TaskGoneByOperator, "gone_by_operator"),
    (TaskState::TaskKilled, "killed"),
    (TaskState::TaskKilling, "killing"),
    (TaskState::TaskLost, "lost"),
    (TaskState::TaskRunning, "running"),
    (TaskState::TaskStaging, "staging"),
    (TaskState::TaskStarting, "starting"),
    (TaskState::TaskUnreachable, "unreachable"),
];

/// The same of operations.
const OPERATIONS: [(OperationState, &str); 8] = [
    (OperationState::OperationDropped, "dropped"),
    (OperationState::OperationError, "error"),
    (OperationState::OperationFailed, "failed"),
    (OperationState::OperationFinished, "finished"),
    (OperationState::OperationGoneByOperator, "gone_by_operator"),
    (OperationState::OperationPending, "pending"),
    (OperationState::OperationRecovering, "recovering"),
    (OperationState::OperationUnreachable, "unreachable"),
];

/// What is measured, by the original's names. Ends of tasks are counted as far as history goes.
#[allow(
    clippy::cast_precision_loss,
    reason = "counts are far below what a double holds"
)]
pub(in crate::handlers) fn metrics(master: &Master, around: &Around) -> BTreeMap<String, f64> {
    let mut all = BTreeMap::new();
    let mut put = |name: &str, value: f64| {
        all.insert(format!("master/{name}"), value);
    };
    put("uptime_secs", around.uptime.as_secs_f64());
    put("elected", 1.0);
    put("outstanding_offers", master.offers.len() as f64);
    let connected = master.agents.values().filter(|one| one.link.is_some()).count();
    let active = master.agents.values().filter(|one| one.is_active()).count();
    put("slaves_connected", connected as f64);
    put("slaves_disconnected", (master.agents.len() - connected) as f64);
    put("slaves_active", active as f64);
    put("slaves_inactive", (master.agents.len() - active) as f64);
    put("slaves_unreachable", master.unreachable.len() as f64);
    let connected = master
        .frameworks
        .values()
        .filter(|one| one.stream.is_some())
        .count();
    let away = (master.frameworks.len() - connected) as f64;
    for (name, value) in [("connected", connected as f64), ("active", connected as f64)] {
        put(&format!("frameworks_{name}"), value);
    }
    put("frameworks_disconnected", away);
    put("frameworks_inactive", away);
    operations(master, &mut put);
    tasks(master, &mut put);
    let (total, given) = resources(master, &mut put);
    for name in ["cpus", "mem", "disk"] {
        let of = |what: &str| format!("allocator/mesos/resources/{name}/{what}");
        all.insert(of("total"), decimal(total.get(name)));
        all.insert(of("offered_or_allocated"), decimal(given.get(name)));
    }
    all.extend(
        master
            .counts
            .iter()
            .map(|(name, count)| (name.to_owned(), count as f64)),
    );
    all
}

/// Operations by their states. Those whose end was acknowledged are not known any more.
#[allow(
    clippy::cast_precision_loss,
    reason = "counts are far below what a double holds"
)]
fn operations(master: &Master, put: &mut impl FnMut(&str, f64)) {
    for (state, name) in OPERATIONS {
        let all = master.operations.values();
        let in_state = all.filter(|one| one.latest_status.state == state as i32);
        put(&format!("operations/{name}"), in_state.count() as f64);
    }
    put("operations/total", master.operations.len() as f64);
}

#[allow(
    clippy::cast_precision_loss,
    reason = "counts are far below what a double holds"
)]
fn tasks(master: &Master, put: &mut impl FnMut(&str, f64)) {
    let mut by_state: BTreeMap<TaskState, u64> = BTreeMap::new();
    for framework in master.frameworks.values().chain(&master.completed) {
        let ended = framework
            .completed_tasks
            .iter()
            .chain(framework.unreachable_tasks.values());
        for task in framework.tasks.values().chain(ended) {
            *by_state.entry(state_of(task.state)).or_default() += 1;
        }
    }
    for (state, name) in TASKS {
        let count = by_state.get(&state).copied().unwrap_or(0);
        put(&format!("tasks_{name}"), count as f64);
    }
}

/// Puts what agents have and tasks use; answers all that there is, and all that is given out.
fn resources(master: &Master, put: &mut impl FnMut(&str, f64)) -> (Scalars, Scalars) {
    let (mut total, mut used) = (Scalars::default(), Scalars::default());
    master
        .agents
        .values()
        .for_each(|agent| total.add_all(&agent.total.scalars()));
    for framework in master.frameworks.values() {
        framework.allocated.values().for_each(|has| used.add_all(has));
    }
    let given = used.clone();
    for offer in master.offers.values() {
        used.subtract_all(&offer.resources.scalars());
    }
    for name in ["cpus", "mem", "disk", "gpus"] {
        let (all, some) = (decimal(total.get(name)), decimal(used.get(name)));
        put(&format!("{name}_total"), all);
        put(&format!("{name}_used"), some);
        put(
            &format!("{name}_percent"),
            if all > 0.0 { some / all } else { 0.0 },
        );
        for revocable in ["total", "used", "percent"] {
            put(&format!("{name}_revocable_{revocable}"), 0.0);
        }
    }
    (total, given)
}
