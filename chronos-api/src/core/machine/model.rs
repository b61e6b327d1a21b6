//! Jobs and runs as they are kept.

use super::stats::Stats;
use crate::core::{
    constraints::Check,
    job::{Job, Trigger},
    schedule::{Schedule, period_ms},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

pub(super) type Name = Arc<str>;

/// Why a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Cause {
    /// It was its time.
    Scheduled,
    /// Somebody wanted it now.
    Triggered,
    /// What it waits for has ended.
    Parents,
}

/// A run that is owed, beside those that a schedule owes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub(super) due: i64,
    /// Not launched earlier.
    pub(super) not_before: i64,
    /// How often it was launched before.
    pub(super) attempt: u32,
    /// How often it failed before.
    pub(super) failures: u32,
    pub(super) arguments: Option<String>,
    pub(super) cause: Cause,
}

/// All that is stored of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) job: Job,
    /// The next occurrence of its schedule that was neither launched nor skipped.
    pub(super) at: u64,
    /// The newest time for which it was launched: whatever is due until then is not owed, even by another schedule.
    pub(super) floor: i64,
    /// The newest time at which a run was owed beside the schedule.
    pub(super) owed: i64,
    pub(super) pending: VecDeque<Pending>,
    /// How often each parent has ended well since this job was last owed because of them.
    pub(super) edges: BTreeMap<String, u64>,
}

/// How far a run is, as far as anybody has told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum RunState {
    /// Its launch is stored, and was perhaps sent.
    Sent,
    /// Its task is known to the cluster.
    Staging,
    /// Its task runs.
    Running,
    /// Its task has ended; how it ended is told by somebody else.
    Awaiting,
}

/// A run that was started and whose end nobody has told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) task: String,
    pub(crate) job: String,
    pub(crate) due: i64,
    pub(super) attempt: u32,
    pub(super) failures: u32,
    pub(super) arguments: Option<String>,
    pub(crate) cause: Cause,
    pub(crate) agent: String,
    pub(crate) sent_at: i64,
    pub(crate) started_at: Option<i64>,
    pub(crate) state: RunState,
    /// What a client told of an asynchronous run: whether it ended well.
    pub(super) told: Option<bool>,
    /// Whether the master has told of it since the last subscription.
    #[serde(skip)]
    pub(super) confirmed: bool,
}

/// A job, and what follows from it.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(super) name: Name,
    pub(crate) kept: Kept,
    pub(super) schedule: Option<Schedule>,
    pub(super) epsilon: i64,
    pub(super) checks: Vec<Check>,
    /// Tasks of its runs.
    pub(super) running: BTreeSet<String>,
    pub(super) timer: Option<i64>,
    pub(super) ready: Option<(u8, i64)>,
    pub(crate) stats: Stats,
}

impl Kept {
    /// A job that nothing was done for yet.
    pub(super) fn new(job: Job) -> Self {
        Kept {
            job,
            at: 0,
            floor: i64::MIN,
            owed: i64::MIN,
            pending: VecDeque::new(),
            edges: BTreeMap::new(),
        }
    }
}

impl Entry {
    /// Answers why it cannot be, with its name, if it cannot.
    pub(super) fn of(kept: Kept, now: i64) -> Result<Self, (String, String)> {
        let name = kept.job.name.clone();
        let wrong = |why: String| (name.clone(), why);
        let schedule = match &kept.job.trigger {
            Trigger::Schedule { schedule, zone } => {
                Some(Schedule::parse(schedule, zone, now).map_err(|why| wrong(why.to_string()))?)
            }
            Trigger::Parents(_) => None,
        };
        let epsilon = period_ms(&kept.job.epsilon)
            .ok_or_else(|| wrong(format!("Invalid format: \"{}\"", kept.job.epsilon)))?
            .max(0);
        let checks: Result<Vec<Check>, String> = kept.job.constraints.iter().map(Check::new).collect();
        Ok(Entry {
            name: Name::from(name.as_str()),
            checks: checks.map_err(wrong)?,
            kept,
            schedule,
            epsilon,
            running: BTreeSet::new(),
            timer: None,
            ready: None,
            stats: Stats::default(),
        })
    }

    pub(crate) fn job(&self) -> &Job {
        &self.kept.job
    }

    /// The schedule as it is from now on: what is left of it. Nothing for a job that waits for others.
    pub(crate) fn shown_schedule(&self) -> Option<String> {
        match (&self.kept.job.trigger, &self.schedule) {
            (Trigger::Schedule { schedule, .. }, _) if self.kept.at == 0 => Some(schedule.clone()),
            (_, Some(schedule)) => Some(schedule.rest(self.kept.at)),
            _ => None,
        }
    }

    /// When it is due next by its schedule, in ms since 1970.
    pub(crate) fn next_due(&self) -> Option<i64> {
        let schedule = self.schedule.as_ref().filter(|_| !self.kept.job.disabled)?;
        schedule.due(self.kept.at)
    }

    /// How many tasks of it there are.
    pub(crate) fn running(&self) -> usize {
        self.running.len()
    }

    /// Whether a run of it is owed now.
    pub(crate) fn is_queued(&self) -> bool {
        self.ready.is_some() || !self.kept.pending.is_empty()
    }

    /// Whether it has to wait until a run of it has ended.
    pub(super) fn is_blocked(&self) -> bool {
        !self.kept.job.concurrent && !self.running.is_empty()
    }
}
