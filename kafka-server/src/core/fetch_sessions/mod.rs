//! Fetch sessions (KIP-227): what a consumer reads is said once, and then only what changes.
//!
//! Knows: session ids and epochs, who may have a session when there are too many.
//! Never: partitions, what is read from them.

use std::collections::HashMap;

/// No session.
pub(crate) const NO_SESSION: i32 = 0;
/// The epoch that asks for a new session.
pub(crate) const EPOCH_INITIAL: i32 = 0;
/// The epoch that asks for no session, and ends the one there is.
pub(crate) const EPOCH_FINAL: i32 = -1;
/// Partitions that all sessions hold together: the slots alone would leave it to clients how much memory those take.
pub(crate) const PARTITIONS_MAX: usize = 500_000;
/// How long a session is safe from being evicted.
const EVICTION_MS: i64 = 120_000;

/// What a request wants of sessions.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wish<S> {
    /// All that is read is in the request, and a session may be opened for it.
    Full,
    /// All that is read is in the request.
    Sessionless,
    /// The request tells what changed.
    Incremental(S),
    /// There is no such session (any more).
    Unknown,
    /// Requests of the session were lost or came twice.
    WrongEpoch,
}

/// The sessions of a broker; `S` is what they hold.
#[derive(Debug)]
pub(crate) struct FetchSessions<S> {
    slots_max: usize,
    partitions_max: usize,
    /// What the sessions hold together.
    partitions: usize,
    sessions: HashMap<i32, Slot<S>>,
}

#[derive(Debug)]
struct Slot<S> {
    held: S,
    /// The epoch of the next request.
    epoch: i32,
    /// Partitions: larger sessions are dearer to lose.
    size: usize,
    created_ms: i64,
    used_ms: i64,
}

impl<S: Clone> FetchSessions<S> {
    pub(crate) fn new(slots_max: usize, partitions_max: usize) -> Self {
        FetchSessions {
            slots_max,
            partitions_max,
            partitions: 0,
            sessions: HashMap::new(),
        }
    }

    /// What the request with that session id and epoch wants. Moves the session to its next epoch.
    pub(crate) fn find(&mut self, id: i32, epoch: i32, now_ms: i64) -> Wish<S> {
        if epoch == EPOCH_INITIAL || epoch == EPOCH_FINAL {
            self.remove(id);
            return match epoch {
                EPOCH_FINAL => Wish::Sessionless,
                _ => Wish::Full,
            };
        }
        let Some(slot) = self.sessions.get_mut(&id) else {
            return Wish::Unknown;
        };
        if slot.epoch != epoch {
            return Wish::WrongEpoch;
        }
        slot.epoch = next_epoch(epoch);
        slot.used_ms = now_ms;
        Wish::Incremental(slot.held.clone())
    }

    /// Opens a session of `size` partitions, if there is room or can be made; answers its id, or [`NO_SESSION`].
    /// `chance` gives random numbers, from which the id is made.
    pub(crate) fn open(&mut self, held: S, size: usize, now_ms: i64, mut chance: impl FnMut() -> u64) -> i32 {
        if size == 0 || size > self.partitions_max {
            return NO_SESSION;
        }
        while self.sessions.len() >= self.slots_max || self.partitions + size > self.partitions_max {
            if !self.evict(size, now_ms) {
                return NO_SESSION;
            }
        }
        let id = loop {
            let id = i32::try_from(chance() & 0x7fff_ffff).unwrap_or(i32::MAX);
            if id != NO_SESSION && !self.sessions.contains_key(&id) {
                break id;
            }
        };
        let slot = Slot {
            held,
            epoch: next_epoch(EPOCH_INITIAL),
            size,
            created_ms: now_ms,
            used_ms: now_ms,
        };
        self.sessions.insert(id, slot);
        self.partitions += size;
        id
    }

    /// Tells how many partitions a session has now. Whether it goes on: one of none is closed, as is one that grows
    /// beyond what there is room for.
    pub(crate) fn resize(&mut self, id: i32, size: usize) -> bool {
        let Some(slot) = self.sessions.get_mut(&id) else {
            return false;
        };
        let others = self.partitions - slot.size;
        self.partitions = others + size;
        let grows = size > slot.size;
        slot.size = size;
        if size == 0 || (grows && self.partitions > self.partitions_max) {
            self.remove(id);
            return false;
        }
        true
    }

    fn remove(&mut self, id: i32) -> bool {
        let removed = self.sessions.remove(&id);
        self.partitions -= removed.as_ref().map_or(0, |slot| slot.size);
        removed.is_some()
    }

    /// Makes room for a session of `size` partitions: of one that is idle, or else of an old smaller one.
    fn evict(&mut self, size: usize, now_ms: i64) -> bool {
        let idle = self.sessions.iter().min_by_key(|(_, slot)| slot.used_ms);
        let idle = idle.filter(|(_, slot)| now_ms.saturating_sub(slot.used_ms) > EVICTION_MS);
        let smaller = || {
            let old = |slot: &Slot<S>| now_ms.saturating_sub(slot.created_ms) > EVICTION_MS;
            let smaller = self
                .sessions
                .iter()
                .filter(|(_, slot)| old(slot) && slot.size < size);
            smaller.min_by_key(|(_, slot)| slot.size)
        };
        let Some(id) = idle.or_else(smaller).map(|(id, _)| *id) else {
            return false;
        };
        self.remove(id)
    }
}

fn next_epoch(epoch: i32) -> i32 {
    if epoch == i32::MAX { 1 } else { epoch + 1 }
}

#[cfg(test)]
mod tests;
