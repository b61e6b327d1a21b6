use super::{Agent, Effect, Executor, Kind, Task, Uuids};
use crate::core::{
    Now,
    link::{Reregistration, ToMaster},
};
use mesos_proto::v1::{self, FrameworkId};
use std::time::Duration;

/// How long a master may take to answer.
const INTRODUCE_EVERY: Duration = Duration::from_secs(5);

impl Agent {
    /// Tells a master that may not know the agent who it is, and what it runs if it was registered before.
    pub(super) fn introduce(&mut self, now: Now) {
        self.introduce_at = Some(now.elapsed + INTRODUCE_EVERY);
        // As a new agent it has all that it has, which what still ends does not leave it.
        if self.leaves && !self.executors.is_empty() {
            return;
        }
        self.leaves = false;
        let message = match self.id() {
            "" => ToMaster::Register(Box::new(self.info.clone())),
            _ => ToMaster::Reregister(Box::new(self.reregistration())),
        };
        self.effects.push(Effect::Master(message));
        // What was under way to the old master is told the new one at the next tick.
        for executor in self.executors.values_mut() {
            executor.tasks.values_mut().for_each(|task| task.send_again(now));
        }
    }

    /// The master never wants to hear of this agent again: what it runs is killed, and it begins anew.
    pub(super) fn refused(&mut self, now: Now, why: &str, uuid: Uuids<'_>) {
        tracing::error!(why, "the master refuses this agent");
        let frameworks: Vec<String> = self.frameworks.keys().cloned().collect();
        for framework in frameworks {
            self.shutdown(now, &framework, uuid);
        }
        self.operations.clear();
        self.info.id = None;
        self.introduce_at = None;
        self.leaves = true;
        self.effects.push(Effect::KeepAgent);
    }

    fn reregistration(&self) -> Reregistration {
        let open = || self.executors.values().filter(|one| !one.forgotten);
        Reregistration {
            info: self.info.clone(),
            total: self.info.resources.clone(),
            tasks: open()
                .flat_map(|one| one.tasks.values().map(|task| task.shown(one)))
                .collect(),
            executors: open()
                .filter(|one| one.kind != Kind::Command && !one.ended)
                .map(|one| one.info.clone())
                .collect(),
            // Of one that is gone a master that is new must not learn.
            frameworks: self
                .frameworks
                .iter()
                .filter(|(id, _)| open().any(|one| one.framework == **id))
                .map(|(_, one)| one.info.clone())
                .collect(),
            operations: self.operations.values().cloned().collect(),
        }
    }
}

impl Task {
    /// As the API tells it.
    pub(crate) fn shown(&self, executor: &Executor) -> v1::Task {
        let info = &self.info;
        let told = self.unacknowledged.front().or(self.statuses.last());
        v1::Task {
            name: info.name.clone(),
            task_id: info.task_id.clone(),
            framework_id: FrameworkId {
                value: executor.framework.clone(),
            },
            executor_id: (executor.kind != Kind::Command).then(|| executor.info.executor_id.clone()),
            agent_id: info.agent_id.clone(),
            state: self.state() as i32,
            resources: info.resources.clone(),
            statuses: self.statuses.clone(),
            status_update_state: told.map(|status| status.state),
            status_update_uuid: told.and_then(|status| status.uuid.clone()),
            labels: info.labels.clone(),
            discovery: info.discovery.clone(),
            container: info.container.clone(),
            health_check: info.health_check.clone(),
            kill_policy: info.kill_policy,
            user: info.command.as_ref().and_then(|command| command.user.clone()),
            limits: info.limits.clone(),
        }
    }
}
