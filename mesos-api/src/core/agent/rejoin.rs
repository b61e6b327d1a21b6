use super::{Agent, Container, Effect};
use crate::core::{
    Now,
    link::{Reregistration, ToMaster},
};
use mesos_proto::v1::{FrameworkId, Task};
use std::time::Duration;

/// How long a master may take to answer.
const INTRODUCE_EVERY: Duration = Duration::from_secs(5);

impl Agent {
    /// Tells a master that may not know the agent who it is, and what it runs if it was registered before.
    pub(super) fn introduce(&mut self, now: Now) {
        self.introduce_at = Some(now.elapsed + INTRODUCE_EVERY);
        let message = match self.id() {
            "" => ToMaster::Register(Box::new(self.info.clone())),
            _ => ToMaster::Reregister(Box::new(self.reregistration())),
        };
        self.effects.push(Effect::Master(message));
        for container in self.containers.values_mut() {
            // What was under way to the old master is told the new one at the next tick.
            if let Some(resend) = &mut container.resend {
                resend.at = Duration::ZERO;
            }
        }
    }

    fn reregistration(&self) -> Reregistration {
        Reregistration {
            info: self.info.clone(),
            total: self.info.resources.clone(),
            tasks: self
                .containers
                .values()
                .filter(|one| !one.forgotten)
                .map(task_of)
                .collect(),
            executors: Vec::new(),
            frameworks: self.frameworks.values().map(|one| one.info.clone()).collect(),
            operations: self.operations.values().cloned().collect(),
        }
    }
}

/// A task as the master tells of it.
fn task_of(container: &Container) -> Task {
    let task = &container.task;
    let told = container.unacknowledged.front().or(container.statuses.last());
    Task {
        name: task.name.clone(),
        task_id: task.task_id.clone(),
        framework_id: FrameworkId {
            value: container.framework.clone(),
        },
        agent_id: task.agent_id.clone(),
        state: container.state as i32,
        resources: task.resources.clone(),
        statuses: container.statuses.clone(),
        status_update_state: told.map(|status| status.state),
        status_update_uuid: told.and_then(|status| status.uuid.clone()),
        labels: task.labels.clone(),
        discovery: task.discovery.clone(),
        container: task.container.clone(),
        health_check: task.health_check.clone(),
        kill_policy: task.kill_policy,
        user: task.command.as_ref().and_then(|command| command.user.clone()),
        limits: task.limits.clone(),
        ..Task::default()
    }
}
