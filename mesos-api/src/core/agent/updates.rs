use super::{Agent, Effect, model::Resend};
use crate::core::{Now, link::ToMaster};
use mesos_proto::v1::{
    FrameworkInfo, TaskInfo, TaskState, TaskStatus,
    task_status::{Reason, Source},
};
use std::time::Duration;

/// First pause before an update is sent again; it doubles.
const RESEND_MIN: Duration = Duration::from_secs(10);
const RESEND_MAX: Duration = Duration::from_secs(600);

impl Agent {
    /// Tells that a task cannot run here. Nothing waits for an acknowledgement: the status has no uuid.
    pub(super) fn refuse(&mut self, now: Now, framework: &FrameworkInfo, task: &TaskInfo) {
        let latest = TaskState::TaskError;
        let status = TaskStatus {
            task_id: task.task_id.clone(),
            state: latest as i32,
            message: Some("Executors of one's own are not supported here".to_owned()),
            source: Some(Source::Agent as i32),
            reason: Some(Reason::TaskInvalid as i32),
            agent_id: self.info.id.clone(),
            timestamp: Some(now.wall.as_secs_f64()),
            ..TaskStatus::default()
        };
        let framework = framework.id.as_ref().map_or("", |id| &id.value).to_owned();
        let status = Box::new(status);
        self.effects.push(Effect::Master(ToMaster::Update {
            framework,
            status,
            latest,
        }));
    }

    /// Sends an update now, or after those before it.
    pub(super) fn queue(&mut self, now: Now, id: &str, status: TaskStatus) {
        let Some(container) = self.containers.get_mut(id) else {
            return;
        };
        container.unacknowledged.push_back(status);
        if container.unacknowledged.len() == 1 {
            self.send_first(now, id);
        }
    }

    /// Sends the oldest update that is not acknowledged.
    fn send_first(&mut self, now: Now, id: &str) {
        let Some(container) = self.containers.get_mut(id) else {
            return;
        };
        let Some(status) = container.unacknowledged.front() else {
            container.resend = None;
            return;
        };
        container.resend = Some(Resend {
            at: now.elapsed + RESEND_MIN,
            after: RESEND_MIN,
        });
        self.effects.push(Effect::Master(ToMaster::Update {
            framework: container.framework.clone(),
            status: Box::new(status.clone()),
            latest: container.state,
        }));
    }

    pub(super) fn acknowledged(&mut self, now: Now, framework: &str, task: &str, uuid: &[u8]) {
        let mut all = self.containers.values_mut();
        let found = all.find(|one| {
            one.framework == framework
                && one.task.task_id.value == task
                && one
                    .unacknowledged
                    .front()
                    .is_some_and(|status| status.uuid() == uuid)
        });
        // An acknowledgement that comes twice, or late, is none.
        let Some(container) = found else {
            return;
        };
        container.unacknowledged.pop_front();
        let id = container.id.clone();
        self.send_first(now, &id);
        self.over(&id);
    }

    /// Nobody is left who would acknowledge.
    pub(super) fn forget_updates(&mut self, id: &str) {
        if let Some(container) = self.containers.get_mut(id) {
            container.unacknowledged.clear();
            container.resend = None;
            container.forgotten = true;
        }
    }

    /// Sends again what waits for too long.
    pub(super) fn resend(&mut self, now: Now) {
        for container in self.containers.values_mut() {
            let (Some(resend), Some(status)) = (container.resend, container.unacknowledged.front()) else {
                continue;
            };
            if resend.at > now.elapsed {
                continue;
            }
            let after = (resend.after * 2).min(RESEND_MAX);
            container.resend = Some(Resend {
                at: now.elapsed + after,
                after,
            });
            self.effects.push(Effect::Master(ToMaster::Update {
                framework: container.framework.clone(),
                status: Box::new(status.clone()),
                latest: container.state,
            }));
        }
    }
}
