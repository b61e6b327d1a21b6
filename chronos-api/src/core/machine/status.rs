//! What became of runs.

use super::{
    Core,
    model::{Name, Run, RunState},
    told::{Effect, Status, TaskState},
};
use crate::core::schedule::{time_of, time_text};

/// What a task's id starts with.
const OURS: &str = "ct:";
/// How much longer each launch that did not arrive makes the wait for the next one, and the longest wait.
const AGAIN_MS: i64 = 200;
const AGAIN_MS_MAX: i64 = 10_000;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Well,
    Failed,
    Killed,
    /// It never began.
    NeverRan,
}

impl Core {
    /// A master tells of a task.
    pub(super) fn status(&mut self, now: i64, status: Status) {
        match self.runs.get_mut(&status.task) {
            None => self.stranger(&status),
            Some(run) => {
                run.confirmed = true;
                let began = matches!(run.state, RunState::Running | RunState::Awaiting);
                let end = match status.state {
                    TaskState::Staging | TaskState::Running => {
                        self.goes_on(now, &status);
                        None
                    }
                    TaskState::Finished => Some(End::Well),
                    TaskState::Failed | TaskState::Lost => Some(End::Failed),
                    TaskState::Killed => Some(End::Killed),
                    TaskState::Dropped => Some(End::NeverRan),
                    // Its agent forgets no task before its end is acknowledged, and none was.
                    TaskState::Unknown if !began => Some(End::NeverRan),
                    TaskState::Unknown => Some(End::Failed),
                };
                if let Some(end) = end {
                    self.task_over(now, &status.task, end, &status.message);
                }
            }
        }
        if let (Some(uuid), Some(agent)) = (status.uuid, status.agent) {
            let task = status.task;
            self.effects.push(Effect::Acknowledge { task, agent, uuid });
        }
    }

    /// A task that is no run's. It was given up, and is not to go on.
    fn stranger(&mut self, status: &Status) {
        let goes_on = matches!(status.state, TaskState::Staging | TaskState::Running);
        if goes_on && status.task.starts_with(OURS) {
            let (task, agent) = (status.task.clone(), status.agent.clone());
            self.effects.push(Effect::Kill { task, agent });
        }
    }

    fn goes_on(&mut self, now: i64, status: &Status) {
        let Some(run) = self.runs.get_mut(&status.task) else {
            return;
        };
        match (status.state, run.state) {
            (TaskState::Staging, RunState::Sent) => run.state = RunState::Staging,
            (TaskState::Running, RunState::Sent | RunState::Staging) => {
                run.state = RunState::Running;
                run.started_at = Some(now);
                // That it began is not to be forgotten: then it may have run, whatever is told of it.
                self.touched_runs.insert(run.task.clone());
                if let Some(entry) = self.jobs.get_mut(run.job.as_str()) {
                    entry.stats.started(run);
                }
            }
            _ => {}
        }
    }

    /// A task has come to its end, and perhaps its run with it.
    fn task_over(&mut self, now: i64, task: &str, end: End, message: &str) {
        let Some(run) = self.runs.get_mut(task) else {
            return;
        };
        let waits = self
            .jobs
            .get(run.job.as_str())
            .is_some_and(|entry| entry.kept.job.r#async);
        let end = match (end, run.told) {
            (End::Well, None) if waits => {
                run.state = RunState::Awaiting;
                let task = run.task.clone();
                self.touched_runs.insert(task);
                return;
            }
            (End::Well | End::Failed, Some(true)) => End::Well,
            (End::Well | End::Failed, Some(false)) => End::Failed,
            (end, _) => end,
        };
        if end != End::Well {
            tracing::info!(task, message, ?end, "a run has not ended well");
        }
        self.run_over(now, task, end);
    }

    /// A client tells how an asynchronous run ended. While its task goes on, that is noted.
    pub(super) fn told_end(&mut self, now: i64, task: &str, well: bool) {
        let Some(run) = self.runs.get_mut(task) else {
            return;
        };
        match run.state {
            RunState::Awaiting => self.run_over(now, task, if well { End::Well } else { End::Failed }),
            _ => {
                run.told = Some(well);
                self.touched_runs.insert(task.to_owned());
            }
        }
    }

    pub(super) fn run_over(&mut self, now: i64, task: &str, end: End) {
        let Some(run) = self.runs.remove(task) else {
            return;
        };
        self.touched_runs.insert(run.task.clone());
        let Some(entry) = self.jobs.get_mut(run.job.as_str()) else {
            return;
        };
        let name = entry.name.clone();
        entry.running.remove(task);
        entry.stats.ended(&run, now, end);
        match end {
            End::Well => self.ended_well(now, &name),
            End::Failed => self.failed(now, &name, &run),
            End::Killed => {}
            End::NeverRan => {
                let wait = AGAIN_MS.saturating_mul(i64::from(run.attempt)).min(AGAIN_MS_MAX);
                if let Some(entry) = self.jobs.get_mut(&name) {
                    entry.owe_again(&run, now.saturating_add(wait), false);
                }
            }
        }
        self.touch(&name);
        self.place(now, &name);
    }

    /// A run ended well, or counts as if one had.
    pub(super) fn ended_well(&mut self, now: i64, name: &Name) {
        if let Some(entry) = self.jobs.get_mut(name) {
            let job = &mut entry.kept.job;
            job.success_count = job.success_count.saturating_add(1);
            job.errors_since_last_success = 0;
            job.last_success = time_text(now);
            let over = entry
                .schedule
                .as_ref()
                .is_some_and(|schedule| schedule.is_over(entry.kept.at));
            if over && entry.kept.pending.is_empty() && entry.running.is_empty() {
                entry.kept.job.disabled = true;
            }
        }
        self.touch(name);
        self.fire_children(now, name);
    }

    fn failed(&mut self, now: i64, name: &Name, run: &Run) {
        let policy = (self.policy.failure_retry_ms, self.policy.disable_after_failures);
        let Some(entry) = self.jobs.get_mut(name) else {
            return;
        };
        let job = &mut entry.kept.job;
        // As in the original, what has failed for good is tried once at a time, until it ends well again.
        let last_was_well = match (time_of(&job.last_success), time_of(&job.last_error)) {
            (_, None) => true,
            (Some(success), Some(error)) => success >= error,
            (None, Some(_)) => false,
        };
        if run.failures < job.retries && last_was_well {
            return entry.owe_again(run, now.saturating_add(policy.0), true);
        }
        job.error_count = job.error_count.saturating_add(1);
        job.errors_since_last_success = job.errors_since_last_success.saturating_add(1);
        job.last_error = time_text(now);
        if policy.1 > 0 && job.errors_since_last_success >= policy.1 {
            job.disabled = true;
        }
        if job.soft_error {
            self.fire_children(now, name);
        }
    }
}
