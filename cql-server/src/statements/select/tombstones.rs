//! Counts what a read meets that is no more: much of it makes reads slow, and is warned of or refused in the original's words.

use super::prepare::Plan;
use crate::{
    core::{guardrails::Limit, rows::Deletions, types::show},
    state::rows::{Partition, Slice},
    statements::assemble,
};
use std::fmt::Write;

/// Characters of a query that are told.
const QUERY_CHARS_MAX: usize = 512;

/// What a read of one partition, or of a range of them, has met.
#[derive(Debug)]
pub(super) struct Tombstones {
    limit: Limit,
    live: u64,
    dead: u64,
}

impl Tombstones {
    pub(super) fn new(limit: Limit) -> Self {
        Tombstones {
            limit,
            live: 0,
            dead: 0,
        }
    }

    /// Counts a row that was read. Whether there are not too many.
    pub(super) fn count(&mut self, lives: bool, dead: u64) -> bool {
        self.live += u64::from(lives);
        self.add(dead)
    }

    /// Counts more of them. Whether there are not too many.
    pub(super) fn add(&mut self, dead: u64) -> bool {
        self.dead += dead;
        let fail = self.limit.fail.and_then(|fail| u64::try_from(fail).ok());
        match fail.filter(|fail| self.dead > *fail) {
            // The original stops at the first one beyond.
            Some(fail) => {
                self.dead = fail + 1;
                false
            }
            None => true,
        }
    }

    /// What is to be told of the read that ends here, if it was too much.
    pub(super) fn end(&mut self, query: impl FnOnce() -> String, partition: &Partition) -> Option<String> {
        let (live, dead) = (self.live, self.dead);
        (self.live, self.dead) = (0, 0);
        let warn = self.limit.warn.and_then(|warn| u64::try_from(warn).ok())?;
        if dead <= warn {
            return None;
        }
        let query: String = query().chars().take(QUERY_CHARS_MAX).collect();
        Some(format!(
            "Read {live} live rows and {dead} tombstone cells for query {query}; token {} (see tombstone_warn_threshold)",
            partition.token()
        ))
    }
}

/// The ranges deleted of a partition that a read has not passed yet. Each has two ends, and one with its neighbour where they
/// touch.
#[derive(Debug)]
pub(super) struct Ahead<'d> {
    deletions: &'d Deletions<'d>,
    from: usize,
    to: usize,
    reverse: bool,
}

impl<'d> Ahead<'d> {
    /// Those that `slices` reach into.
    pub(super) fn new(deletions: &'d Deletions<'d>, slices: &[Slice], reverse: bool) -> Self {
        let ranges = &deletions.ranges;
        let first = slices.first().map_or(&[][..], |slice| &slice.from);
        let end = slices.last().and_then(|slice| slice.to.as_deref());
        let from = ranges.partition_point(|range| range.to <= first);
        let to = end.map_or(ranges.len(), |end| {
            ranges.partition_point(|range| range.from < end)
        });
        Ahead {
            deletions,
            from,
            to: to.max(from),
            reverse,
        }
    }

    /// How many ends lie before the row at `position`, in the direction of reading, and behind the row before it.
    pub(super) fn before(&mut self, position: &[u8]) -> u64 {
        if self.from == self.to {
            return 0;
        }
        let left = &self.deletions.ranges[self.from..self.to];
        if self.reverse {
            let kept = self.from + left.partition_point(|range| range.to <= position);
            let passed = self.ends(kept, self.to);
            self.to = kept;
            passed
        } else {
            let kept = self.from + left.partition_point(|range| range.from <= position);
            let passed = self.ends(self.from, kept);
            self.from = kept;
            passed
        }
    }

    /// How many are left.
    pub(super) fn rest(&self) -> u64 {
        self.ends(self.from, self.to)
    }

    fn ends(&self, from: usize, to: usize) -> u64 {
        let ranges = &self.deletions.ranges[from..to];
        let touch = ranges.windows(2).filter(|pair| pair[0].to == pair[1].from);
        (2 * ranges.len() - touch.count()) as u64
    }
}

impl Plan {
    /// The query as the original tells it: what it reads of one partition, or of all. Conditions beside the partition key
    /// are left out.
    pub(super) fn told(&self, partition: Option<&Partition>, limit: u64) -> String {
        let table = &self.table;
        let keys = table.partition_key().len() + table.clustering().len();
        let mut columns: Vec<&str> = table.columns[keys..]
            .iter()
            .filter(|column| self.columns.iter().any(|one| one.name == column.name))
            .map(|column| &*column.name)
            .collect();
        columns.sort_unstable();
        let columns = match columns.len() {
            0 => "*".to_owned(),
            all if all == table.columns.len() - keys => "*".to_owned(),
            _ => columns.join(", "),
        };
        let mut told = format!("SELECT {columns} FROM {}.{}", table.keyspace, table.name);
        if let Some(partition) = partition {
            let key = partition.key();
            let mut values = assemble::Values::new(table, false);
            values.partition_key(table, &key);
            for (at, (column, value)) in table.partition_key().iter().zip(&values.cells).enumerate() {
                let word = if at == 0 { "WHERE" } else { "AND" };
                let value = show::cql(&column.kind, value.as_deref().unwrap_or_default());
                let _ = write!(told, " {word} {} = {value}", column.name);
            }
        }
        if self.reverse {
            let order = |column: &crate::core::schema::Column| {
                let order = if column.is_descending() { "ASC" } else { "DESC" };
                format!("{} {order}", column.name)
            };
            let order: Vec<String> = table.clustering().iter().map(order).collect();
            let _ = write!(told, " ORDER BY {}", order.join(", "));
        }
        if limit != u64::MAX {
            let _ = write!(told, " LIMIT {limit}");
        }
        told + " ALLOW FILTERING"
    }
}
