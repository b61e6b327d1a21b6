//! The groups this broker coordinates: locks, timers, waiting replies and what is stored of them.
//!
//! Knows: which group a request is for, when a group must be looked at again, that a change is stored before it is
//! told. Never: the rules of either rebalance protocol, which are in `core::groups`.
//!
//! Invariant: a change of a group runs in a task of its own, so that a client that leaves in the middle of it takes
//! nobody else's reply with it.

mod consumers;
mod describe;
mod expiry;
mod members;
mod offsets;
mod settings;
mod store;
mod timers;

pub(crate) use describe::{Described, DescribedConsumer, DescribedMember, Listed};
pub(crate) use expiry::maintenance;
pub(crate) use offsets::{
    CommitPartition, CommitRequest, CommitTopic, FetchTopics, FetchedPartition, FetchedTopic,
};
pub(crate) use settings::Settings;

use crate::{
    core::groups::{
        Effect, Joined, Now, Refused, Synced, Token,
        classic::ClassicGroup,
        consumer::Dirty,
        group::{Group, Protocol},
    },
    error::ApiError,
    topics::Image,
    wire::ResponseError,
};
use parking_lot::Mutex;
use server_kit::{Clock, Random};
use std::{collections::BTreeMap, sync::Arc};
use storage::{Durability, Kv, StorageError};
use store::Outcome;
use timers::Timers;
use tokio::sync::{Mutex as AsyncMutex, oneshot};

/// Every group.
#[derive(Clone)]
pub(crate) struct Groups {
    inner: Arc<Inner>,
}

struct Inner {
    kv: Arc<dyn Kv>,
    durability: Durability,
    clock: Arc<dyn Clock>,
    random: Arc<Random>,
    settings: Settings,
    groups: Mutex<BTreeMap<Arc<str>, Arc<Cell>>>,
    timers: Timers,
}

/// One group behind its lock, which is held across the store's commit.
struct Cell {
    id: Arc<str>,
    /// The name of its state after the last step, for who cannot wait for the lock.
    state: Mutex<&'static str>,
    slot: AsyncMutex<Slot>,
}

struct Slot {
    group: Group,
    waiting: BTreeMap<Token, Waiting>,
    last_token: Token,
    /// It was removed from the map while somebody waited for the lock.
    gone: bool,
    /// When the timers will look at it.
    wake_at_ms: Option<i64>,
    /// What of a consumer group is not stored yet.
    unsaved: Dirty,
    /// The topics there were when it last looked.
    image: Option<Arc<Image>>,
}

/// A reply that waits for the rest of the group.
enum Waiting {
    Join(oneshot::Sender<Result<Joined, Refused>>),
    Sync(oneshot::Sender<Result<Synced, ResponseError>>),
}

enum Reply {
    Join(Result<Joined, Refused>),
    Sync(Result<Synced, ResponseError>),
}

/// What could not be stored must not be told.
fn refuse(effect: &mut Effect) {
    let code = ResponseError::NotCoordinator;
    match effect {
        Effect::Join(_, joined) => {
            if let Ok(Joined { member_id, .. }) = joined {
                *joined = Err(Refused {
                    code,
                    member_id: member_id.clone(),
                });
            }
        }
        Effect::Sync(_, synced) if synced.is_ok() => *synced = Err(code),
        Effect::Save | Effect::Sync(..) => {}
    }
}

impl Cell {
    fn new(id: Arc<str>, slot: Slot) -> Self {
        Cell {
            id,
            state: Mutex::new(slot.group.state()),
            slot: AsyncMutex::new(slot),
        }
    }
}

impl Slot {
    fn new(group: Group) -> Self {
        Slot {
            group,
            waiting: BTreeMap::new(),
            last_token: 0,
            gone: false,
            wake_at_ms: None,
            unsaved: Dirty::default(),
            image: None,
        }
    }

    fn deliver(&mut self, effect: Effect) {
        let (token, reply) = match effect {
            Effect::Save => return,
            Effect::Join(token, joined) => (token, Reply::Join(joined)),
            Effect::Sync(token, synced) => (token, Reply::Sync(synced)),
        };
        // A client that left has dropped its end.
        match (self.waiting.remove(&token), reply) {
            (Some(Waiting::Join(sender)), Reply::Join(joined)) => drop(sender.send(joined)),
            (Some(Waiting::Sync(sender)), Reply::Sync(synced)) => drop(sender.send(synced)),
            _ => tracing::error!(token, "a reply that nobody waits for"),
        }
    }

    fn wait(&mut self, waiting: Waiting) -> Token {
        self.last_token += 1;
        self.waiting.insert(self.last_token, waiting);
        self.last_token
    }
}

