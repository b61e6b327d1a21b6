use super::{
    Agent, Effect, Kind, Task, Uuids,
    model::{Resend, container_status},
    probes,
};
use crate::core::{Now, link::ToMaster};
use mesos_proto::v1::{
    CheckStatusInfo, TaskState, TaskStatus,
    task_status::{Reason, Source},
};
use std::time::Duration;

/// First pause before an update is sent again; it doubles.
const RESEND_MIN: Duration = Duration::from_secs(10);
const RESEND_MAX: Duration = Duration::from_secs(600);

/// What is told of a task.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) state: TaskState,
    pub(super) message: Option<String>,
    pub(super) reason: Option<Reason>,
    pub(super) source: Source,
    /// What its health check says.
    pub(super) healthy: Option<bool>,
    /// What its check found; without it, that there is one.
    pub(super) check: Option<CheckStatusInfo>,
}

/// What the executor of a task tells, which the agent is for commands and groups.
pub(super) fn by_executor(state: TaskState) -> Told {
    Told {
        state,
        message: None,
        reason: None,
        source: Source::Executor,
        healthy: None,
        check: None,
    }
}

/// What only the agent can tell.
pub(super) fn by_agent(state: TaskState, reason: Reason, message: &str) -> Told {
    Told {
        state,
        message: Some(message.to_owned()),
        reason: Some(reason),
        source: Source::Agent,
        healthy: None,
        check: None,
    }
}

impl Task {
    /// What was under way before the agent was started again is sent at the next tick.
    pub(super) fn send_again(&mut self, now: Now) {
        if !self.unacknowledged.is_empty() {
            self.resend = Some(Resend {
                at: now.elapsed,
                after: RESEND_MIN,
            });
        }
    }
}

impl Agent {
    /// What a framework has not acknowledged is sent at the next tick.
    pub(super) fn send_again(&mut self, now: Now, framework: &str) {
        let own = self
            .executors
            .values_mut()
            .filter(|one| one.framework == framework);
        own.flat_map(|one| one.tasks.values_mut())
            .for_each(|task| task.send_again(now));
    }

    /// A new state of a task: it is told once those before it were acknowledged.
    pub(super) fn update(&mut self, now: Now, executor: &str, task: &str, told: Told, uuid: Uuids<'_>) {
        let agent = self.id().to_owned();
        let Some(known) = self.executors.get_mut(executor) else {
            return;
        };
        let id = known.id().to_owned();
        let Some(task) = known.tasks.get_mut(task).filter(|task| !task.has_ended()) else {
            return;
        };
        task.set_state(told.state);
        let mut status = task.status(&agent, &id, now, uuid());
        status.message = told.message;
        status.reason = told.reason.map(|reason| reason as i32);
        status.source = Some(told.source as i32);
        status.healthy = told.healthy;
        if told.source == Source::Executor {
            let nothing = || task.info.check.as_ref().map(probes::nothing_yet);
            status.check_status = told.check.or_else(nothing);
        }
        let name = task.id().to_owned();
        self.queue(now, executor, &name, status);
    }

    /// Keeps an update, and sends it now or after those before it.
    pub(super) fn queue(&mut self, now: Now, executor: &str, task: &str, mut status: TaskStatus) {
        self.changed.insert(executor.to_owned());
        let ip = self.info.hostname.clone();
        let Some(known) = self.executors.get_mut(executor) else {
            return;
        };
        let (forgotten, kind, own) = (known.forgotten, known.kind, known.process.pid);
        let Some(task) = known.tasks.get_mut(task) else {
            return;
        };
        if forgotten {
            return;
        }
        let pid = if kind == Kind::Custom {
            own
        } else {
            task.process.pid
        };
        if pid.is_some() {
            let place = container_status(&task.container, pid, &ip);
            let told = status.container_status.get_or_insert_with(|| place.clone());
            told.container_id = told.container_id.take().or(place.container_id);
            told.executor_pid = told.executor_pid.or(pid);
        }
        // Of each state the last is told again, without what only the framework reads.
        task.statuses.retain(|one| one.state != status.state);
        task.statuses.push(TaskStatus {
            data: None,
            ..status.clone()
        });
        task.unacknowledged.push_back(status);
        if task.unacknowledged.len() == 1 {
            let (framework, task) = (known.framework.clone(), task.id().to_owned());
            self.send_first(now, executor, &framework, &task);
        }
    }

    /// Sends the oldest update that is not acknowledged.
    fn send_first(&mut self, now: Now, executor: &str, framework: &str, task: &str) {
        let Some(task) = self.task(executor, task) else {
            return;
        };
        let Some(status) = task.unacknowledged.front() else {
            task.resend = None;
            return;
        };
        task.resend = Some(Resend {
            at: now.elapsed + RESEND_MIN,
            after: RESEND_MIN,
        });
        let update = ToMaster::Update {
            framework: framework.to_owned(),
            status: Box::new(status.clone()),
            latest: task.state(),
        };
        self.effects.push(Effect::Master(update));
    }

    pub(super) fn acknowledged(&mut self, now: Now, framework: &str, task: &str, uuid: &[u8]) {
        let mut all = self.executors.values_mut();
        let found = all.find_map(|one| {
            let known = one.tasks.get_mut(task).filter(|_| one.framework == framework)?;
            let first = known.unacknowledged.front()?;
            (first.uuid() == uuid).then_some((one.container.clone(), known))
        });
        // An acknowledgement that comes twice, or late, is none.
        let Some((container, known)) = found else {
            return;
        };
        known.unacknowledged.pop_front();
        self.changed.insert(container.clone());
        self.send_first(now, &container, framework, task);
        self.settle(&container);
    }

    /// Nobody is left who would acknowledge.
    pub(super) fn forget_updates(&mut self, container: &str) {
        if let Some(executor) = self.executors.get_mut(container) {
            executor.forgotten = true;
            for task in executor.tasks.values_mut() {
                task.unacknowledged.clear();
                task.resend = None;
            }
        }
    }

    /// Sends again what waits for too long.
    pub(super) fn resend(&mut self, now: Now) {
        for executor in self.executors.values_mut() {
            for task in executor.tasks.values_mut() {
                let (Some(resend), Some(status)) = (task.resend, task.unacknowledged.front()) else {
                    continue;
                };
                if resend.at > now.elapsed {
                    continue;
                }
                let update = ToMaster::Update {
                    framework: executor.framework.clone(),
                    status: Box::new(status.clone()),
                    latest: task.state(),
                };
                let after = (resend.after * 2).min(RESEND_MAX);
                let at = now.elapsed + after;
                task.resend = Some(Resend { at, after });
                self.effects.push(Effect::Master(update));
            }
        }
    }
}
