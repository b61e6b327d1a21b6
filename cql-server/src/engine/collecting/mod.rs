//! Forgets what nobody can ask for any more: what has expired, what was deleted, deletions that need not be remembered,
//! entries of indexes that lead nowhere.
//!
//! Knows: when it is a table's turn, and how much it may cost. Never: what may go, which `core::rows` says.
//!
//! It reads values as everybody does, with all their fragments folded, and puts what is left in their place on condition that
//! they are still the same. So nothing depends on which fragments the store has folded already, and writes stay blind.

mod entries;
mod pass;
mod replace;

use super::Engine;
use crate::{
    core::{
        indexes::Kept,
        rows::{Ends, Grace},
        schema::{Schema, Table},
    },
    error::Result,
    state::{
        indexes,
        rows::{Place, Writes, table_scan},
    },
};
use parking_lot::Mutex;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use storage::Op;

/// How often it is looked whose turn it is.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// From the start on tables are left alone for so long at the most.
const REST_AT_START_S: i64 = 600;
/// A table has one turn in this time, where its options say nothing else.
const INTERVAL_S: i64 = 3600;
/// The compaction option of a table that says something else.
const INTERVAL_OPTION: &str = "tombstone_compaction_interval";
/// For the time that a pass takes, nothing is done for so many times as long.
const RESTS: i64 = 20;
/// The speed of a pass: `compaction_throughput` of the original.
const BYTES_PER_SECOND: u64 = 64 << 20;
/// Where a pass removed more than one in so many bytes, the store is asked to give their space back at once.
const RECLAIMED_SHARE: u64 = 8;

/// Whose turn it is.
#[derive(Default)]
pub(super) struct Collecting {
    turns: Mutex<BTreeMap<u32, Turn>>,
}

/// What is known of a table.
#[derive(Debug, Clone, Copy)]
struct Turn {
    /// When there will be something to collect.
    ends: Ends,
    /// Whether an entry of an index may have become stale.
    stale: bool,
    /// The second before which it is not its turn again.
    not_before: i64,
}

/// What a pass has seen and done.
#[derive(Debug, Default)]
struct Done {
    bytes_seen: u64,
    bytes_removed: u64,
    ends: Ends,
}

impl Done {
    /// Whether it pays to give the space back at once.
    fn was_worth_it(&self) -> bool {
        self.bytes_removed * RECLAIMED_SHARE > self.bytes_seen
    }
}

/// What of a write may be collected one day, by tables.
#[derive(Debug, Default)]
pub(super) struct Garbage(Vec<(u32, Ends)>);

impl Garbage {
    pub(super) fn of(writes: &Writes) -> Self {
        let mut garbage = Garbage::default();
        if !writes.leaves_garbage {
            return garbage;
        }
        for op in &writes.batch.ops {
            let (Op::Merge(key, value) | Op::Put(key, value)) = op else {
                continue;
            };
            let Some(table) = Place::table(key) else { continue };
            let ends = Ends::of(value, i64::MIN);
            match garbage.0.last_mut().filter(|(last, _)| *last == table) {
                Some((_, last)) => last.add(ends),
                None => garbage.0.push((table, ends)),
            }
        }
        garbage
    }
}

impl Collecting {
    /// Of a store of which nothing is known but its schema.
    pub(super) fn new(schema: &Schema, now: i64) -> Self {
        let turn = |table: &Arc<Table>| {
            let turn = Turn {
                ends: Ends::unknown(),
                stale: true,
                not_before: now + interval(table).min(REST_AT_START_S),
            };
            (table.number, turn)
        };
        Collecting {
            turns: Mutex::new(tables(schema).map(turn).collect()),
        }
    }

