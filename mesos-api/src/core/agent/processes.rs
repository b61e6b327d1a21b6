use super::{
    Agent, Effect, End, Ended, Kind, Process, Share, Signal, Uuids,
    executors::SUBSCRIBE_MAX,
    kill::GRACE_PERIOD,
    model::describe,
    updates::{Told, by_agent, by_executor},
};
use crate::core::{Now, link::ToMaster};
use mesos_proto::v1::{TaskState, task_status::Reason};
use std::time::Duration;

impl Agent {
    /// A container's process runs; or it still does, as an agent finds that was started again.
    pub(super) fn started(&mut self, now: Now, container: &str, pid: u32, uuid: Uuids<'_>) {
        if self.asked.contains_key(container) {
            return self.asked_started(container, pid);
        }
        let Some((executor, task)) = self.whose(container) else {
            return;
        };
        self.changed.insert(executor.clone());
        let Some(process) = self.process(&executor, task.as_deref()) else {
            return;
        };
        process.pid = Some(pid);
        process.here = true;
        if process.killed {
            // It was killed before there was a process to signal.
            process.kill_at.get_or_insert(now.elapsed + GRACE_PERIOD);
            let signal = Signal::Terminate;
            self.effects.push(Effect::Signal { pid, signal });
        }
        let Some(task) = task else {
            // One that was quicker than who started it has subscribed by now.
            let waits = self.executors.get_mut(&executor);
            if let Some(executor) = waits.filter(|one| one.stream.is_none()) {
                let by = now.elapsed + SUBSCRIBE_MAX;
                executor.subscribe_by.get_or_insert(by);
            }
            return;
        };
        let Some(known) = self.task(&executor, &task) else {
            return;
        };
        if known.state() != TaskState::TaskStaging {
            return self.begin_checks(now, &executor, &task);
        }
        let most = known.info.max_completion_time.as_ref();
        known.until =
            most.map(|most| now.wall + Duration::from_nanos(u64::try_from(most.nanoseconds).unwrap_or(0)));
        for state in [TaskState::TaskStarting, TaskState::TaskRunning] {
            self.update(now, &executor, &task, by_executor(state), uuid);
        }
        self.begin_checks(now, &executor, &task);
    }

    /// What an executor runs as, or one of its tasks.
    fn process(&mut self, executor: &str, task: Option<&str>) -> Option<&mut Process> {
        match task {
            Some(task) => self.task(executor, task).map(|task| &mut task.process),
            None => self.executors.get_mut(executor).map(|one| &mut one.process),
        }
    }

    /// There is no process any more, so that nothing is signalled or told of it again. Answers whether there was one.
    fn gone(&mut self, executor: &str, task: Option<&str>) -> bool {
        let Some(process) = self.process(executor, task) else {
            return false;
        };
        process.ended = Some(Ended::Signalled(9));
        process.kill_at = None;
        process.pid.take().is_some()
    }

    /// A container could not be made.
    pub(super) fn failed(&mut self, now: Now, container: &str, why: &str, uuid: Uuids<'_>) {
        if self.asked.contains_key(container) {
            return self.asked_failed(container, why);
        }
        let whose = self.whose(container);
        if whose.is_some() {
            self.over(container, End::unseen(Reason::ContainerLaunchFailed, why));
        }
        if let Some((executor, task)) = &whose {
            self.gone(executor, task.as_deref());
        }
        match whose {
            Some((executor, Some(task))) => {
                let killed = self
                    .task(&executor, &task)
                    .is_some_and(|task| task.process.killed);
                self.task_over(now, &executor, &task, Told::not_launched(killed, why), uuid);
            }
            Some((executor, None)) => {
                let told = |killed| Told::not_launched(killed, why);
                self.executor_over(now, &executor, told, Ended::Exited(1), uuid);
            }
            None => {}
        }
    }

