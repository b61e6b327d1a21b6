//! Entries of the indexes of what is written.

use super::Write;
use crate::{
    core::{
        indexes::{Kept, Written},
        schema::{Role, Table},
    },
    error::Result,
    state::rows::{Partition, Writes},
};

impl Write {
    /// Adds the entries of a fragment; `position`: that of its row, none for the static row. `stamp` is this write's alone.
    pub(super) fn entries(
        &self,
        partition: &Partition,
        position: Option<&[u8]>,
        fragment: &[u8],
        (stamp, out): (i64, &mut Writes),
    ) -> Result<()> {
        for index in self.indexes.iter() {
            add(index, &self.table, partition, position, fragment, (stamp, out))?;
        }
        Ok(())
    }
}

/// Adds the entries that `index` gets for a fragment.
pub(crate) fn add(
    index: &Kept,
    table: &Table,
    partition: &Partition,
    position: Option<&[u8]>,
    fragment: &[u8],
    (stamp, out): (i64, &mut Writes),
) -> Result<()> {
    let written = Written {
        partition_key: partition.key_bytes(),
        position,
        fragment,
    };
    let to = position.filter(|_| !index.is_of_partitions(table));
    // Whether such an entry is stale no single row tells.
    let is_of_key = table.columns[index.column].role == Role::PartitionKey;
    let stamp = is_of_key.then_some(stamp);
    index.terms(table, written, |term| {
        out.entry((index.number, &term), partition, to, stamp);
    })
}
