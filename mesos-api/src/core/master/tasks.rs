use super::{Framework, Master, event_of, model::state_of};
use crate::core::{
    Now,
    link::{ToAgent, is_terminal},
    resources::Resources,
};
use mesos_proto::v1::{
    AgentId, Task, TaskId, TaskInfo, TaskState, TaskStatus,
    framework_info::capability,
    scheduler::{call, event},
    task_status::{Reason, Source},
};

impl Master {
    /// An agent tells of a task. What is known already is forwarded again: the framework has not acknowledged it.
    pub(super) fn task_updated(
        &mut self,
        agent: &str,
        framework: &str,
        status: TaskStatus,
        latest: TaskState,
    ) {
        let known = self.frameworks.get_mut(framework);
        let Some(task) = known.and_then(|one| one.tasks.get_mut(&status.task_id.value)) else {
            // Nobody is left who would acknowledge it.
            return self.tell_agent(
                agent,
                ToAgent::Acknowledge {
                    framework: framework.to_owned(),
                    task: status.task_id.value.clone(),
                    uuid: status.uuid.clone().unwrap_or_default(),
                },
            );
        };
        let ended = is_terminal(latest) && !is_terminal(state_of(task.state));
        if !is_terminal(state_of(task.state)) {
            task.state = latest as i32;
        }
        task.status_update_state = Some(status.state);
        task.status_update_uuid.clone_from(&status.uuid);
        remember(task, &status);
        let uses = Resources::of(&task.resources).unwrap_or_default();
        if ended {
            self.give_back(agent, &uses);
        }
        self.send_status(framework, status);
    }

    /// A framework has an update; a task whose end it knows is history.
    pub(super) fn acknowledge(&mut self, id: &str, call: call::Acknowledge) {
        let Some(framework) = self.frameworks.get_mut(id) else {
            return;
        };
        let task = call.task_id.value;
        if let Some(known) = framework.tasks.get(&task) {
            let ended = known.status_update_state.map(state_of).is_some_and(is_terminal);
            if ended && known.status_update_uuid.as_ref() == Some(&call.uuid) {
                let room = self.policy.max_completed_tasks_per_framework;
                framework
                    .completed_tasks
                    .extend(framework.tasks.shift_remove(&task));
                if framework.completed_tasks.len() > room {
                    framework.completed_tasks.pop_front();
                }
            }
        }
        let known = self.agents.contains_key(&call.agent_id.value);
        if known {
            self.tell_agent(
                &call.agent_id.value,
                ToAgent::Acknowledge {
                    framework: id.to_owned(),
                    task,
                    uuid: call.uuid,
                },
            );
        }
    }

    pub(super) fn kill(&mut self, id: &str, call: call::Kill, now: Now) {
        let known = self
            .frameworks
            .get(id)
            .and_then(|one| one.tasks.get(&call.task_id.value));
        match known.map(|task| task.agent_id.value.clone()) {
            Some(agent) => self.tell_agent(
                &agent,
                ToAgent::Kill {
                    framework: id.to_owned(),
                    task: call.task_id.value,
                    policy: call.kill_policy,
                },
            ),
            None => {
                let task = call::reconcile::Task {
                    task_id: call.task_id,
                    agent_id: call.agent_id,
                };
                self.reconcile(now, id, &[task]);
            }
        }
    }

    /// Tells the newest state of the named tasks, or of all.
    pub(super) fn reconcile(&mut self, now: Now, id: &str, named: &[call::reconcile::Task]) {
        let Some(framework) = self.frameworks.get(id) else {
            return;
        };
        let statuses: Vec<TaskStatus> = match named {
            [] => framework.tasks.values().map(|task| latest(task, now)).collect(),
            named => named
                .iter()
                .map(|one| self.reconciled(framework, one, now))
                .collect(),
        };
        for status in statuses {
            self.send_status(id, status);
        }
    }

    fn reconciled(&self, framework: &Framework, named: &call::reconcile::Task, now: Now) -> TaskStatus {
        if let Some(task) = framework.tasks.get(&named.task_id.value) {
            return latest(task, now);
        }
        let agent = named.agent_id.as_ref();
        let aware = framework.has(capability::Type::PartitionAware);
        let known = agent.is_some_and(|agent| self.agents.contains_key(&agent.value));
        let (state, message) = match (known, aware) {
            (true, true) => (
                TaskState::TaskGone,
                "Reconciliation: Task is unknown to the agent",
            ),
            (true, false) => (
                TaskState::TaskLost,
                "Reconciliation: Task is unknown to the agent",
            ),
            (false, true) => (TaskState::TaskUnknown, "Reconciliation: Task is unknown"),
            (false, false) => (TaskState::TaskLost, "Reconciliation: Task is unknown"),
        };
        let mut status = by_master(&named.task_id, agent, state, now);
        status.message = Some(message.to_owned());
        status.reason = Some(Reason::Reconciliation as i32);
        status
    }

    /// Tells a framework that a task was not launched.
    pub(super) fn refuse_task(
        &mut self,
        now: Now,
        id: &str,
        task: &TaskInfo,
        state: TaskState,
        reason: Reason,
        why: String,
    ) {
        let aware = self
            .frameworks
            .get(id)
            .is_some_and(|one| one.has(capability::Type::PartitionAware));
        let state = match state {
            TaskState::TaskLost if aware => TaskState::TaskDropped,
            other => other,
        };
        tracing::info!(framework = id, task = task.task_id.value, why, "not launched");
        let mut status = by_master(&task.task_id, Some(&task.agent_id), state, now);
        status.message = Some(why);
        status.reason = Some(reason as i32);
        self.send_status(id, status);
    }

    fn send_status(&mut self, framework: &str, status: TaskStatus) {
        let mut event = event_of(event::Type::Update);
        event.update = Some(event::Update { status });
        self.send(framework, event);
    }
}

/// A status that needs no acknowledgement: it has no uuid.
fn by_master(task: &TaskId, agent: Option<&AgentId>, state: TaskState, now: Now) -> TaskStatus {
    TaskStatus {
        task_id: task.clone(),
        agent_id: agent.cloned(),
        state: state as i32,
        source: Some(Source::Master as i32),
        timestamp: Some(now.wall.as_secs_f64()),
        ..TaskStatus::default()
    }
}

/// The newest state of a known task, for reconciliation.
fn latest(task: &Task, now: Now) -> TaskStatus {
    let mut status = by_master(&task.task_id, Some(&task.agent_id), state_of(task.state), now);
    status.message = Some("Reconciliation: Latest task state".to_owned());
    status.reason = Some(Reason::Reconciliation as i32);
    if let Some(last) = task.statuses.last() {
        status.healthy = last.healthy;
        status.container_status.clone_from(&last.container_status);
        status.executor_id.clone_from(&last.executor_id);
    }
    status
}

/// Keeps the last status of each state, without what only the framework reads.
fn remember(task: &mut Task, status: &TaskStatus) {
    let mut kept = status.clone();
    kept.data = None;
    match task.statuses.last_mut() {
        Some(last) if last.state == kept.state => *last = kept,
        _ => task.statuses.push(kept),
    }
}
