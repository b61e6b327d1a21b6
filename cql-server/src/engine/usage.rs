//! What is asked of each table, and how long it takes. Counting takes no lock and, but for the first time, no memory.

use super::Engine;
use crate::{
    core::schema::{
        Schema, Table,
        system::{self, Batches, Measured, Summary},
    },
    statements::batch::BatchKind,
};
use arc_swap::ArcSwap;
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

/// Each power of two is told apart in so many steps.
const STEPS: u64 = 4;
/// Beyond 2^40 everything is the same.
const BUCKETS: usize = 40 * STEPS as usize;
/// What is told of a second is the mean of the last whole minute.
const MINUTE_S: u64 = 60;

/// What was done with a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    /// Partitions were read by their keys.
    Read,
    /// Others were.
    Scan,
    Write,
}

/// Values and how often they came.
#[derive(Debug)]
struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    max: AtomicU64,
    /// The minute that is counted, and how many came in it.
    minute: AtomicU64,
    in_minute: AtomicU64,
    in_last: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram {
            buckets: std::array::from_fn(|_| AtomicU64::new(0)),
            max: AtomicU64::default(),
            minute: AtomicU64::default(),
            in_minute: AtomicU64::default(),
            in_last: AtomicU64::default(),
        }
    }
}

/// Below two steps' worth each value has a bucket of its own.
fn bucket(value: u64) -> usize {
    let power = u64::from(value.max(1).ilog2());
    let at = match power.checked_sub(2) {
        None => value,
        Some(shift) => (power - 1) * STEPS + ((value >> shift) & (STEPS - 1)),
    };
    usize::try_from(at).map_or(BUCKETS - 1, |at| at.min(BUCKETS - 1))
}

/// The largest value of a bucket.
fn bound(bucket: usize) -> u64 {
    let (power, step) = (bucket as u64 / STEPS, bucket as u64 % STEPS);
    match power.checked_sub(1) {
        None => step,
        Some(shift) => ((STEPS + step + 1) << shift) - 1,
    }
}

impl Histogram {
    fn add(&self, value: u64, now: Duration) {
        self.buckets[bucket(value)].fetch_add(1, Relaxed);
        if self.max.load(Relaxed) < value {
            self.max.fetch_max(value, Relaxed);
        }
        self.turn(now.as_secs() / MINUTE_S);
        self.in_minute.fetch_add(1, Relaxed);
    }

    /// Begins another minute, if it is one.
    fn turn(&self, minute: u64) {
        let counted = self.minute.load(Relaxed);
        if counted != minute
            && self
                .minute
                .compare_exchange(counted, minute, Relaxed, Relaxed)
                .is_ok()
        {
            let before = self.in_minute.swap(0, Relaxed);
            self.in_last
                .store(if counted + 1 == minute { before } else { 0 }, Relaxed);
        }
    }

    fn summary(&self, now: Duration) -> Summary {
        self.turn(now.as_secs() / MINUTE_S);
        let counts: Vec<u64> = self.buckets.iter().map(|count| count.load(Relaxed)).collect();
        let count: u64 = counts.iter().sum();
        let max = self.max.load(Relaxed);
        let share = |share: f64| {
            let wanted = (count as f64 * share).ceil() as u64;
            let mut seen = 0;
            let at = counts.iter().position(|count| {
                seen += count;
                seen >= wanted
            });
            at.filter(|_| count > 0).map_or(0, |at| bound(at).min(max))
        };
        Summary {
            count,
            max,
            median: share(0.5),
            late: share(0.99),
            last: share(0.999),
            per_second: self.in_last.load(Relaxed) as f64 / MINUTE_S as f64,
        }
    }
}

/// Of one table.
#[derive(Debug, Default)]
struct OfTable {
    read_us: Histogram,
    scan_us: Histogram,
    write_us: Histogram,
    rows: Histogram,
    tombstones: Histogram,
}

/// What is asked for.
#[derive(Debug, Default)]
pub(super) struct Usage {
    /// Of each table, by its number.
    tables: ArcSwap<HashMap<u32, Arc<OfTable>>>,
    /// How many partitions batches have: those of counters, logged ones, others.
    batches: [Histogram; 3],
}

impl Usage {
    fn with(&self, table: u32, count: impl FnOnce(&OfTable)) {
        // Nearly always it is known.
        match self.tables.load().get(&table) {
            Some(found) => count(found),
            None => count(&self.enter(table)),
        }
    }

    /// What is known of a table from now on.
    fn enter(&self, table: u32) -> Arc<OfTable> {
        let new = Arc::new(OfTable::default());
        self.tables.rcu(|all| {
            let mut all = HashMap::clone(all);
            all.entry(table).or_insert_with(|| new.clone());
            all
        });
        self.tables.load().get(&table).cloned().unwrap_or(new)
    }

    /// Counts something that began `since` and is done at `now`.
    pub(super) fn count(&self, table: u32, done: Done, since: Duration, now: Duration) {
        let took = u64::try_from(now.saturating_sub(since).as_micros()).unwrap_or(u64::MAX);
        self.with(table, |table| match done {
            Done::Read => table.read_us.add(took, now),
            Done::Scan => table.scan_us.add(took, now),
            Done::Write => table.write_us.add(took, now),
        });
    }

    /// Counts what a read has met.
    pub(super) fn met(&self, table: u32, rows: u64, tombstones: u64, now: Duration) {
        self.with(table, |table| {
            table.rows.add(rows, now);
            table.tombstones.add(tombstones, now);
        });
    }

    /// Counts a batch that was written, of so many partitions.
    pub(super) fn batch(&self, kind: BatchKind, partitions: usize, now: Duration) {
        let at = match kind {
            BatchKind::Counter => 0,
            BatchKind::Logged => 1,
            BatchKind::Unlogged => 2,
        };
        self.batches[at].add(partitions as u64, now);
    }

    /// Forgets tables that are no more.
    pub(super) fn retain(&self, schema: &Schema) {
        let known: HashSet<u32> = system::stored(schema).map(|table| table.number).collect();
        if self.tables.load().keys().all(|number| known.contains(number)) {
            return;
        }
        self.tables.rcu(|all| {
            let mut all = HashMap::clone(all);
            all.retain(|number, _| known.contains(number));
            all
        });
    }
}

impl Engine {
    /// How many partitions batches had.
    pub(super) fn batches(&self) -> Batches {
        let now = self.time.elapsed();
        let [counter, logged, unlogged] = self.usage.batches.each_ref().map(|of| of.summary(now));
        Batches {
            counter,
            logged,
            unlogged,
        }
    }

    /// Of every table that has rows of its own what is asked of it.
    pub(super) fn measured(&self, schema: &Schema) -> Vec<Measured> {
        let now = self.time.elapsed();
        let all = self.usage.tables.load();
        let measured = |table: &Arc<Table>| {
            let summary = |of: fn(&OfTable) -> &Histogram| {
                let found = all.get(&table.number);
                found.map_or_else(Summary::default, |table| of(table).summary(now))
            };
            Measured {
                table: table.clone(),
                read_us: summary(|table| &table.read_us),
                scan_us: summary(|table| &table.scan_us),
                write_us: summary(|table| &table.write_us),
                rows: summary(|table| &table.rows),
                tombstones: summary(|table| &table.tombstones),
            }
        };
        system::stored(schema).map(measured).collect()
    }
}

#[cfg(test)]
mod tests;
