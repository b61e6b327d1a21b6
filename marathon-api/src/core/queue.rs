//! What waits to be launched, and why it does.

use super::{
    Backoff, Core, Now,
    app::{App, constraint::Constraint},
    path::PathId,
    time::Timestamp,
};
use mesos_proto::v1::Offer;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// How long a delay that nobody waits for any more is remembered.
const FORGET_DELAYS_MS: i64 = 60_000;

/// Why an offer was not used, in the order in which the original counts: one reason for each offer.
pub(crate) const REASONS: [&str; 8] = [
    "UnfulfilledRole",
    "UnfulfilledConstraint",
    "NoCorrespondingReservationFound",
    "InsufficientCpus",
    "InsufficientMemory",
    "InsufficientDisk",
    "InsufficientGpus",
    "InsufficientPorts",
];

/// An app that lacks instances.
#[derive(Debug, Clone)]
pub(crate) struct Queued {
    /// What is to be launched.
    pub(crate) app: Arc<App>,
    pub(super) constraints: Vec<Constraint>,
    pub(crate) count: u32,
    pub(crate) since: Timestamp,
    pub(crate) processed: u64,
    pub(crate) unused: u64,
    pub(crate) last_unused: Option<Timestamp>,
    pub(crate) last_used: Option<Timestamp>,
    /// The last offer of each agent that was of no use.
    pub(crate) unused_offers: BTreeMap<String, Unused>,
    /// How often each reason was the first one, since the app waits.
    pub(crate) reasons: BTreeMap<&'static str, u64>,
}

/// An offer that was of no use.
#[derive(Debug, Clone)]
pub(crate) struct Unused {
    pub(crate) offer: Arc<Offer>,
    pub(crate) reasons: Vec<&'static str>,
    pub(crate) at: Timestamp,
}

impl Queued {
    fn new(app: Arc<App>, since: Timestamp) -> Self {
        // Every app that is kept was checked.
        let constraints = app
            .constraints
            .iter()
            .filter_map(|one| Constraint::parse(one).ok());
        Queued {
            constraints: constraints.collect(),
            app,
            count: 0,
            since,
            processed: 0,
            unused: 0,
            last_unused: None,
            last_used: None,
            unused_offers: BTreeMap::new(),
            reasons: BTreeMap::new(),
        }
    }

    pub(crate) fn used(&mut self, agent: &str, at: Timestamp) {
        self.processed += 1;
        self.last_used = Some(at);
        self.unused_offers.remove(agent);
    }

    pub(crate) fn not_used(&mut self, offer: Arc<Offer>, reasons: Vec<&'static str>, at: Timestamp) {
        self.processed += 1;
        self.unused += 1;
        self.last_unused = Some(at);
        if let Some(first) = first(&reasons) {
            *self.reasons.entry(first).or_default() += 1;
        }
        let agent = offer.agent_id.value.clone();
        self.unused_offers.insert(agent, Unused { offer, reasons, at });
    }

    /// Of the last offers of each agent: reason, how many it ended, how many came as far as it.
    pub(crate) fn last_offers(&self) -> Vec<(&'static str, u64, u64)> {
        let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
        for unused in self.unused_offers.values() {
            if let Some(first) = first(&unused.reasons) {
                *counts.entry(first).or_default() += 1;
            }
        }
        funnel(self.unused_offers.len() as u64, &counts)
    }

    /// The same of all offers since the app waits.
    pub(crate) fn all_offers(&self) -> Vec<(&'static str, u64, u64)> {
        funnel(self.processed, &self.reasons)
    }
}

/// The reason that counts.
fn first(reasons: &[&'static str]) -> Option<&'static str> {
    REASONS.into_iter().find(|reason| reasons.contains(reason))
}

fn funnel(processed: u64, counts: &BTreeMap<&'static str, u64>) -> Vec<(&'static str, u64, u64)> {
    let mut left = processed;
    let steps = REASONS.into_iter().map(|reason| {
        let (declined, came) = (counts.get(reason).copied().unwrap_or(0), left);
        left = left.saturating_sub(declined);
        (reason, declined, came)
    });
    steps.collect()
}

impl Core {
    /// Says how many instances of an app are to be launched.
    pub(crate) fn enqueue(&mut self, app: &Arc<App>, count: u32) {
        if count == 0 {
            self.queue.remove(&app.id);
            return;
        }
        let since = self.now.wall;
        let queued = self.queue.entry(app.id.clone());
        let queued = queued.or_insert_with(|| Queued::new(app.clone(), since));
        if queued.app.version != app.version {
            *queued = Queued::new(app.clone(), since);
        }
        if count > queued.count {
            self.revive = true;
        }
        queued.count = count;
    }

    /// Until when an app waits after its last failures.
    pub(crate) fn delay(&self, app: &App) -> Option<Backoff> {
        let backoff = self.backoffs.get(&app.id).copied();
        backoff.filter(|backoff| backoff.of == app.version_info.last_config_change_at)
    }

    /// Whether an app may be launched by now.
    pub(crate) fn is_ready(&self, app: &App) -> bool {
        self.delay(app)
            .is_none_or(|backoff| backoff.until <= self.now.wall)
    }

    /// Lets an app wait because an instance failed: longer each time.
    pub(crate) fn back_off(&mut self, app: &App) {
        let most = Duration::from_secs(app.max_launch_delay_seconds.into());
        let delay = match self.delay(app) {
            None => Duration::from_secs(app.backoff_seconds.into()),
            Some(earlier) => {
                let seconds = earlier.delay.as_secs_f64() * app.backoff_factor;
                Duration::try_from_secs_f64(seconds).unwrap_or(most)
            }
        };
        let delay = delay.min(most);
        let until = self
            .now
            .wall
            .plus(i64::try_from(delay.as_millis()).unwrap_or(i64::MAX));
        let of = app.version_info.last_config_change_at;
        self.backoffs.insert(app.id.clone(), Backoff { of, delay, until });
    }

    /// Lets an app be launched at once.
    pub(crate) fn reset_delay(&mut self, app: &PathId) {
        if self.backoffs.remove(app).is_some() {
            self.revive = true;
        }
    }

    pub(crate) fn forget_backoffs(&mut self) {
        let Now { wall, .. } = self.now;
        self.backoffs
            .retain(|_, backoff| wall.0 < backoff.until.0.saturating_add(FORGET_DELAYS_MS));
    }
}
