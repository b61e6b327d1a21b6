//! Committed offsets of one group, and those that wait for the end of a transaction.

use super::Now;
use std::{collections::BTreeMap, sync::Arc};

/// How far a group has read a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Committed {
    pub(crate) offset: i64,
    pub(crate) leader_epoch: i32,
    /// The client's own note.
    pub(crate) metadata: Arc<str>,
    /// In ms since 1970.
    pub(crate) committed_at_ms: i64,
    /// Set by old clients that choose their own retention, in ms since 1970.
    pub(crate) expires_at_ms: Option<i64>,
}

/// An offset of a transaction that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pending {
    pub(crate) producer_epoch: i16,
    pub(crate) committed: Committed,
}

/// A partition of a topic.
pub(crate) type Place = (Arc<str>, i32);

/// One change of a group's offsets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// An offset is committed.
    Commit(Place, Committed),
    /// An offset is forgotten.
    Remove(Place),
    /// A producer's transaction holds an offset.
    Hold(i64, Place, Pending),
    /// A producer's transaction does no more.
    Release(i64, Place),
}

/// When offsets of a topic that nobody subscribes to are given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expiry {
    /// Not now: members use them.
    Never,
    /// After the retention since the commit.
    SinceCommit,
    /// After the retention since this moment, in ms since 1970: when the group lost its last member.
    Since(i64),
}

/// Everything a group has committed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Offsets {
    topics: BTreeMap<Arc<str>, BTreeMap<i32, Committed>>,
    /// By producer id.
    pending: BTreeMap<i64, BTreeMap<Place, Pending>>,
}

impl Offsets {
    /// Nothing is committed, nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.topics.is_empty() && self.pending.is_empty()
    }

    pub(crate) fn get(&self, topic: &str, partition: i32) -> Option<&Committed> {
        self.topics.get(topic)?.get(&partition)
    }

    /// By topic and partition.
    pub(crate) fn topics(&self) -> impl Iterator<Item = (&Arc<str>, &BTreeMap<i32, Committed>)> {
        self.topics.iter()
    }

    /// Makes a change that is stored.
    pub(crate) fn apply(&mut self, change: Change) {
        match change {
            Change::Commit(place, committed) => self.commit(place, committed),
            Change::Remove((topic, partition)) => self.remove(&topic, partition),
            Change::Hold(producer_id, place, pending) => self.hold(producer_id, place, pending),
            Change::Release(producer_id, place) => self.release(producer_id, &place),
        }
    }

    /// Takes over a committed offset.
    pub(crate) fn commit(&mut self, (topic, partition): Place, committed: Committed) {
        self.topics.entry(topic).or_default().insert(partition, committed);
    }

    fn remove(&mut self, topic: &str, partition: i32) {
        if let Some(partitions) = self.topics.get_mut(topic) {
            partitions.remove(&partition);
            if partitions.is_empty() {
                self.topics.remove(topic);
            }
        }
    }

    /// Every place with a committed offset.
    pub(crate) fn places(&self) -> Vec<Place> {
        let of = |(topic, partitions): (&Arc<str>, &BTreeMap<i32, Committed>)| -> Vec<Place> {
            partitions
                .keys()
                .map(|partition| (topic.clone(), *partition))
                .collect()
        };
        self.topics.iter().flat_map(of).collect()
    }

    /// Keeps an offset until its producer's transaction ends.
    pub(crate) fn hold(&mut self, producer_id: i64, place: Place, pending: Pending) {
        self.pending
            .entry(producer_id)
            .or_default()
            .insert(place, pending);
    }

    /// Offsets that `producer_id`'s transaction holds.
    pub(crate) fn held(&self, producer_id: i64) -> impl Iterator<Item = (&Place, &Pending)> {
        self.pending.get(&producer_id).into_iter().flatten()
    }

    /// Every offset that waits for a transaction: `(producer, place)`.
    pub(crate) fn all_held(&self) -> Vec<(i64, Place)> {
        let of = |(producer, places): (&i64, &BTreeMap<Place, Pending>)| -> Vec<(i64, Place)> {
            places.keys().map(|place| (*producer, place.clone())).collect()
        };
        self.pending.iter().flat_map(of).collect()
    }

    fn release(&mut self, producer_id: i64, place: &Place) {
        if let Some(places) = self.pending.get_mut(&producer_id) {
            places.remove(place);
            if places.is_empty() {
                self.pending.remove(&producer_id);
            }
        }
    }

    /// Whether a transaction may still change the offset of this partition.
    pub(crate) fn is_unstable(&self, topic: &str, partition: i32) -> bool {
        let mut held = self.pending.values().flat_map(BTreeMap::keys);
        held.any(|(name, index)| &**name == topic && *index == partition)
    }

    /// Places whose time is up. `subscribed` topics are in use.
    pub(crate) fn expired(
        &self,
        now: Now,
        retention_ms: i64,
        expiry: Expiry,
        subscribed: &dyn Fn(&str) -> bool,
    ) -> Vec<Place> {
        let is_due = |committed: &Committed| {
            let since = match expiry {
                Expiry::Never => return false,
                Expiry::SinceCommit => committed.committed_at_ms,
                Expiry::Since(at_ms) => at_ms,
            };
            match committed.expires_at_ms {
                Some(at_ms) => now.wall_ms >= at_ms,
                None => now.wall_ms - since >= retention_ms,
            }
        };
        let mut places = Vec::new();
        for (topic, partitions) in self.topics.iter().filter(|(topic, _)| !subscribed(topic)) {
            for (partition, committed) in partitions {
                if is_due(committed) && !self.is_unstable(topic, *partition) {
                    places.push((topic.clone(), *partition));
                }
            }
        }
        places
    }
}
