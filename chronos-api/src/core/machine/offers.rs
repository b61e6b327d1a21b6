//! What is launched where. Offers are taken only while something is about to be launched: others want them, too.

use super::{
    Core,
    model::{Entry, Name, Run, RunState},
    told::{Effect, Launch, Offer},
};
use std::{collections::BTreeMap, ops::Bound};

/// How long before something is due offers are asked for, so that it is launched in time.
pub(super) const AHEAD_MS: i64 = 250;
/// How long an offer is kept for what is about to be due.
const HELD_MS: i64 = 2000;
/// Seconds for which what is too little, or in the wrong place, is not offered again.
const TOO_LITTLE_S: f64 = 1.0;
/// Seconds for which nothing is, where nothing is wanted. A revival ends them.
const UNWANTED_S: f64 = 3600.0;
/// Offers at the most that are kept at the same time.
const HELD_MAX: usize = 4096;
/// Characters of a task's id, as Mesos bounds them.
const TASK_CHARS_MAX: usize = 255;
/// Amounts that were too much for every offer, by which larger ones are not tried.
const TOO_MUCH_MAX: usize = 8;

/// An offer that may be used.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) offer: Offer,
    since: i64,
}

impl Held {
    pub(super) fn until(&self) -> i64 {
        self.since.saturating_add(HELD_MS)
    }
}

/// What a task takes.
#[derive(Debug, Clone, Copy)]
struct Need {
    cpus: f64,
    mem: f64,
    disk: f64,
    gpus: f64,
}

impl Need {
    fn of(entry: &Entry) -> Self {
        let job = &entry.kept.job;
        let (cpus, mem, disk, gpus) = (job.cpus, job.mem, job.disk, job.gpus);
        Need {
            cpus,
            mem,
            disk,
            gpus,
        }
    }

    /// Amounts of Mesos are thousandths; what is less is rounding.
    fn fits(&self, offer: &Offer) -> bool {
        let enough = |has: f64, needs: f64| has + 0.0005 >= needs;
        enough(offer.cpus, self.cpus)
            && enough(offer.mem, self.mem)
            && enough(offer.disk, self.disk)
            && enough(offer.gpus, self.gpus)
    }

    fn is_no_less_than(&self, other: &Need) -> bool {
        self.cpus >= other.cpus && self.mem >= other.mem && self.disk >= other.disk && self.gpus >= other.gpus
    }
}

impl Core {
    pub(super) fn offered(&mut self, now: i64, offers: Vec<Offer>) {
        if !self.subscribed {
            return;
        }
        let mut beyond = Vec::new();
        for offer in offers {
            match self.offers.len() < HELD_MAX {
                true => self.offers.push(Held { offer, since: now }),
                false => beyond.push(offer.id),
            }
        }
        self.decline(beyond, TOO_LITTLE_S);
    }

    /// Launches what is ready and fits, gives back what is of no use, and says whether offers are wanted.
    pub(super) fn use_offers(&mut self, now: i64) {
        if !self.subscribed {
            return;
        }
        self.launch_ready(now);
        let wanted = self.wants_offers(now);
        if self.asked != Some(wanted) {
            self.asked = Some(wanted);
            self.effects
                .push(if wanted { Effect::Revive } else { Effect::Suppress });
        }
        let (kept, given): (Vec<Held>, Vec<Held>) = std::mem::take(&mut self.offers)
            .into_iter()
            .partition(|held| wanted && self.ready.is_empty() && held.until() > now);
        self.offers = kept;
        let seconds = if wanted { TOO_LITTLE_S } else { UNWANTED_S };
        self.decline(given.into_iter().map(|held| held.offer.id).collect(), seconds);
    }

    fn decline(&mut self, offers: Vec<String>, seconds: f64) {
        if !offers.is_empty() {
            self.effects.push(Effect::Decline { offers, seconds });
        }
    }

    fn wants_offers(&self, now: i64) -> bool {
        let soon = now.saturating_add(AHEAD_MS);
        !self.ready.is_empty() || self.timers.first().is_some_and(|(at, _)| *at <= soon)
    }