/// One change of a group under way.
struct Step<'a> {
    now: Now,
    slot: &'a mut Slot,
    outcome: Outcome,
}

impl Groups {
    /// Every stored group. Members get a whole session from now on.
    pub(crate) async fn load(
        kv: Arc<dyn Kv>,
        durability: Durability,
        clock: Arc<dyn Clock>,
        random: Arc<Random>,
        settings: Settings,
    ) -> Result<Self, StorageError> {
        let inner = Inner {
            kv,
            durability,
            clock,
            random,
            settings,
            groups: Mutex::new(BTreeMap::new()),
            timers: Timers::default(),
        };
        let groups = Groups {
            inner: Arc::new(inner),
        };
        groups.inner.load().await?;
        Ok(groups)
    }

    /// The settings groups are bound by.
    pub(crate) fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// Changes the group `id` by `step`, stores what came of it, and answers whoever waited for that.
    /// A group that is not there is made where `create` says so, and is `missing` otherwise.
    async fn act<R: Send + 'static>(
        &self,
        id: &str,
        create: bool,
        missing: ResponseError,
        step: impl FnOnce(&mut Step<'_>) -> Result<R, ApiError> + Send + 'static,
    ) -> Result<R, ApiError> {
        let inner = self.inner.clone();
        let id: Arc<str> = Arc::from(id);
        let task = tokio::spawn(async move { inner.act(id, create, missing, step).await });
        task.await
            .unwrap_or_else(|_| Err(ResponseError::UnknownServerError.into()))
    }

    /// Looks at the group `id` without changing it. `None`: it is not there.
    async fn look<R>(&self, id: &str, look: impl FnOnce(&Group) -> R) -> Option<R> {
        let cell = self.inner.groups.lock().get(id).cloned()?;
        let slot = cell.slot.lock().await;
        (!slot.gone).then(|| look(&slot.group))
    }

    /// How many there are, by the names of their states.
    pub(crate) fn counts(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for cell in self.inner.groups.lock().values() {
            *counts.entry(*cell.state.lock()).or_default() += 1;
        }
        counts
    }

    /// Ids of every group, sorted.
    pub(crate) fn ids(&self) -> Vec<Arc<str>> {
        self.inner.groups.lock().keys().cloned().collect()
    }
}

impl Inner {
    fn now(&self) -> Now {
        Now {
            elapsed_ms: i64::try_from(self.clock.elapsed().as_millis()).unwrap_or(i64::MAX),
            wall_ms: self.clock.now_ms(),
        }
    }

    fn cell(&self, id: &Arc<str>, create: bool) -> Option<Arc<Cell>> {
        let mut groups = self.groups.lock();
        if let Some(cell) = groups.get(id) {
            return Some(cell.clone());
        }
        if !create {
            return None;
        }
        let group = Group::new(Protocol::Classic(ClassicGroup::new(self.settings.classic)));
        let cell = Arc::new(Cell::new(id.clone(), Slot::new(group)));
        groups.insert(id.clone(), cell.clone());
        Some(cell)
    }

    async fn act<R>(
        &self,
        id: Arc<str>,
        create: bool,
        missing: ResponseError,
        step: impl FnOnce(&mut Step<'_>) -> Result<R, ApiError>,
    ) -> Result<R, ApiError> {
        loop {
            let cell = self.cell(&id, create).ok_or(missing)?;
            let mut slot = cell.slot.lock().await;
            if slot.gone {
                continue;
            }
            let mut taken = Step {
                now: self.now(),
                slot: &mut slot,
                outcome: Outcome {
                    effects: Vec::new(),
                    changes: Vec::new(),
                    delete: false,
                },
            };
            let answer = step(&mut taken);
            self.downgrade(&mut taken);
            let outcome = taken.outcome;
            let settled = self.settle(&cell.id, &mut slot, outcome).await;
            *cell.state.lock() = slot.group.state();
            return settled.and(answer);
        }
    }

    /// Goes on as a classic group where nobody speaks the consumer protocol any more.
    fn downgrade(&self, step: &mut Step<'_>) {
        let slot = &mut *step.slot;
        let Protocol::Consumer(group) = &slot.group.protocol else {
            return;
        };
        if !self.settings.migration.downgrade {
            return;
        }
        let (limits, effects) = (self.settings.classic, &mut step.outcome.effects);
        if let Some(classic) = group.to_classic(step.now, limits, effects, &mut slot.unsaved) {
            slot.group.protocol = Protocol::Classic(classic);
        }
    }
}

#[cfg(test)]
mod tests;
