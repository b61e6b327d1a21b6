//! What nobody has told of: the master is asked for it, after each subscription and from time to time.
//!
//! Calls reach a master in the order in which they are made, and one that is not answered ends the stream, after which the
//! master takes no call of that stream. So what it says of a task was said after the task's launch arrived, or never will.

use super::{
    Core,
    model::{Name, RunState},
    status::End,
    told::Effect,
};

/// How long after it was asked a master is asked again, and how long at the most.
const PAUSE_MS: i64 = 1000;
const PAUSE_MS_MAX: i64 = 60_000;
/// How long a launch may go without news.
const NEWS_MS: i64 = 5000;
/// How often the master is asked for everything, as the original does.
const ALL_MS: i64 = 600_000;
/// Tasks of one question.
const ASKED_MAX: usize = 1000;

/// When to ask.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) at: Option<i64>,
    pause: i64,
    all_at: i64,
    /// The framework's id is to be stored: nothing where it has none any more.
    pub(super) new_framework: Option<Option<String>>,
}

impl Core {
    pub(super) fn subscribed(&mut self, now: i64, framework: String) {
        if self.framework.as_ref() != Some(&framework) {
            self.framework = Some(framework.clone());
            self.reconcile.new_framework = Some(Some(framework));
        }
        self.subscribed = true;
        self.asked = None;
        self.offers.clear();
        for run in self.runs.values_mut() {
            run.confirmed = false;
        }
        self.reconcile.at = Some(now);
        self.reconcile.pause = PAUSE_MS;
        self.reconcile.all_at = now.saturating_add(ALL_MS);
        self.ask_for_all();
    }

    /// Asks for every task that the master has of this framework: those that were given up are ended.
    fn ask_for_all(&mut self) {
        self.effects.push(Effect::Reconcile(Vec::new()));
    }

    pub(super) fn disconnected(&mut self) {
        self.subscribed = false;
        self.offers.clear();
        self.reconcile.at = None;
    }

    /// Nothing will be heard of any run: the master has ended them all.
    pub(super) fn banished(&mut self, now: i64) {
        self.disconnected();
        self.framework = None;
        self.reconcile.new_framework = Some(None);
        let waits = |state: RunState| state == RunState::Awaiting;
        let runs = self.runs.values().filter(|run| !waits(run.state));
        let tasks: Vec<String> = runs.map(|run| run.task.clone()).collect();
        for task in tasks {
            self.run_over(now, &task, End::Failed);
        }
    }

    /// Something was launched: there will be news of it, or a question.
    pub(super) fn expect_news(&mut self, now: i64) {
        if self.reconcile.at.is_none() {
            self.reconcile.at = Some(now.saturating_add(NEWS_MS));
            self.reconcile.pause = PAUSE_MS;
        }
    }

    pub(super) fn reconcile_if_due(&mut self, now: i64) {
        if !self.subscribed || self.reconcile.at.is_none_or(|at| at > now) {
            return;
        }
        if self.reconcile.all_at <= now {
            self.reconcile.all_at = now.saturating_add(ALL_MS);
            self.ask_for_all();
            for run in self.runs.values_mut() {
                run.confirmed = false;
            }
        }
        let open = |run: &&super::Run| !run.confirmed && run.state != RunState::Awaiting;
        let asked: Vec<(String, String)> = self
            .runs
            .values()
            .filter(open)
            .map(|run| (run.task.clone(), run.agent.clone()))
            .collect();
        for some in asked.chunks(ASKED_MAX) {
            self.effects.push(Effect::Reconcile(some.to_vec()));
        }
        let pause = self.reconcile.pause;
        self.reconcile.pause = pause.saturating_mul(2).clamp(PAUSE_MS, PAUSE_MS_MAX);
        self.reconcile.at = match (asked.is_empty(), self.runs.is_empty()) {
            (false, _) => Some(now.saturating_add(pause)),
            (true, false) => Some(self.reconcile.all_at),
            (true, true) => None,
        };
    }

    /// Tells the cluster to end the tasks of a job.
    pub(super) fn kill_runs(&mut self, name: &Name) {
        let runs = self.runs.values().filter(|run| run.job == **name);
        let kills: Vec<Effect> = runs
            .map(|run| Effect::Kill {
                task: run.task.clone(),
                agent: Some(run.agent.clone()),
            })
            .collect();
        self.effects.extend(kills);
    }
}