    fn launch_ready(&mut self, now: i64) {
        // By the place of the offer that they go to.
        let mut launched: BTreeMap<usize, Vec<Launch>> = BTreeMap::new();
        let mut whole: BTreeMap<usize, Offer> = BTreeMap::new();
        let mut too_much: Vec<Need> = Vec::new();
        let mut after = Bound::Unbounded;
        while !self.offers.is_empty()
            && let Some(key) = self.ready.range((after, Bound::Unbounded)).next().cloned()
        {
            let name = key.2.clone();
            after = Bound::Excluded(key);
            let Some(entry) = self.jobs.get(&name) else {
                continue;
            };
            let need = Need::of(entry);
            if too_much.iter().any(|known| need.is_no_less_than(known)) {
                continue;
            }
            let fits = |held: &Held| {
                let holds = |check: &crate::core::constraints::Check| {
                    check.holds(&held.offer.attributes, &held.offer.host)
                };
                need.fits(&held.offer) && entry.checks.iter().all(holds)
            };
            let Some(at) = self.offers.iter().position(fits) else {
                if entry.checks.is_empty() && too_much.len() < TOO_MUCH_MAX {
                    too_much.push(need);
                }
                continue;
            };
            let agent = self.offers[at].offer.agent.clone();
            let Some(launch) = self.launch(now, &name, agent) else {
                continue;
            };
            let offer = &mut self.offers[at].offer;
            whole.entry(at).or_insert_with(|| offer.clone());
            offer.cpus -= need.cpus;
            offer.mem -= need.mem;
            offer.disk -= need.disk;
            offer.gpus -= need.gpus;
            launched.entry(at).or_default().push(launch);
        }
        // From behind, so that places stay what they are.
        for (at, launches) in launched.into_iter().rev() {
            self.offers.remove(at);
            if let Some(offer) = whole.remove(&at) {
                self.effects.push(Effect::Accept { offer, launches });
            }
        }
    }

    /// Counts the next run of a job as under way, and answers its task.
    fn launch(&mut self, now: i64, name: &Name, agent: String) -> Option<Launch> {
        let entry = self.jobs.get_mut(name)?;
        let pending = entry.take(entry.next(now)?)?;
        let mut attempt = pending.attempt;
        let mut task = task_id(pending.due, attempt, name, pending.arguments.as_deref());
        while self.runs.contains_key(&task) {
            attempt = attempt.saturating_add(1);
            task = task_id(pending.due, attempt, name, pending.arguments.as_deref());
        }
        entry.running.insert(task.clone());
        let run = Run {
            task: task.clone(),
            job: name.to_string(),
            due: pending.due,
            attempt,
            failures: pending.failures,
            arguments: pending.arguments.clone(),
            cause: pending.cause,
            agent,
            sent_at: now,
            started_at: None,
            state: RunState::Sent,
            told: None,
            confirmed: false,
        };
        let launch = Launch {
            task: task.clone(),
            job: entry.kept.job.clone(),
            due: pending.due,
            attempt,
            arguments: pending.arguments,
            cause: pending.cause,
        };
        self.runs.insert(task.clone(), run);
        self.touched_runs.insert(task);
        self.touch(name);
        self.place(now, name);
        self.expect_news(now);
        Some(launch)
    }
}

/// Whether Mesos takes a text as part of an id.
fn fits_in_an_id(text: &str) -> bool {
    text.chars()
        .all(|one| !one.is_control() && one != '/' && one != '\\')
}

/// The id of a task as the original's clients read it. Arguments that Mesos would not take in an id are left out.
fn task_id(due: i64, attempt: u32, name: &str, arguments: Option<&str>) -> String {
    let plain = format!("ct:{due}:{attempt}:{name}:");
    match arguments {
        Some(arguments) if fits_in_an_id(arguments) && plain.len() + arguments.len() <= TASK_CHARS_MAX => {
            plain + arguments
        }
        _ => plain,
    }
}
