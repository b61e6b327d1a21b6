use super::{Framework, Master, counts, event_of, model::state_of};
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
        now: Now,
        agent: &str,
        framework: &str,
        mut status: TaskStatus,
        mut latest: TaskState,
    ) {
        if let Some((state, reason)) = self.drain_reason(agent, framework, status.state()) {
            status.state = state as i32;
            status.reason = Some(reason as i32);
            latest = state;
        }
        let known = self.frameworks.get_mut(framework);
        let Some(task) = known.and_then(|one| one.tasks.get_mut(&status.task_id.value)) else {
            self.counts.add(counts::INVALID_UPDATES);
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
        self.counts.add(counts::VALID_UPDATES);
        let before = state_of(task.state);
        let ended = is_terminal(latest) && !is_terminal(before);
        if !is_terminal(before) {
            task.state = latest as i32;
        }
        task.status_update_state = Some(status.state);
        task.status_update_uuid.clone_from(&status.uuid);
        let news = task.statuses.last().is_none_or(|last| last.uuid != status.uuid);
        remember(task, &status);
        let uses = Resources::of(&task.resources).unwrap_or_default();
        let name = status.task_id.value.clone();
        if ended {
            self.release(framework, agent, &uses);
        }
        if news {
            self.tell_update(framework, &status, latest);
        }
        if status.uuid.is_none() && is_terminal(status.state()) {
            // Nobody will acknowledge it.
            let task = self
                .frameworks
                .get_mut(framework)
                .and_then(|one| one.tasks.shift_remove(&name));
            if let Some(task) = task {
                self.complete(framework, task);
            }
        }
        self.send_status(framework, status);
        if ended {
            self.drained(now);
        }
    }

    /// A task is history.
    pub(super) fn complete(&mut self, framework: &str, task: Task) {
        let room = self.policy.max_completed_tasks_per_framework;
        if let Some(framework) = self.frameworks.get_mut(framework) {
            framework.completed_tasks.push_back(task);
            if framework.completed_tasks.len() > room {
                framework.completed_tasks.pop_front();
            }
        }
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
                let known = framework.tasks.swap_remove(&task);
                known.into_iter().for_each(|known| self.complete(id, known));
            }
        }
        let known = self.agents.contains_key(&call.agent_id.value);
        self.counts.add(match known {
            true => counts::VALID_ACKNOWLEDGEMENTS,
            false => counts::INVALID_ACKNOWLEDGEMENTS,
        });
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
            [] => {
                let away = framework.unreachable_tasks.values();
                framework
                    .tasks
                    .values()
                    .chain(away)
                    .map(|task| latest(task, now))
                    .collect()
            }
            named => named
                .iter()
                .filter_map(|one| self.reconciled(framework, one, now))
                .collect(),
        };
        for status in statuses {
            self.send_status(id, status);
        }
    }

    /// What is known of a task; nothing is said while its agent may yet come back to this master.
    fn reconciled(
        &self,
        framework: &Framework,
        named: &call::reconcile::Task,
        now: Now,
    ) -> Option<TaskStatus> {
        if let Some(task) = framework.tasks.get(&named.task_id.value) {
            return Some(latest(task, now));
        }
        let agent = named.agent_id.as_ref();
        let id = agent.map(|agent| agent.value.as_str());
        let aware = framework.has(capability::Type::PartitionAware);
        let away = framework.unreachable_tasks.get(&named.task_id.value);
        let since = away.map(|task| task.agent_id.value.as_str()).or(id);
        let since = since.and_then(|id| self.unreachable.get(id));
        let returning = match id {
            Some(id) => self.recovered.contains_key(id),
            None => !self.recovered.is_empty(),
        };
        let (state, message) = match id {
            _ if since.is_some() => (TaskState::TaskUnreachable, "Reconciliation: Task is unreachable"),
            Some(id) if self.agents.contains_key(id) => (
                TaskState::TaskGone,
                "Reconciliation: Task is unknown to the agent",
            ),
            Some(id) if self.gone.contains_key(id) => {
                (TaskState::TaskGoneByOperator, "Reconciliation: Task is gone")
            }
            _ if returning => return None,
            _ => (TaskState::TaskUnknown, "Reconciliation: Task is unknown"),
        };
        let state = if aware { state } else { TaskState::TaskLost };
        let mut status = by_master(&named.task_id, agent, state, now);
        status.message = Some(message.to_owned());
        status.reason = Some(Reason::Reconciliation as i32);
        status.unreachable_time = since.map(|since| super::time_info(*since));
        Some(status)
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
        self.note_refused_task(now, id, task, &why);
        let mut status = by_master(&task.task_id, Some(&task.agent_id), state, now);
        status.message = Some(why);
        status.reason = Some(reason as i32);
        self.send_status(id, status);
    }

    pub(super) fn send_status(&mut self, framework: &str, status: TaskStatus) {
        let mut event = event_of(event::Type::Update);
        event.update = Some(event::Update { status });
        self.send(framework, event);
    }
}

/// A status that needs no acknowledgement: it has no uuid.
pub(super) fn by_master(task: &TaskId, agent: Option<&AgentId>, state: TaskState, now: Now) -> TaskStatus {
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
pub(super) fn latest(task: &Task, now: Now) -> TaskStatus {
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
    task.statuses.retain(|one| one.state != kept.state);
    task.statuses.push(kept);
}
