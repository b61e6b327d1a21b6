//! How many partitions an unlogged batch covers: the original warns where there are many.

use crate::{
    state::rows::Partition,
    statements::write::{Target, Write},
};

/// Partitions and tables of a batch.
#[derive(Default)]
pub(super) struct Spread {
    partitions: Vec<Partition>,
    tables: Vec<String>,
}

impl Spread {
    pub(super) fn add(&mut self, write: &Write, target: &Target) {
        self.partitions.extend_from_slice(&target.partitions);
        let table = format!("{}.{}", write.table.keyspace, write.table.name);
        if !self.tables.contains(&table) {
            self.tables.push(table);
        }
    }

    /// What is told of more than `limit` partitions.
    pub(super) fn warning(mut self, limit: Option<i64>) -> Option<String> {
        let limit = usize::try_from(limit?).ok()?;
        self.partitions.sort_by_key(|partition| partition.row_key(&[]));
        self.partitions.dedup();
        let count = self.partitions.len();
        let plural = if self.tables.len() == 1 { "" } else { "s" };
        (count > limit).then(|| {
            format!(
                "Unlogged batch covering {count} partitions detected against table{plural} [{}]. You should use a logged \
                 batch for atomicity, or asynchronous writes for performance.",
                self.tables.join(", ")
            )
        })
    }
}
