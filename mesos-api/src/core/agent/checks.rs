use super::{
    Agent, Effect, Run, Task, Uuids,
    probes::{self, Probe, Probed, Times, Which},
    updates::{Told, by_executor},
};
use crate::core::Now;
use mesos_proto::v1::{CheckStatusInfo, TaskState, task_status::Reason};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What the checks of a task have found so far.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Checks {
    /// When they began, since 1970.
    begun: Option<Duration>,
    /// Failures of the health check since it was last passed.
    failures: u32,
    /// The health check was passed once: the grace period is over.
    passed: bool,
    /// As it was last told.
    healthy: Option<bool>,
    found: Option<CheckStatusInfo>,
    /// It is killed because it is not well.
    pub(super) gave_up: bool,
}

impl Task {
    fn has_checks(&self) -> bool {
        self.info.health_check.is_some() || self.info.check.is_some()
    }

    /// A running task, as far as its checks tell.
    fn told(&self, reason: Reason) -> Told {
        Told {
            reason: Some(reason),
            healthy: self.checks.healthy,
            check: self.checks.found,
            ..by_executor(TaskState::TaskRunning)
        }
    }
}

impl Agent {
    /// A task runs, and is looked at from now on; at once where it was before the agent was started again.
    pub(super) fn begin_checks(&mut self, now: Now, executor: &str, task: &str) {
        let Some(known) = self.task(executor, task) else {
            return;
        };
        if known.process.killed || !known.has_checks() {
            return;
        }
        let again = known.checks.begun.is_some();
        known.checks.begun.get_or_insert(now.wall);
        for which in [Which::Health, Which::Check] {
            let delay = Times::of(&self.executors[executor].tasks[task].info, which).map(|times| times.delay);
            if let Some(delay) = delay {
                let after = if again { Duration::ZERO } else { delay };
                self.look(executor, task, which, after);
            }
        }
    }

    /// Wants one look at a task.
    fn look(&mut self, executor: &str, task: &str, which: Which, after: Duration) {
        let agent = self.id();
        let known = self.executors.get(executor);
        let framework = known.and_then(|one| self.frameworks.get(&one.framework));
        let (Some(known), Some(framework)) = (known, framework) else {
            return;
        };
        let Some(task) = known.tasks.get(task) else {
            return;
        };
        let run = |command| Run::of_check(agent, &framework.info, known, task, command);
        let times = Times::of(&task.info, which);
        if let (Some(times), Some(asks)) = (times, probes::asks(&task.info, which, run)) {
            let probe = Probe {
                container: task.container.clone(),
                which,
                after,
                timeout: times.timeout,
                asks,
            };
            self.effects.push(Effect::Probe(Box::new(probe)));
        }
    }

    /// Nobody wants to know any more how a task is.
    pub(super) fn end_checks(&mut self, executor: &str, task: &str) {
        let known = self.task(executor, task).filter(|task| task.has_checks());
        if let Some(container) = known.map(|task| task.container.clone()) {
            self.effects.push(Effect::EndProbes { container });
        }
    }

    /// A look at a task has found something.
    pub(super) fn probed(
        &mut self,
        now: Now,
        container: &str,
        which: Which,
        found: &Probed,
        uuid: Uuids<'_>,
    ) {
        let Some((executor, Some(name))) = self.whose(container) else {
            return;
        };
        let Some(task) = self.task(&executor, &name) else {
            return;
        };
        if task.process.killed || task.process.ended.is_some() || task.has_ended() {
            return;
        }
        let Some(times) = Times::of(&task.info, which) else {
            return;
        };
        match which {
            Which::Check => self.found(now, &executor, &name, found, uuid),
            Which::Health => match probes::unwell(found) {
                None => self.passed(now, &executor, &name, uuid),
                Some(why) => self.failed_once(now, &executor, &name, &why, uuid),
            },
        }
        let killed = self.task(&executor, &name).is_none_or(|task| task.process.killed);
        if !killed {
            self.look(&executor, &name, which, times.interval);
        }
    }

    /// Tells what a check found where it is not what it found before.
    fn found(&mut self, now: Now, executor: &str, name: &str, found: &Probed, uuid: Uuids<'_>) {
        let Some(task) = self.task(executor, name) else {
            return;
        };
        let Some(check) = &task.info.check else {
            return;
        };
        if let Probed::Nothing(why) = found {
            tracing::info!(task = name, why, "a check failed");
        }
        let found = probes::told(check, found);
        let before = task.checks.found.replace(found);
        if before.unwrap_or_else(|| probes::nothing_yet(check)) != found {
            let told = task.told(Reason::TaskCheckStatusUpdated);
            self.update(now, executor, name, told, uuid);
        }
    }

    /// It is well: told the first time, and the first time after it was not.
    fn passed(&mut self, now: Now, executor: &str, name: &str, uuid: Uuids<'_>) {
        let Some(task) = self.task(executor, name) else {
            return;
        };
        let news = !task.checks.passed || task.checks.failures > 0;
        task.checks.passed = true;
        task.checks.failures = 0;
        if news {
            task.checks.healthy = Some(true);
            let told = task.told(Reason::TaskHealthCheckStatusUpdated);
            self.update(now, executor, name, told, uuid);
        }
    }

    /// It is not well, which is told each time; after a few times in a row it is killed.
    fn failed_once(&mut self, now: Now, executor: &str, name: &str, why: &str, uuid: Uuids<'_>) {
        let Some(task) = self.task(executor, name) else {
            return;
        };
        let Some(check) = &task.info.health_check else {
            return;
        };
        let grace = probes::seconds(check.grace_period_seconds());
        let since = now.wall.saturating_sub(task.checks.begun.unwrap_or_default());
        if !task.checks.passed && !grace.is_zero() && since <= grace {
            return;
        }
        task.checks.failures = task.checks.failures.saturating_add(1);
        let (failures, most) = (task.checks.failures, check.consecutive_failures());
        task.checks.healthy = Some(false);
        task.checks.gave_up = failures >= most;
        let gives_up = task.checks.gave_up;
        let told = task.told(Reason::TaskHealthCheckStatusUpdated);
        tracing::info!(task = name, failures, why, "a health check failed");
        self.update(now, executor, name, told, uuid);
        if gives_up {
            self.kill(now, executor, name, None, uuid);
        }
    }
}
