//! What a partition remembers of its producers: epochs, the last sequences, open and aborted transactions.
//!
//! Knows: the rules by which batches of idempotent and transactional producers are taken, known again or refused.
//! Never: bytes, storage, time but as an argument.

mod transactions;

pub(crate) use transactions::{Aborted, Transactions};

use std::collections::{HashMap, VecDeque};

/// Batches of a producer that are known again when they come twice.
const BATCHES_REMEMBERED: usize = 5;
/// The epoch of a producer of which nothing is known.
const NO_EPOCH: i16 = -1;
/// The sequence of nothing.
const NO_SEQUENCE: i32 = -1;

/// A batch of a producer with an id, as its header tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Incoming {
    pub(crate) producer_id: i64,
    pub(crate) epoch: i16,
    pub(crate) first_sequence: i32,
    pub(crate) last_sequence: i32,
    /// The greatest timestamp, in ms since 1970.
    pub(crate) timestamp_ms: i64,
    pub(crate) transactional: bool,
    /// Of a transaction of version 2 (KIP-890), whose producer begins at sequence 0 wherever it is not known.
    pub(crate) from_start: bool,
}

/// The end of a transaction, as its marker tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EndMarker {
    pub(crate) producer_id: i64,
    pub(crate) epoch: i16,
    pub(crate) coordinator_epoch: i32,
    pub(crate) commit: bool,
    pub(crate) timestamp_ms: i64,
}

/// A batch that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) first_sequence: i32,
    pub(crate) last_sequence: i32,
    pub(crate) first_offset: u64,
    pub(crate) last_offset: u64,
    pub(crate) timestamp_ms: i64,
}

/// What is known of one producer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Producer {
    pub(crate) epoch: i16,
    /// The last batches of that epoch, oldest first.
    pub(crate) batches: VecDeque<Taken>,
    /// Of the coordinator that last ended a transaction; -1 for none.
    pub(crate) coordinator_epoch: i32,
    /// When it last wrote, in ms since 1970.
    pub(crate) timestamp_ms: i64,
    /// Where its open transaction begins.
    pub(crate) transaction_first: Option<u64>,
}

impl Producer {
    fn new(epoch: i16, timestamp_ms: i64) -> Self {
        Producer {
            epoch,
            batches: VecDeque::new(),
            coordinator_epoch: -1,
            timestamp_ms,
            transaction_first: None,
        }
    }

    /// The last sequence taken; -1 for none.
    pub(crate) fn last_sequence(&self) -> i32 {
        self.batches
            .back()
            .map_or(NO_SEQUENCE, |batch| batch.last_sequence)
    }
}

/// What becomes of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is appended.
    New,
    /// It was taken before, here.
    Duplicate(Taken),
}

/// Why a batch or a marker is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// A newer instance of the producer has written.
    #[error("epoch {epoch} of producer {producer_id} is smaller than the last seen epoch {current}")]
    Epoch {
        producer_id: i64,
        epoch: i16,
        current: i16,
    },
    /// A batch before it is missing, or it is too old to be known again.
    #[error(
        "out of order sequence number for producer {producer_id}: {sequence} (incoming seq. number), \
         {current} (current end sequence number)"
    )]
    Sequence {
        producer_id: i64,
        sequence: i32,
        current: i32,
    },
    /// The first batch of a new epoch does not begin at 0.
    #[error(
        "invalid sequence number for new epoch of producer {producer_id}: {epoch} (request epoch), \
         {sequence} (seq. number), {current} (current producer epoch)"
    )]
    NewEpochSequence {
        producer_id: i64,
        epoch: i16,
        sequence: i32,
        current: i16,
    },
    /// A plain batch within a transaction.
    #[error("expected transactional write from producer {producer_id}")]
    NotTransactional { producer_id: i64 },
    /// A newer coordinator has ended a transaction.
    #[error("invalid coordinator epoch for producer {producer_id}: {epoch} (zombie), {current} (current)")]
    Coordinator {
        producer_id: i64,
        epoch: i32,
        current: i32,
    },
}

/// The producers of one partition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Producers {
    by_id: HashMap<i64, Producer, foldhash::fast::FixedState>,
    transactions: Transactions,
}

