//! Counts what a read meets that is no more: much of it makes reads slow, and is warned of or refused in the original's words.

use super::{prepare::Plan, selection::Selection};
use crate::{
    core::{guardrails::Limit, rows::Deletions, schema::Column, types::show},
    state::rows::{Partition, Slice},
    statements::{assemble, restrictions::Restrictions, terms::Values},
    syntax::Comparison,
};
use std::fmt::Write;

/// Characters of a query that are told.
const QUERY_CHARS_MAX: usize = 512;

/// A limit that the original takes for none.
pub(super) const NO_LIMIT: u64 = i32::MAX as u64;

/// What a read is told to ask for at the most.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) rows: u64,
    pub(super) per_partition: u64,
    /// Of groups: how many, and how many there are already.
    pub(super) groups: Option<(u64, u64)>,
    /// Whether rows that were read are not asked for again.
    pub(super) counts: bool,
}

impl Asked {
    /// What is asked for once so many rows were read, and so many groups are there.
    pub(super) fn after(self, rows: u64, groups: u64) -> Asked {
        Asked {
            rows: if self.counts {
                self.rows.saturating_sub(rows)
            } else {
                self.rows
            },
            groups: self.groups.map(|(wanted, _)| (wanted, groups)),
            ..self
        }
    }

    fn told(self) -> String {
        let limits = match self.groups {
            Some((wanted, there)) => [
                ("GROUP LIMIT", wanted.saturating_sub(there)),
                ("GROUP PER PARTITION LIMIT", self.per_partition),
                ("LIMIT", self.rows),
            ],
            None => [
                ("LIMIT", self.rows),
                ("PER PARTITION LIMIT", self.per_partition),
                ("", NO_LIMIT),
            ],
        };
        let told = limits.iter().filter(|(_, limit)| *limit < NO_LIMIT);
        let told: Vec<String> = told.map(|(name, limit)| format!("{name} {limit}")).collect();
        told.join(" ")
    }
}

/// What a read of one partition, or of a range of them, has met.
#[derive(Debug)]
pub(super) struct Tombstones {
    limit: Limit,
    live: u64,
    dead: u64,
    /// Of the reads that have ended.
    ended: (u64, u64),
}

impl Tombstones {
    pub(super) fn new(limit: Limit) -> Self {
        Tombstones {
            limit,
            live: 0,
            dead: 0,
            ended: (0, 0),
        }
    }

    /// Counts a row that was read. Whether there are not too many.
    pub(super) fn count(&mut self, lives: bool, dead: u64) -> bool {
        let fits = self.add(dead);
        self.live += u64::from(lives && fits);
        fits
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

    /// How many rows lived and how much did not, of all reads.
    pub(super) fn all(&self) -> (u64, u64) {
        (self.ended.0 + self.live, self.ended.1 + self.dead)
    }

    /// How many rows of the read lived so far.
    pub(super) fn live(&self) -> u64 {
        self.live
    }

    /// What is to be told of the read that ends here, if it was too much.
    pub(super) fn end(&mut self, query: impl FnOnce() -> String, partition: &Partition) -> Option<String> {
        let (live, dead) = (self.live, self.dead);
        (self.live, self.dead) = (0, 0);
        self.ended = (self.ended.0 + live, self.ended.1 + dead);
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
    /// The query as the original tells it: what it reads of one partition, or of all.
    pub(super) fn told(&self, partition: Option<&Partition>, values: &Values<'_>, asked: Asked) -> String {
        let table = &self.table;
        let keys = table.partition_key().len() + table.clustering().len();
        let Selection { named, .. } = &self.selection;
        let is_all = named.is_empty() && !self.selection.is_aggregate();
        let mut shown: Vec<usize> = named.clone();
        shown.extend(
            self.restrictions
                .filters
                .iter()
                .flat_map(|filter| &filter.columns),
        );
        let mut columns: Vec<&str> = (keys..table.columns.len())
            .filter(|at| shown.contains(at))
            .map(|at| &*table.columns[at].name)
            .collect();
        columns.sort_unstable();
        let columns = match columns.is_empty() || is_all {
            true => "*".to_owned(),
            false => columns.join(", "),
        };
        let mut told = format!("SELECT {columns} FROM {}.{}", table.keyspace, table.name);
        let conditions = self.told_conditions(partition, values);
        if !conditions.is_empty() {
            let _ = write!(told, " WHERE {}", conditions.join(" AND "));
        }
        if self.reverse {
            let order = |column: &Column| {
                let order = if column.is_descending() { "ASC" } else { "DESC" };
                format!("{} {order}", column.name)
            };
            let order: Vec<String> = table.clustering().iter().map(order).collect();
            let _ = write!(told, " ORDER BY {}", order.join(", "));
        }
        let limits = asked.told();
        // What the original pages through has a limit, be it none.
        if !limits.is_empty() || self.folds() {
            told.push(' ');
        }
        told + &limits + " ALLOW FILTERING"
    }

    fn told_conditions(&self, partition: Option<&Partition>, values: &Values<'_>) -> Vec<String> {
        let table = &self.table;
        let mut conditions = Vec::new();
        if let Some(partition) = partition {
            let mut cells = assemble::Values::new(table, false);
            cells.partition_key(table, partition.key_bytes());
            for (column, value) in table.partition_key().iter().zip(&cells.cells) {
                let value = show::cql(&column.kind, value.as_deref().unwrap_or_default());
                conditions.push(format!("{} = {value}", column.name));
            }
        }
        let Restrictions {
            token,
            clustering,
            filters,
            ..
        } = &self.restrictions;
        let keys: Vec<&str> = table.partition_key().iter().map(|column| &*column.name).collect();
        for (comparison, bound) in token {
            let bound = bound.bytes(values).ok().flatten();
            let Some(bound) = bound
                .and_then(|bytes| bytes[..].try_into().ok())
                .map(i64::from_be_bytes)
            else {
                continue;
            };
            let signs = match comparison {
                Comparison::Equal => vec![">=", "<="],
                other => vec![other.sign()],
            };
            let keys = keys.join(", ");
            conditions.extend(signs.iter().map(|sign| format!("token({keys}) {sign} {bound}")));
        }
        let others = clustering.iter().chain(filters);
        conditions.extend(others.map(|restriction| restriction.told(table, values)));
        conditions
    }
}
