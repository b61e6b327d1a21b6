//! What is launched and killed, and when: a state machine. An input with its time goes in, effects come out.
//!
//! Rooms: `app` (definitions), `path`, `time`, `instance` (what runs), `deployment` (from one set of apps to another),
//! `commands` (what the API changes), `groups` (of apps), `drive` (what each app lacks), `offers` (where it may be), `launch` (what is asked of
//! Mesos), `updates` (what Mesos tells), `queue` (what waits, and why), `ports` (who is reached where).
//! Knows: apps, instances, messages of the scheduler API. Never: JSON of requests, storage, sockets, a clock.
//!
//! Everything is derived from what is durable (apps, their versions, instances, deployments), whenever something changes:
//! there is no order of messages to lose. An instance is durable before Mesos hears of it, so none is doubled, and one that
//! was never launched is found by reconciliation.

pub(crate) mod app;
mod commands;
pub(crate) mod deployment;
mod drive;
pub(crate) mod groups;
pub(crate) mod instance;
mod launch;
mod offers;
pub(crate) mod path;
mod ports;
pub(crate) mod queue;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
pub(crate) mod time;
pub(crate) mod told;
mod updates;

pub(crate) use commands::{Command, Done, Kill, Refused};

use app::App;
use deployment::Deployment;
use groups::Group;
use instance::{Failure, Instance, InstanceId};
use mesos_proto::v1::{self, scheduler::Call};
use path::PathId;
use queue::Queued;
use server_kit::Random;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
    sync::Arc,
    time::Duration,
};
use time::Timestamp;
use told::Told;

/// How long offers are refused for that nobody waits for.
const REFUSE_SECONDS: f64 = 120.0;
/// The same while somebody waits: what an agent has may have become enough.
const REFUSE_SECONDS_WAITING: f64 = 5.0;
/// How often offers are asked for again at the most.
const REVIVE_EVERY: Duration = Duration::from_millis(200);
/// How often everything is looked at, whether or not something changed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long after the last question Mesos is asked again for tasks of which it has said nothing.
const RECONCILE_EVERY: Duration = Duration::from_secs(5);
/// How often it is asked for all of them.
const RECONCILE_ALL_EVERY: Duration = Duration::from_secs(600);
/// Versions of an app that are kept.
const VERSIONS_MAX: usize = 50;

/// A moment, by both clocks.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Now {
    pub(crate) wall: Timestamp,
    pub(crate) elapsed: Duration,
}

/// What happens to it.
#[derive(Debug)]
pub(crate) enum Input {
    Subscribed {
        framework_id: String,
    },
    Disconnected,
    Event(Box<v1::scheduler::Event>),
    Command(Box<Command>),
    /// Time goes by.
    Tick,
}

/// What it wants done, in order; what is to be stored comes first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    /// To be durable before any of the calls.
    Store(Change),
    Call(Box<Call>),
    /// Those who watch are to hear.
    Tell(Box<Told>),
}

/// What must outlive the process.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Change {
    FrameworkId(String),
    App(Arc<App>),
    AppRemoved(PathId),
    Version(Arc<App>),
    VersionRemoved(PathId, Timestamp),
    Instance(Box<Instance>),
    InstanceRemoved(InstanceId),
    Deployment(Box<Deployment>),
    DeploymentRemoved(String),
    Failure(Box<Failure>),
    FailureRemoved(PathId),
    Group(Box<Group>),
    GroupRemoved(PathId),
}

/// What an earlier process left.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept {
    pub(crate) framework_id: Option<String>,
    pub(crate) apps: Vec<App>,
    pub(crate) versions: Vec<App>,
    pub(crate) instances: Vec<Instance>,
    pub(crate) deployments: Vec<Deployment>,
    pub(crate) failures: Vec<Failure>,
    pub(crate) groups: Vec<Group>,
}

/// How long an app waits before its next launch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Backoff {
    /// Of which version.
    of: Timestamp,
    pub(crate) delay: Duration,
    pub(crate) until: Timestamp,
}

/// All that Marathon knows.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) framework_id: Option<String>,
    pub(crate) apps: BTreeMap<PathId, Arc<App>>,
    pub(crate) versions: BTreeMap<PathId, BTreeMap<Timestamp, Arc<App>>>,
    /// Those of which there is more to say than what is in them.
    pub(crate) groups: BTreeMap<PathId, Group>,
    pub(crate) instances: BTreeMap<PathId, BTreeMap<InstanceId, Instance>>,
    /// The oldest first.
    pub(crate) deployments: Vec<Deployment>,
    pub(crate) failures: BTreeMap<PathId, Failure>,
    pub(crate) queue: BTreeMap<PathId, Queued>,
    pub(crate) backoffs: BTreeMap<PathId, Backoff>,
    local_ports: RangeInclusive<u32>,
    now: Now,
    connected: bool,
    /// When the subscription began: launches from before it have arrived by now, or never will.
    subscribed: Timestamp,
    /// Apps of which something changed since they were last looked at.
    dirty: BTreeSet<PathId>,
    effects: Vec<Effect>,
    /// Whether Mesos has been told that no offers are wanted.
    suppressed: bool,
    /// More is wanted than when offers were last asked for.
    revive: bool,
    revived: Option<Duration>,
    /// Apps that waited for offers when they were last counted.
    ready: usize,
    looked: Duration,
    reconciled: Duration,
    reconciled_all: Duration,
}