    /// Notes what was written, that it is collected when its time has come. Noted before, it could be forgotten again by a
    /// pass that does not see it yet.
    pub(super) fn note(&self, garbage: Garbage) {
        if garbage.0.is_empty() {
            return;
        }
        let mut turns = self.turns.lock();
        for (number, ends) in garbage.0 {
            let turn = turns.entry(number).or_insert(Turn {
                ends: Ends::default(),
                stale: false,
                not_before: i64::MIN,
            });
            turn.ends.add(ends);
            turn.stale = true;
        }
    }

    /// Takes a table's turn, if it is.
    pub(super) fn take(&self, table: &Table, now: i64) -> bool {
        let mut turns = self.turns.lock();
        let Some(turn) = turns.get_mut(&table.number) else {
            return false;
        };
        let due = turn.ends.due(grace_seconds(table)).is_some_and(|due| due <= now);
        let stale = turn.stale && !table.indexes.is_empty();
        if now < turn.not_before || !(due || stale) {
            return false;
        }
        // What is written from now on is noted for the next one.
        turn.ends = Ends::default();
        turn.stale = false;
        true
    }

    /// Notes when a table's next turn is.
    fn ended(&self, table: &Table, left: Ends, not_before: i64) {
        if let Some(turn) = self.turns.lock().get_mut(&table.number) {
            turn.ends.add(left);
            turn.not_before = not_before;
        }
    }

    /// Forgets tables that are no more.
    fn retain(&self, schema: &Schema) {
        let mut turns = self.turns.lock();
        let known: Vec<u32> = tables(schema).map(|table| table.number).collect();
        turns.retain(|number, _| known.contains(number));
    }
}

impl Engine {
    /// Collects what has to be collected, for ever.
    pub(crate) async fn keep_collecting(&self) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let schema = self.schema.load_full();
            self.collecting.retain(&schema);
            self.usage.retain(&schema);
            for table in tables(&schema) {
                if self.collecting.take(table, self.time.now_s())
                    && let Err(error) = self.collect(table).await
                {
                    tracing::warn!(%error, keyspace = %table.keyspace, table = %table.name,
                        "what has expired or was deleted could not be collected, and will be later");
                    let rest = self.time.now_s() + interval(table);
                    self.collecting.ended(table, Ends::unknown(), rest);
                }
            }
        }
    }

    /// Goes through a table and its indexes once.
    pub(super) async fn collect(&self, table: &Table) -> Result<()> {
        let begin = self.time.now_s();
        let grace = Grace {
            now: begin,
            seconds: grace_seconds(table),
        };
        let rows = self.collect_rows(table, grace).await?;
        if rows.was_worth_it() {
            self.kv.reclaim(&table_scan(table.number));
        }
        for index in Kept::all(table) {
            if self.collect_entries(table, &index).await?.was_worth_it() {
                self.kv.reclaim(&indexes::entries(index.number));
            }
        }
        tracing::debug!(keyspace = %table.keyspace, table = %table.name, ?rows, "collected");
        let now = self.time.now_s();
        let rest = interval(table).max((now - begin).saturating_mul(RESTS));
        self.collecting.ended(table, rows.ends, now + rest);
        Ok(())
    }

    /// Holds a pass up, so that it does not go through more bytes than it may.
    async fn throttle(&self, bytes: u64) {
        tokio::time::sleep(Duration::from_micros(bytes * 1_000_000 / BYTES_PER_SECOND)).await;
    }
}

fn tables(schema: &Schema) -> impl Iterator<Item = &Arc<Table>> {
    schema
        .keyspaces
        .values()
        .flat_map(|keyspace| keyspace.tables.values())
}

/// How long a table's deletions are remembered. Nothing is ever merged into the row of a view, so that its own need not be.
fn grace_seconds(table: &Table) -> i64 {
    match table.view {
        Some(_) => 0,
        None => i64::from(table.options.gc_grace_seconds),
    }
}

fn interval(table: &Table) -> i64 {
    let given = table.options.compaction.get(INTERVAL_OPTION);
    given
        .and_then(|seconds| seconds.parse().ok())
        .unwrap_or(INTERVAL_S)
}