    /// A container's process ended, by itself or killed.
    pub(super) fn exited(&mut self, now: Now, container: &str, ended: Ended, uuid: Uuids<'_>) {
        if self.asked.contains_key(container) {
            return self.asked_over(container, Some(ended));
        }
        let Some((executor, task)) = self.whose(container) else {
            return;
        };
        self.over(container, End::of(ended));
        let Some(name) = task else {
            let Some(known) = self.executors.get_mut(&executor) else {
                return;
            };
            known.process.ended = Some(ended);
            known.process.kill_at = None;
            let (reason, why) = match ended {
                _ if known.never_subscribed => (
                    Reason::ExecutorRegistrationTimeout,
                    "Executor did not register within 1mins".to_owned(),
                ),
                Ended::OutOfMemory => (Reason::ContainerLimitationMemory, lacked_memory(known.share())),
                _ => (
                    Reason::ExecutorTerminated,
                    format!("Executor terminated: {}", describe(ended)),
                ),
            };
            let told = |_| by_agent(TaskState::TaskFailed, reason, &why);
            return self.executor_over(now, &executor, told, ended, uuid);
        };
        let Some(task) = self.task(&executor, &name) else {
            return;
        };
        task.process.ended = Some(ended);
        task.process.kill_at = None;
        if ended == Ended::OutOfMemory && !task.process.killed {
            let why = lacked_memory(task.share());
            let told = by_agent(TaskState::TaskFailed, Reason::ContainerLimitationMemory, &why);
            return self.task_over(now, &executor, &name, told, uuid);
        }
        let mut told = by_executor(match ended {
            _ if task.overdue => TaskState::TaskFailed,
            _ if task.process.killed => TaskState::TaskKilled,
            Ended::Exited(0) => TaskState::TaskFinished,
            _ => TaskState::TaskFailed,
        });
        told.message = Some(describe(ended));
        // A task that was killed as it was not well is told so.
        told.healthy = task.checks.gave_up.then_some(false);
        if task.overdue {
            told.reason = Some(Reason::MaxCompletionTimeReached);
        }
        self.task_over(now, &executor, &name, told, uuid);
    }

    /// What became of a process is not known to anybody: the agent was away, and so is who watched over it.
    pub(super) fn lost(&mut self, now: Now, container: &str, uuid: Uuids<'_>) {
        if self.asked.contains_key(container) {
            return self.asked_over(container, None);
        }
        let Some((executor, task)) = self.whose(container) else {
            return;
        };
        let gone = "The process is gone, and how it ended is not known";
        self.over(container, End::unseen(Reason::ExecutorTerminated, gone));
        let ran = self.gone(&executor, task.as_deref());
        let never_ran = self
            .executors
            .get(&executor)
            .map_or(TaskState::TaskLost, |one| self.never_ran(&one.framework));
        let told = match ran {
            true => by_agent(TaskState::TaskFailed, Reason::ExecutorTerminated, gone),
            false => by_agent(
                never_ran,
                Reason::AgentRestarted,
                "The agent was restarted before the task was launched",
            ),
        };
        match task {
            Some(name) => self.task_over(now, &executor, &name, told, uuid),
            None => self.executor_over(now, &executor, |_| told.clone(), Ended::Signalled(9), uuid),
        }
    }

    /// A task that the agent itself runs has come to its end.
    pub(super) fn task_over(&mut self, now: Now, executor: &str, name: &str, told: Told, uuid: Uuids<'_>) {
        let state = told.state;
        self.update(now, executor, name, told, uuid);
        self.end_checks(executor, name);
        let Some(known) = self.executors.get_mut(executor) else {
            return;
        };
        if known.kind == Kind::Default
            && state != TaskState::TaskFinished
            && let Some(group) = known.tasks.get(name).map(|task| task.group)
        {
            // A group that lost one of its own ends as a whole.
            let others = known
                .tasks
                .values()
                .filter(|task| task.group == group && !task.has_ended() && !task.process.killed);
            let others: Vec<String> = others.map(|task| task.id().to_owned()).collect();
            for other in others {
                self.kill(now, executor, &other, None, uuid);
            }
        }
        let Some(known) = self.executors.get_mut(executor) else {
            return;
        };
        if !known.ended && known.tasks.values().all(|task| task.has_ended()) {
            known.ended = true;
            if known.kind == Kind::Default {
                let (framework, id) = (known.framework.clone(), known.id().to_owned());
                self.effects.push(Effect::Master(ToMaster::ExecutorExited {
                    framework,
                    executor: id,
                    status: 0,
                }));
                self.over(executor, End::of(Ended::Exited(0)));
            }
        }
        self.settle(executor);
    }

    /// A custom executor has come to its end, and with it whatever it ran.
    fn executor_over(
        &mut self,
        now: Now,
        container: &str,
        told: impl Fn(bool) -> Told,
        ended: Ended,
        uuid: Uuids<'_>,
    ) {
        let Some(executor) = self.executors.get_mut(container) else {
            return;
        };
        executor.ended = true;
        let closed = executor.stream.take();
        let open = executor.tasks.values().filter(|task| !task.has_ended());
        let open: Vec<(String, bool)> = open
            .map(|task| (task.id().to_owned(), task.process.killed))
            .collect();
        let (framework, id) = (executor.framework.clone(), executor.id().to_owned());
        for (task, killed) in open {
            self.update(now, container, &task, told(killed), uuid);
        }
        self.effects.extend(closed.map(|stream| Effect::Close { stream }));
        self.effects.push(Effect::Master(ToMaster::ExecutorExited {
            framework,
            executor: id,
            status: ended.status(),
        }));
        self.settle(container);
    }
}

/// How the original words it: a container is ended when it has used all that it may.
fn lacked_memory(share: Share) -> String {
    let most = share.memory_max.unwrap_or(0) >> 20;
    format!("Memory limit exceeded: Requested: {most}MB Maximum Used: {most}MB")
}
