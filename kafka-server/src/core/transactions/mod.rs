//! The transaction coordinator: one [`Transaction`] per transactional id, moved by `step(now, event) -> effect`.
//!
//! Knows: states, epochs and who is fenced, in both versions of the protocol at once (V1, and V2 of KIP-890).
//! Never: when a change is stored, who waits for it, or how markers reach partitions.
//!
//! Invariant: a change counts only once its effect is stored; until then the transaction is what it was.
//! Invariant: a decision (`PrepareCommit`, `PrepareAbort`) is only left for the completed state of the same kind.

mod end;
mod init;

use crate::wire::ResponseError;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Stands for no producer id.
pub(crate) const NO_PRODUCER_ID: i64 = -1;
/// Stands for no epoch.
pub(crate) const NO_EPOCH: i16 = -1;

/// Where a transactional id stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum State {
    /// Initialized, without a transaction so far.
    Empty,
    /// Partitions or groups were added.
    Ongoing,
    /// To be committed, come what may: markers are being written.
    PrepareCommit,
    /// To be aborted, come what may: markers are being written.
    PrepareAbort,
    /// The last transaction is committed everywhere.
    CompleteCommit,
    /// The last transaction is aborted everywhere.
    CompleteAbort,
}

impl State {
    /// Every state, under the names clients know them by.
    pub(crate) const NAMES: [(&'static str, Option<State>); 8] = [
        ("Empty", Some(State::Empty)),
        ("Ongoing", Some(State::Ongoing)),
        ("PrepareCommit", Some(State::PrepareCommit)),
        ("PrepareAbort", Some(State::PrepareAbort)),
        ("CompleteCommit", Some(State::CompleteCommit)),
        ("CompleteAbort", Some(State::CompleteAbort)),
        // The original passes through these without ever showing them.
        ("Dead", None),
        ("PrepareEpochFence", None),
    ];

    /// The name clients know it by.
    pub(crate) fn name(self) -> &'static str {
        let named = State::NAMES.iter().find(|(_, state)| *state == Some(self));
        named.map_or("", |(name, _)| name)
    }

    /// Whether it is decided but not yet written everywhere.
    pub(crate) fn is_prepared(self) -> bool {
        matches!(self, State::PrepareCommit | State::PrepareAbort)
    }
}

/// Which rules a client follows: in V2 the epoch grows with every transaction, and producing adds the partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Version {
    V1,
    V2,
}

/// Who asks: producer id and epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Producer {
    pub(crate) id: i64,
    pub(crate) epoch: i16,
}

/// What is written to every partition and group of a decided transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marker {
    pub(crate) producer: Producer,
    pub(crate) commit: bool,
}

/// What a transaction touches.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Members {
    /// Partitions by topic.
    pub(crate) partitions: BTreeMap<String, BTreeSet<i32>>,
    /// Groups whose offsets are committed with it.
    pub(crate) groups: BTreeSet<String>,
}

impl Members {
    /// Members of these partitions and no group.
    pub(crate) fn of_partitions<'a>(partitions: impl IntoIterator<Item = (&'a str, i32)>) -> Self {
        let mut members = Members::default();
        for (topic, partition) in partitions {
            members
                .partitions
                .entry(topic.to_owned())
                .or_default()
                .insert(partition);
        }
        members
    }

    /// Members of one group and no partition.
    pub(crate) fn of_group(group: &str) -> Self {
        Members {
            partitions: BTreeMap::new(),
            groups: BTreeSet::from([group.to_owned()]),
        }
    }

    /// Whether `partition` of `topic` is among them.
    pub(crate) fn has(&self, topic: &str, partition: i32) -> bool {
        self.partitions
            .get(topic)
            .is_some_and(|known| known.contains(&partition))
    }

    fn contains(&self, other: &Members) -> bool {
        let partitions = |(topic, added): (&String, &BTreeSet<i32>)| {
            self.partitions
                .get(topic)
                .is_some_and(|known| added.is_subset(known))
        };
        other.groups.is_subset(&self.groups) && other.partitions.iter().all(partitions)
    }

    fn extend(&mut self, other: &Members) {
        self.groups.extend(other.groups.iter().cloned());
        for (topic, added) in &other.partitions {
            self.partitions.entry(topic.clone()).or_default().extend(added);
        }
    }
}

/// What is known of one transactional id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Transaction {
    /// The id markers and batches carry.
    pub(crate) producer_id: i64,
    /// The producer id before the last change, which tells a retry after a change of ids.
    pub(crate) previous_producer_id: i64,
    /// The producer id to go on with once this transaction is complete, where its epochs are used up.
    pub(crate) next_producer_id: i64,
    /// The newest epoch; older ones are fenced.
    pub(crate) epoch: i16,
    /// The epoch before the last bump its producer asked for, which tells a retry.
    pub(crate) last_epoch: i16,
    /// How long a transaction may last.
    pub(crate) timeout_ms: i32,
    pub(crate) state: State,
    /// The rules of whoever changed it last.
    pub(crate) version: Version,
    pub(crate) members: Members,
    /// When the transaction began; -1 where there was none yet.
    pub(crate) start_ms: i64,
    /// When it changed last.
    pub(crate) updated_ms: i64,
}

/// What happens to a transactional id.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Event<'a> {
    /// A producer starts, or goes on after an error (then it says who it was).
    Init {
        expected: Option<Producer>,
        timeout_ms: i32,
    },
    /// A producer is about to write to these.
    Add {
        producer: Producer,
        members: &'a Members,
        version: Version,
    },
    /// A producer commits or aborts.
    End {
        producer: Producer,
        commit: bool,
        version: Version,
    },
    /// It took too long: abort, and fence its producer.
    TimeOut,
    /// Every marker of the decided transaction is written.
    Complete,
}

