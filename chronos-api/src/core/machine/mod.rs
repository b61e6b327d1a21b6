//! What is decided: one input after the other goes in, with its time; what is to be stored, and what is to be done once it
//! is stored, comes out.
//!
//! Rooms: `model` (jobs and runs as they are kept), `told` (what goes in and comes out), `commands` (what clients ask for),
//! `graph` (who waits for whom), `place` (what is due), `offers` (what is launched where), `status` (what became of it),
//! `reconcile` (what nobody has told of), `stats` (how long it took).
//! Knows: jobs, runs, time as numbers. Never: how anything is stored, sent or shown.
//!
//! A run is written, and its occurrence counted as used, in one step, before its launch is sent; so it is never launched
//! twice. It is forgotten only once its end is known; so it is never missed.

mod commands;
mod graph;
mod model;
mod offers;
mod place;
mod reconcile;
mod stats;
mod status;
#[cfg(test)]
mod tests;
mod told;

pub(crate) use model::{Entry, Kept, Run};
pub(crate) use stats::{Histogram, Past};
pub(crate) use told::{
    Change, Command, Effect, Input, Launch, Offer, Policy, Refused, Status, Step, TaskState,
};

use model::Name;
use offers::Held;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that is known of jobs and of their runs.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) policy: Policy,
    jobs: BTreeMap<Name, Entry>,
    /// By the ids of their tasks.
    runs: BTreeMap<String, Run>,
    /// Who waits for a job.
    children: BTreeMap<Name, BTreeSet<Name>>,
    /// When a job is to be looked at.
    timers: BTreeSet<(i64, Name)>,
    /// What may be launched: those of high priority first, then by the time they are due.
    ready: BTreeSet<(u8, i64, Name)>,
    offers: Vec<Held>,
    framework: Option<String>,
    subscribed: bool,
    /// Whether the master was told to send offers; `None` where nothing was said yet.
    asked: Option<bool>,
    reconcile: reconcile::Plan,
    /// Jobs and runs that are not any more as they are stored.
    touched: BTreeSet<Name>,
    touched_runs: BTreeSet<String>,
    effects: Vec<Effect>,
}

impl Core {
    /// Goes on from what is stored.
    pub(crate) fn new(
        now: i64,
        policy: Policy,
        framework: Option<String>,
        jobs: Vec<Kept>,
        runs: Vec<Run>,
    ) -> Self {
        let mut core = Core {
            policy,
            jobs: BTreeMap::new(),
            runs: BTreeMap::new(),
            children: BTreeMap::new(),
            timers: BTreeSet::new(),
            ready: BTreeSet::new(),
            offers: Vec::new(),
            framework,
            subscribed: false,
            asked: None,
            reconcile: reconcile::Plan::default(),
            touched: BTreeSet::new(),
            touched_runs: BTreeSet::new(),
            effects: Vec::new(),
        };
        for kept in jobs {
            match Entry::of(kept, now) {
                Ok(entry) => {
                    core.link(&entry);
                    core.jobs.insert(entry.name.clone(), entry);
                }
                // An earlier version took it; it stays stored.
                Err((name, why)) => tracing::error!(job = name, why, "a stored job cannot be taken up"),
            }
        }
        for run in runs {
            if let Some(entry) = core.jobs.get_mut(run.job.as_str()) {
                entry.running.insert(run.task.clone());
            }
            core.runs.insert(run.task.clone(), run);
        }
        let names: Vec<Name> = core.jobs.keys().cloned().collect();
        for name in names {
            core.place(now, &name);
        }
        core
    }

    /// Decides what follows from an input.
    pub(crate) fn step(&mut self, now: i64, input: Input) -> Step {
        let answer = match input {
            Input::Tick => Ok(()),
            Input::Subscribed { framework } => {
                self.subscribed(now, framework);
                Ok(())
            }
            Input::Disconnected => {
                self.disconnected();
                Ok(())
            }
            Input::Banished => {
                self.banished(now);
                Ok(())
            }
            Input::Offers(offers) => {
                self.offered(now, offers);
                Ok(())
            }
            Input::Rescinded(offer) => {
                self.offers.retain(|held| held.offer.id != offer);
                Ok(())
            }
            Input::Status(status) => {
                self.status(now, status);
                Ok(())
            }
            Input::Command(command) => self.command(now, *command),
        };
        self.due(now);
        self.use_offers(now);
        self.reconcile_if_due(now);
        let mut changes = Vec::new();
        for name in std::mem::take(&mut self.touched) {
            changes.push(match self.jobs.get(&name) {
                Some(entry) => Change::Job(Box::new(entry.kept.clone())),
                None => Change::NoJob(name.to_string()),
            });
        }
        for task in std::mem::take(&mut self.touched_runs) {
            changes.push(match self.runs.get(&task) {
                Some(run) => Change::Run(run.clone()),
                None => Change::NoRun(task),
            });
        }
        if let Some(framework) = self.reconcile.new_framework.take() {
            changes.push(Change::Framework(framework));
        }
        Step {
            changes,
            effects: std::mem::take(&mut self.effects),
            answer,
        }
    }

    /// When time alone will matter next, at the latest.
    pub(crate) fn wake(&self, now: i64) -> Option<i64> {
        let due = self.timers.first().map(|(at, _)| *at);
        let soon = due
            .map(|due| due - offers::AHEAD_MS)
            .filter(|soon| *soon > now && self.asked != Some(true));
        let held = self.offers.iter().map(Held::until).min();
        [due, soon, held, self.reconcile.at].into_iter().flatten().min()
    }

    pub(crate) fn jobs(&self) -> impl Iterator<Item = &Entry> {
        self.jobs.values()
    }

    pub(crate) fn job(&self, name: &str) -> Option<&Entry> {
        self.jobs.get(name)
    }

    pub(crate) fn runs(&self) -> impl ExactSizeIterator<Item = &Run> {
        self.runs.values()
    }

    /// The id that the master knows this framework by.
    pub(crate) fn framework(&self) -> Option<&str> {
        self.framework.as_deref()
    }

    pub(crate) fn is_subscribed(&self) -> bool {
        self.subscribed
    }

    /// How many wait for an offer: those of high priority, and the others.
    pub(crate) fn waiting(&self) -> (usize, usize) {
        let high = self
            .ready
            .iter()
            .filter(|(class, ..)| *class == place::HIGH)
            .count();
        (high, self.ready.len() - high)
    }

    fn touch(&mut self, name: &Name) {
        self.touched.insert(name.clone());
    }
}
