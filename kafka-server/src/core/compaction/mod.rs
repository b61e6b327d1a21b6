//! What compaction keeps: of each key the latest record, of deletions a reminder for a while, of transactions no more
//! than is needed, of each producer its last sequence.
//!
//! Knows: which batches and records stay. Never: their bytes, where they lie, time but as an argument.

mod transactions;

pub(crate) use transactions::CleanedTransactions;

use std::collections::HashMap;

/// A key, as two independent hashes of it: there is no room for keys themselves.
pub(crate) type KeyHash = (u64, u64);

/// The latest offset of each key in a stretch of the log.
#[derive(Debug, Default)]
pub(crate) struct KeyMap {
    latest: HashMap<KeyHash, u64, foldhash::fast::FixedState>,
    keys_max: usize,
    /// Everything below was looked at.
    end: u64,
}

impl KeyMap {
    /// A map of `keys_max` keys at the most.
    pub(crate) fn new(keys_max: usize) -> Self {
        KeyMap {
            keys_max,
            ..KeyMap::default()
        }
    }

    /// Whether a batch of `records` more may not fit. Never so while the map is empty: there must be progress.
    pub(crate) fn is_full_for(&self, records: usize) -> bool {
        !self.latest.is_empty() && self.latest.len() + records > self.keys_max
    }

    /// Notes a record. Offsets ascend.
    pub(crate) fn note(&mut self, key: KeyHash, offset: u64) {
        self.latest.insert(key, offset);
    }

    /// Notes that everything below `end` was looked at.
    pub(crate) fn note_end(&mut self, end: u64) {
        self.end = end;
    }

    pub(crate) fn end(&self) -> u64 {
        self.end
    }
}

/// A batch, as its header and, for a marker, its record tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BatchFacts {
    pub(crate) last: u64,
    /// `None` where the producer has no id.
    pub(crate) producer: Option<(i64, i16)>,
    pub(crate) transactional: bool,
    /// For a marker: whether it commits.
    pub(crate) commits: Option<bool>,
    /// From when on its tombstones or its marker may go.
    pub(crate) horizon_ms: Option<i64>,
}

/// The last that an active producer left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LastOf {
    /// A batch of records that ends at that offset.
    Data(u64),
    /// Nothing but a marker of that epoch.
    Marker(i16),
}

/// What becomes of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Fate {
    /// None of its records stays.
    pub(crate) discard: bool,
    /// It stays without records, too: it holds its producer's last sequence.
    pub(crate) keep_empty: bool,
    /// It is the marker of a transaction of which nothing is left.
    marker_of_nothing: bool,
}

/// One pass over a log that is compacted.
#[derive(Debug)]
pub(crate) struct Cleaning<'a> {
    pub(crate) keys: &'a KeyMap,
    pub(crate) transactions: CleanedTransactions,
    /// By producer id.
    pub(crate) last_of: &'a HashMap<i64, LastOf>,
    pub(crate) now_ms: i64,
    pub(crate) delete_retention_ms: i64,
}

impl Cleaning<'_> {
    /// What becomes of the next batch. Batches come in the log's order.
    pub(crate) fn batch(&mut self, batch: &BatchFacts) -> Fate {
        let is_last = batch
            .producer
            .is_some_and(|(id, epoch)| match self.last_of.get(&id) {
                Some(LastOf::Data(last)) => batch.last == *last,
                Some(LastOf::Marker(of)) => batch.commits.is_some() && *of == epoch,
                None => false,
            });
        let needless = self.transactions.is_needless(batch);
        let expired = batch.horizon_ms.is_some_and(|at| at <= self.now_ms);
        Fate {
            discard: needless && (batch.commits.is_none() || expired),
            keep_empty: is_last,
            marker_of_nothing: needless && batch.commits.is_some(),
        }
    }

    /// Whether a record of a batch of that fate stays.
    pub(crate) fn keeps(
        &self,
        batch: &BatchFacts,
        fate: Fate,
        offset: u64,
        key: Option<KeyHash>,
        is_tombstone: bool,
    ) -> bool {
        if fate.discard {
            return false;
        }
        if batch.commits.is_some() || offset >= self.keys.end {
            return true;
        }
        let Some(key) = key else { return false };
        let latest = self.keys.latest.get(&key).is_none_or(|latest| offset >= *latest);
        let reminded = batch.horizon_ms.is_some_and(|at| at <= self.now_ms);
        latest && !(is_tombstone && reminded)
    }

    /// The horizon that a kept batch gets now, where it needs one and has none.
    pub(crate) fn horizon(&self, batch: &BatchFacts, fate: Fate, keeps_tombstones: bool) -> Option<i64> {
        let needed = (keeps_tombstones && batch.last < self.keys.end) || fate.marker_of_nothing;
        (needed && batch.horizon_ms.is_none()).then(|| self.now_ms.saturating_add(self.delete_retention_ms))
    }
}

/// What compaction is asked to do, and when.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Asked {
    pub(crate) lag_min_ms: i64,
    pub(crate) lag_max_ms: i64,
    pub(crate) dirty_ratio_min: f64,
}

/// A closed run of batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) first: u64,
    pub(crate) end: u64,
    pub(crate) bytes: u64,
    pub(crate) timestamp_max_ms: i64,
}

/// The stretch `first_dirty..end` that is due for compaction, of `segments` of which everything below `cleaned` was
/// compacted before; nothing at or above `stable` is touched.
pub(crate) fn due(
    segments: &[Segment],
    cleaned: u64,
    stable: u64,
    now_ms: i64,
    asked: &Asked,
) -> Option<std::ops::Range<u64>> {
    let young = |segment: &Segment| {
        asked.lag_min_ms > 0 && now_ms.saturating_sub(segment.timestamp_max_ms) < asked.lag_min_ms
    };
    let ready = segments
        .iter()
        .take_while(|segment| segment.end <= stable && !young(segment));
    let (mut clean, mut dirty, mut end, mut oldest) = (0u64, 0u64, cleaned, i64::MAX);
    for segment in ready {
        if segment.end <= cleaned {
            clean += segment.bytes;
        } else {
            dirty += segment.bytes;
            oldest = oldest.min(segment.timestamp_max_ms);
            end = segment.end;
        }
    }
    if dirty == 0 {
        return None;
    }
    let overdue = now_ms.saturating_sub(oldest) > asked.lag_max_ms;
    let ratio = dirty as f64 / (clean + dirty) as f64;
    (overdue || ratio > asked.dirty_ratio_min).then_some(cleaned..end)
}

#[cfg(test)]
mod tests;
