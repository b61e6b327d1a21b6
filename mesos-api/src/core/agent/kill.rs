use super::{
    Agent, Effect, Executor, Kind, Signal, Task, Uuids,
    executors::event_of,
    run,
    updates::{by_agent, by_executor},
};
use crate::core::Now;
use mesos_proto::v1::{
    KillPolicy, TaskState,
    executor::event::{self, Type},
    framework_info::capability,
    task_status::Reason,
};
use std::time::Duration;

/// How long a task may take to end by itself once it was asked to.
pub(super) const GRACE_PERIOD: Duration = Duration::from_secs(3);

impl Agent {
    /// The framework wants a task to end.
    pub(super) fn kill_named(
        &mut self,
        now: Now,
        framework: &str,
        task: &str,
        policy: Option<KillPolicy>,
        uuid: Uuids<'_>,
    ) {
        let open = |one: &&Executor| {
            one.framework == framework && one.tasks.get(task).is_some_and(|task| !task.has_ended())
        };
        let found = self
            .executors
            .values()
            .find(open)
            .map(|one| one.container.clone());
        if let Some(container) = found {
            self.kill(now, &container, task, policy, uuid);
        }
    }

    /// Asks a task to end, and ends it when it had its time.
    pub(super) fn kill(
        &mut self,
        now: Now,
        container: &str,
        name: &str,
        policy: Option<KillPolicy>,
        uuid: Uuids<'_>,
    ) {
        let Some(executor) = self.executors.get_mut(container) else {
            return;
        };
        let (kind, framework) = (executor.kind, executor.framework.clone());
        let Some(task) = executor.tasks.get_mut(name) else {
            return;
        };
        self.changed.insert(container.to_owned());
        if kind == Kind::Custom {
            return self.kill_by_executor(now, container, name, policy, uuid);
        }
        let first = !task.process.killed;
        let at = now.elapsed.saturating_add(grace(policy, task));
        task.process.killed = true;
        // A second kill may shorten the time, never lengthen it.
        task.process.kill_at = Some(task.process.kill_at.map_or(at, |before| before.min(at)));
        if !first {
            return;
        }
        let (pid, own) = (task.process.pid, task.container.clone());
        let alive = task.process.alive();
        self.end_checks(container, name);
        self.ask_to_end(pid, alive, own);
        if self.has(&framework, capability::Type::TaskKillingState) {
            self.update(now, container, name, by_executor(TaskState::TaskKilling), uuid);
        }
    }

    /// A task that a custom executor has is its to kill; one that it has not heard of is nobody's.
    fn kill_by_executor(
        &mut self,
        now: Now,
        container: &str,
        name: &str,
        policy: Option<KillPolicy>,
        uuid: Uuids<'_>,
    ) {
        let Some(task) = self.task(container, name) else {
            return;
        };
        task.process.killed = true;
        if task.launched {
            let mut event = event_of(Type::Kill);
            event.kill = Some(event::Kill {
                task_id: task.info.task_id.clone(),
                kill_policy: policy,
            });
            return self.send(container, event);
        }
        let told = by_agent(
            TaskState::TaskKilled,
            Reason::TaskKilledDuringLaunch,
            "Killed before delivery to the executor",
        );
        self.update(now, container, name, told, uuid);
        self.settle(container);
        let idle = self.executors.get(container).is_some_and(|executor| {
            executor.stream.is_none() && executor.tasks.values().all(|task| task.has_ended())
        });
        if idle {
            self.shutdown_executor(now, container, uuid);
        }
    }

    /// A framework is gone: so is what it runs, and nobody is left who would acknowledge.
    pub(super) fn shutdown(&mut self, now: Now, framework: &str, uuid: Uuids<'_>) {
        let of = self.executors.values().filter(|one| one.framework == framework);
        let all: Vec<String> = of.map(|one| one.container.clone()).collect();
        for container in all {
            self.forget_updates(&container);
            self.shutdown_executor(now, &container, uuid);
            self.settle(&container);
        }
    }

    /// Asks an executor to end, and ends it when it had its time.
    pub(super) fn shutdown_executor(&mut self, now: Now, container: &str, uuid: Uuids<'_>) {
        let Some(executor) = self.executors.get_mut(container) else {
            return;
        };
        self.changed.insert(container.to_owned());
        if executor.kind != Kind::Custom {
            let open = executor.tasks.values().filter(|task| !task.has_ended());
            let open: Vec<String> = open.map(|task| task.id().to_owned()).collect();
            for task in open {
                self.kill(now, container, &task, None, uuid);
            }
            return;
        }
        if std::mem::replace(&mut executor.process.killed, true) {
            return;
        }
        let grace = run::grace_period(executor);
        executor.process.kill_at = Some(now.elapsed.saturating_add(grace));
        if executor.stream.is_some() {
            return self.send(container, event_of(Type::Shutdown));
        }
        // It does not listen: a signal is all that it can be told by.
        let (pid, alive) = (executor.process.pid, executor.process.alive());
        self.ask_to_end(pid, alive, container.to_owned());
    }

    /// Signals a process, or sees to it that what has none yet will have none.
    fn ask_to_end(&mut self, known: Option<u32>, alive: Option<u32>, container: String) {
        let signal = Signal::Terminate;
        self.effects
            .extend(alive.map(|pid| Effect::Signal { pid, signal }));
        if known.is_none() {
            self.effects.push(Effect::Cancel { container });
        }
    }

    /// Sends again what was not acknowledged, and ends what had its time.
    pub(super) fn tick(&mut self, now: Now) {
        let mut ended = Vec::new();
        for executor in self.executors.values_mut() {
            let mut changed = false;
            if executor.subscribe_by.is_some_and(|by| by <= now.elapsed) {
                executor.subscribe_by = None;
                executor.never_subscribed = true;
                executor.process.killed = true;
                executor.process.kill_at = Some(now.elapsed);
                changed = true;
            }
            let runs = executor.kind != Kind::Custom;
            for task in executor
                .tasks
                .values_mut()
                .filter(|task| runs && !task.has_ended())
            {
                if task.until.is_some_and(|until| until <= now.wall) && !task.process.killed {
                    task.overdue = true;
                    task.process.killed = true;
                    task.process.kill_at = Some(now.elapsed);
                    changed = true;
                }
            }
            let tasks = executor.tasks.values_mut().map(|task| &mut task.process);
            for process in tasks.chain([&mut executor.process]) {
                if process.kill_at.is_some_and(|at| at <= now.elapsed) {
                    process.kill_at = None;
                    ended.extend(process.alive());
                }
            }
            if changed {
                self.changed.insert(executor.container.clone());
            }
        }
        for pid in ended {
            let signal = Signal::Kill;
            self.effects.push(Effect::Signal { pid, signal });
        }
        if self.introduce_at.is_some_and(|at| at <= now.elapsed) {
            self.introduce(now);
        }
        self.resend(now);
        self.resend_operations(now);
    }
}

fn grace(policy: Option<KillPolicy>, task: &Task) -> Duration {
    policy
        .or(task.info.kill_policy)
        .and_then(|policy| policy.grace_period)
        .map_or(GRACE_PERIOD, |period| {
            Duration::from_nanos(u64::try_from(period.nanoseconds).unwrap_or(0))
        })
}
