//! Which partitions a batch covers: how many there are is counted, and the original warns where an unlogged one has many.

use crate::{
    core::schema::Table,
    state::rows::Partition,
    statements::{
        batch::BatchKind,
        write::{Target, Write},
    },
};

/// Partitions and tables of a batch.
#[derive(Default)]
pub(super) struct Spread<'w> {
    partitions: Vec<Partition>,
    tables: Vec<&'w Table>,
}

impl<'w> Spread<'w> {
    pub(super) fn add(&mut self, write: &'w Write, target: &Target) {
        self.partitions.extend_from_slice(&target.partitions);
        if !self.tables.iter().any(|known| known.number == write.table.number) {
            self.tables.push(&write.table);
        }
    }

    /// How many partitions there are. What has the same key in two tables is one, as the original has it where it warns; what
    /// it measures it counts once in each keyspace.
    pub(super) fn count(&mut self) -> usize {
        self.partitions
            .sort_unstable_by(|one, other| one.key_bytes().cmp(other.key_bytes()));
        self.partitions
            .dedup_by(|one, other| one.key_bytes() == other.key_bytes());
        self.partitions.len()
    }

    /// What is told of a batch of `count` partitions, if that is more than `limit`.
    pub(super) fn warning(&self, kind: BatchKind, count: usize, limit: Option<i64>) -> Option<String> {
        let limit = usize::try_from(limit?).ok()?;
        if kind != BatchKind::Unlogged || count <= limit {
            return None;
        }
        let name = |table: &&Table| format!("{}.{}", table.keyspace, table.name);
        let names: Vec<String> = self.tables.iter().map(name).collect();
        let plural = if names.len() == 1 { "" } else { "s" };
        Some(format!(
            "Unlogged batch covering {count} partitions detected against table{plural} [{}]. You should use a logged \
             batch for atomicity, or asynchronous writes for performance.",
            names.join(", ")
        ))
    }
}