impl Core {
    pub(crate) fn new(now: Now, local_ports: RangeInclusive<u32>, kept: Kept) -> Self {
        let mut core = Core {
            framework_id: kept.framework_id,
            apps: BTreeMap::new(),
            versions: BTreeMap::new(),
            groups: kept.groups.into_iter().map(|one| (one.id.clone(), one)).collect(),
            instances: BTreeMap::new(),
            deployments: kept.deployments,
            failures: BTreeMap::new(),
            queue: BTreeMap::new(),
            backoffs: BTreeMap::new(),
            local_ports,
            now,
            connected: false,
            subscribed: now.wall,
            dirty: BTreeSet::new(),
            effects: Vec::new(),
            suppressed: false,
            revive: false,
            revived: None,
            ready: 0,
            looked: now.elapsed,
            reconciled: now.elapsed,
            reconciled_all: now.elapsed,
        };
        core.deployments.sort_by_key(|one| one.version);
        for app in kept.versions {
            let of_app = core.versions.entry(app.id.clone()).or_default();
            of_app.insert(app.version, Arc::new(app));
        }
        for app in kept.apps {
            core.apps.insert(app.id.clone(), Arc::new(app));
        }
        for mut instance in kept.instances {
            instance.heard = false;
            let of_app = core.instances.entry(instance.app.clone()).or_default();
            of_app.insert(instance.id.clone(), instance);
        }
        for failure in kept.failures {
            core.failures.insert(failure.app_id.clone(), failure);
        }
        core.all_dirty();
        core
    }

    /// Takes one input, and answers what is to be done because of it.
    pub(crate) fn step(
        &mut self,
        now: Now,
        random: &Random,
        input: Input,
    ) -> (Result<Done, Refused>, Vec<Effect>) {
        self.now = now;
        let done = match input {
            Input::Command(command) => self.command(*command, random),
            Input::Subscribed { framework_id } => {
                self.subscribed(framework_id);
                Ok(Done::Nothing)
            }
            Input::Disconnected => {
                self.connected = false;
                Ok(Done::Nothing)
            }
            Input::Event(event) => {
                self.event(*event, random);
                Ok(Done::Nothing)
            }
            Input::Tick => {
                self.tick();
                Ok(Done::Nothing)
            }
        };
        self.settle();
        (done, std::mem::take(&mut self.effects))
    }

    fn subscribed(&mut self, framework_id: String) {
        if self.framework_id.as_ref() != Some(&framework_id) {
            self.framework_id = Some(framework_id.clone());
            self.store(Change::FrameworkId(framework_id));
        }
        (self.connected, self.subscribed) = (true, self.now.wall);
        // A subscription starts with offers.
        (self.suppressed, self.revive, self.revived) = (false, true, None);
        for instance in self.all_instances_mut() {
            (instance.heard, instance.kill_sent) = (false, None);
        }
        self.reconcile(true);
        self.all_dirty();
    }

    fn event(&mut self, event: v1::scheduler::Event, random: &Random) {
        if let Some(offers) = event.offers {
            self.offered(offers.offers, random);
        }
        if let Some(status) = event.update.map(|update| update.status) {
            self.told(status);
        }
    }

    fn tick(&mut self) {
        if self.now.elapsed.saturating_sub(self.looked) >= LOOK_EVERY {
            self.looked = self.now.elapsed;
            self.all_dirty();
            self.forget_backoffs();
        }
        if self.connected {
            let since = |then: Duration| self.now.elapsed.saturating_sub(then);
            if since(self.reconciled_all) >= RECONCILE_ALL_EVERY {
                self.reconcile(true);
            } else if since(self.reconciled) >= RECONCILE_EVERY {
                self.reconcile(false);
            }
        }
    }

    /// Brings every app that changed, and the deployments it is part of, as far as they can come now.
    fn settle(&mut self) {
        while let Some(id) = self.dirty.pop_first() {
            self.drive(&id);
            self.advance(&id);
        }
        self.want_offers();
        // What must be durable is so before anybody hears of it; the order of either is kept.
        self.effects
            .sort_by_key(|effect| !matches!(effect, Effect::Store(_)));
    }

    fn all_dirty(&mut self) {
        let apps = self.apps.keys().chain(self.instances.keys());
        let deployed = self.deployments.iter().flat_map(Deployment::apps);
        let all: BTreeSet<PathId> = apps.chain(deployed).cloned().collect();
        self.dirty.extend(all);
    }

    fn all_instances_mut(&mut self) -> impl Iterator<Item = &mut Instance> {
        self.instances.values_mut().flat_map(BTreeMap::values_mut)
    }

    /// Whether there is anything that Mesos is needed for.
    pub(crate) fn is_needed(&self) -> bool {
        !self.apps.is_empty() || !self.instances.is_empty() || !self.deployments.is_empty()
    }

    /// Every instance of every app.
    pub(crate) fn all_instances(&self) -> impl Iterator<Item = &Instance> {
        self.instances.values().flat_map(BTreeMap::values)
    }

    /// The instances of an app.
    pub(crate) fn instances_of(&self, app: &PathId) -> impl Iterator<Item = &Instance> {
        self.instances.get(app).into_iter().flat_map(BTreeMap::values)
    }

    /// What an instance was launched as, as far as that is still known.
    pub(crate) fn launched_as(&self, instance: &Instance) -> Option<&Arc<App>> {
        let of_app = self.versions.get(&instance.app)?;
        of_app.get(&instance.version)
    }

    fn store(&mut self, change: Change) {
        self.effects.push(Effect::Store(change));
    }

    fn call(&mut self, call: Call) {
        if self.connected {
            self.effects.push(Effect::Call(Box::new(call)));
        }
    }

    fn keep_instance(&mut self, app: &PathId, id: &str) {
        let found = self.instances.get(app).and_then(|of_app| of_app.get(id));
        if let Some(instance) = found.cloned() {
            self.store(Change::Instance(Box::new(instance)));
        }
    }
}