/// What is to be done about an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It is as asked already.
    Nothing,
    /// Store this, then answer. If it is prepared, its markers are to be written next.
    Store(Box<Transaction>),
    /// Store this abort of what was going on, write its markers, and only then is the event's turn.
    AbortFirst(Box<Transaction>),
}

impl Event<'_> {
    /// Whether it may take an unused producer id.
    pub(crate) fn may_take_producer_id(&self) -> bool {
        !matches!(self, Event::Add { .. } | Event::Complete)
    }
}

impl Transaction {
    /// A transactional id nobody used before. It has no epoch until it is initialized.
    pub(crate) fn new(producer_id: i64, timeout_ms: i32) -> Self {
        Transaction {
            producer_id,
            previous_producer_id: NO_PRODUCER_ID,
            next_producer_id: NO_PRODUCER_ID,
            epoch: NO_EPOCH,
            last_epoch: NO_EPOCH,
            timeout_ms,
            state: State::Empty,
            version: Version::V1,
            members: Members::default(),
            start_ms: -1,
            updated_ms: -1,
        }
    }

    /// Moves on. `fresh` is an unused producer id; it is there at least where [`Self::epoch_exhausted`].
    pub(crate) fn step(
        &self,
        now_ms: i64,
        event: &Event<'_>,
        fresh: Option<i64>,
    ) -> Result<Effect, ResponseError> {
        match *event {
            Event::Init { expected, timeout_ms } => self.init(now_ms, expected, timeout_ms, fresh),
            Event::Add {
                producer,
                members,
                version,
            } => self.add(now_ms, producer, members, version),
            Event::End {
                producer,
                commit,
                version: Version::V1,
            } => self.end_v1(now_ms, producer, commit),
            Event::End {
                producer,
                commit,
                version: Version::V2,
            } => self.end_v2(now_ms, producer, commit, fresh),
            Event::TimeOut if self.timed_out(now_ms) => Ok(Effect::Store(self.fenced(now_ms, fresh)?)),
            Event::Complete if self.state.is_prepared() => Ok(Effect::Store(self.completed(now_ms))),
            Event::TimeOut | Event::Complete => Ok(Effect::Nothing),
        }
    }

    /// Whether this producer's batch for a partition belongs to the transaction going on.
    pub(crate) fn verify(
        &self,
        producer: Producer,
        topic: &str,
        partition: i32,
    ) -> Result<(), ResponseError> {
        self.verify_member(producer, self.members.has(topic, partition))
    }

    /// Whether this producer's offsets for a group belong to the transaction going on.
    pub(crate) fn verify_group(&self, producer: Producer, group: &str) -> Result<(), ResponseError> {
        self.verify_member(producer, self.members.groups.contains(group))
    }

    fn verify_member(&self, producer: Producer, is_member: bool) -> Result<(), ResponseError> {
        self.admit(producer)?;
        if self.state.is_prepared() {
            Err(ResponseError::ConcurrentTransactions)
        } else if is_member {
            Ok(())
        } else {
            Err(ResponseError::TransactionAbortable)
        }
    }

    /// The newest producer.
    pub(crate) fn producer(&self) -> Producer {
        Producer {
            id: self.producer_id,
            epoch: self.epoch,
        }
    }

    /// What to write to its members, while it is decided.
    pub(crate) fn marker(&self) -> Option<Marker> {
        self.state.is_prepared().then_some(Marker {
            producer: self.producer(),
            commit: self.state == State::PrepareCommit,
        })
    }

    /// Whether the last epoch a client may have is in use. The one above it is kept for fencing that client.
    pub(crate) fn epoch_exhausted(&self) -> bool {
        exhausted(self.epoch)
    }

    /// Whether a transaction is going on for longer than its producer allowed.
    pub(crate) fn timed_out(&self, now_ms: i64) -> bool {
        self.state == State::Ongoing && self.start_ms.saturating_add(i64::from(self.timeout_ms)) < now_ms
    }

    /// Whether it was left alone for so long that it is forgotten.
    pub(crate) fn expired(&self, now_ms: i64, expiration_ms: i64) -> bool {
        let idle = matches!(
            self.state,
            State::Empty | State::CompleteCommit | State::CompleteAbort
        );
        idle && self.updated_ms.saturating_add(expiration_ms) <= now_ms
    }

    fn admit(&self, producer: Producer) -> Result<(), ResponseError> {
        if producer.id != self.producer_id {
            Err(ResponseError::InvalidProducerIdMapping)
        } else if producer.epoch != self.epoch {
            Err(ResponseError::ProducerFenced)
        } else {
            Ok(())
        }
    }

    fn add(
        &self,
        now_ms: i64,
        producer: Producer,
        members: &Members,
        version: Version,
    ) -> Result<Effect, ResponseError> {
        self.admit(producer)?;
        match self.state {
            State::PrepareCommit | State::PrepareAbort => Err(ResponseError::ConcurrentTransactions),
            State::Ongoing if self.members.contains(members) => Ok(Effect::Nothing),
            State::Empty | State::Ongoing | State::CompleteCommit | State::CompleteAbort => {
                let mut next = self.changed(State::Ongoing, now_ms);
                if self.state != State::Ongoing {
                    next.start_ms = now_ms;
                }
                next.version = version;
                next.members.extend(members);
                Ok(Effect::Store(next))
            }
        }
    }

    fn changed(&self, state: State, now_ms: i64) -> Box<Self> {
        let mut next = Box::new(self.clone());
        next.previous_producer_id = self.producer_id;
        next.state = state;
        next.updated_ms = now_ms;
        next
    }
}

fn exhausted(epoch: i16) -> bool {
    epoch >= i16::MAX - 1
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