impl Producers {
    /// Everyone known, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (i64, &Producer)> {
        self.by_id.iter().map(|(id, producer)| (*id, producer))
    }

    /// Open and aborted transactions.
    pub(crate) fn transactions(&self) -> &Transactions {
        &self.transactions
    }

    /// Puts back what a snapshot kept of a producer.
    pub(crate) fn restore(&mut self, producer_id: i64, producer: Producer) {
        if let Some(first) = producer.transaction_first {
            self.transactions.begin(first, producer_id);
        }
        self.by_id.insert(producer_id, producer);
    }

    /// Puts back an aborted transaction that a snapshot kept. Oldest first.
    pub(crate) fn restore_aborted(&mut self, aborted: Aborted) {
        self.transactions.restore(aborted);
    }

    /// Whether `producer_id` has a transaction open here under `epoch`.
    pub(crate) fn in_transaction(&self, producer_id: i64, epoch: i16) -> bool {
        self.by_id
            .get(&producer_id)
            .is_some_and(|known| known.transaction_first.is_some() && known.epoch == epoch)
    }

    /// What becomes of a client's batch. Changes nothing.
    pub(crate) fn check(&self, batch: &Incoming) -> Result<Verdict, Refused> {
        let Some(known) = self.by_id.get(&batch.producer_id) else {
            // Nothing of such a producer can have expired: an earlier batch got lost.
            return match batch.from_start && batch.first_sequence != 0 {
                true => Err(Refused::Sequence {
                    producer_id: batch.producer_id,
                    sequence: batch.first_sequence,
                    current: NO_SEQUENCE,
                }),
                false => Ok(Verdict::New),
            };
        };
        if batch.epoch == known.epoch {
            let same = |taken: &&Taken| {
                (taken.first_sequence, taken.last_sequence) == (batch.first_sequence, batch.last_sequence)
            };
            if let Some(taken) = known.batches.iter().find(same) {
                return Ok(Verdict::Duplicate(*taken));
            }
        }
        check_epoch(batch.producer_id, batch.epoch, known.epoch)?;
        check_sequence(batch, known)?;
        if known.transaction_first.is_some() && !batch.transactional {
            return Err(Refused::NotTransactional {
                producer_id: batch.producer_id,
            });
        }
        Ok(Verdict::New)
    }

    /// Takes a batch that lies at `first..=last`, checked or read back from the log.
    pub(crate) fn take(&mut self, batch: &Incoming, first: u64, last: u64) {
        let known = self
            .by_id
            .entry(batch.producer_id)
            .or_insert_with(|| Producer::new(batch.epoch, batch.timestamp_ms));
        if known.epoch != batch.epoch {
            known.epoch = batch.epoch;
            known.batches.clear();
        }
        if known.batches.len() == BATCHES_REMEMBERED {
            known.batches.pop_front();
        }
        known.batches.push_back(Taken {
            first_sequence: batch.first_sequence,
            last_sequence: batch.last_sequence,
            first_offset: first,
            last_offset: last,
            timestamp_ms: batch.timestamp_ms,
        });
        known.timestamp_ms = batch.timestamp_ms;
        if batch.transactional && known.transaction_first.is_none() {
            known.transaction_first = Some(first);
            self.transactions.begin(first, batch.producer_id);
        }
    }

    /// Whether a coordinator may write `marker`.
    pub(crate) fn check_marker(&self, marker: &EndMarker) -> Result<(), Refused> {
        let Some(known) = self.by_id.get(&marker.producer_id) else {
            return Ok(());
        };
        check_epoch(marker.producer_id, marker.epoch, known.epoch)?;
        if known.coordinator_epoch > marker.coordinator_epoch {
            return Err(Refused::Coordinator {
                producer_id: marker.producer_id,
                epoch: marker.coordinator_epoch,
                current: known.coordinator_epoch,
            });
        }
        Ok(())
    }

    /// Takes a marker that lies at `offset`, checked or read back from the log.
    pub(crate) fn take_marker(&mut self, marker: &EndMarker, offset: u64) {
        let known = self
            .by_id
            .entry(marker.producer_id)
            .or_insert_with(|| Producer::new(marker.epoch, marker.timestamp_ms));
        if known.epoch != marker.epoch {
            known.epoch = marker.epoch;
            known.batches.clear();
        }
        known.coordinator_epoch = known.coordinator_epoch.max(marker.coordinator_epoch);
        known.timestamp_ms = marker.timestamp_ms;
        if let Some(first) = known.transaction_first.take() {
            self.transactions
                .end(first, offset, marker.producer_id, marker.commit);
        }
    }

    /// The first offset that read_committed consumers may not see yet, where everything below `durable_end` is durable.
    pub(crate) fn last_stable(&mut self, durable_end: u64) -> u64 {
        self.transactions.last_stable(durable_end)
    }

    /// Forgets producers that wrote nothing for `idle_ms` and have no transaction open.
    pub(crate) fn expire(&mut self, now_ms: i64, idle_ms: i64) {
        self.by_id.retain(|_, known| {
            known.transaction_first.is_some() || now_ms.saturating_sub(known.timestamp_ms) < idle_ms
        });
    }

    /// Forgets what lies below the log's `start`.
    pub(crate) fn trim(&mut self, start: u64) {
        self.transactions.trim(start);
    }
}

fn check_epoch(producer_id: i64, epoch: i16, current: i16) -> Result<(), Refused> {
    if epoch < current {
        return Err(Refused::Epoch {
            producer_id,
            epoch,
            current,
        });
    }
    Ok(())
}

fn check_sequence(batch: &Incoming, known: &Producer) -> Result<(), Refused> {
    let (producer_id, sequence) = (batch.producer_id, batch.first_sequence);
    if batch.epoch != known.epoch {
        if sequence != 0 && known.epoch != NO_EPOCH {
            return Err(Refused::NewEpochSequence {
                producer_id,
                epoch: batch.epoch,
                sequence,
                current: known.epoch,
            });
        }
        return Ok(());
    }
    let current = known.last_sequence();
    let follows = i64::from(sequence) == i64::from(current) + 1 || (sequence == 0 && current == i32::MAX);
    if known.epoch != NO_EPOCH && !follows {
        return Err(Refused::Sequence {
            producer_id,
            sequence,
            current,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
