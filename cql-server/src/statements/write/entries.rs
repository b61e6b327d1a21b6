//! Entries of the indexes of what is written.

use super::Write;
use crate::{
    core::{
        indexes::{Kept, Written},
        schema::Table,
    },
    error::Result,
    state::rows::{Partition, Writes},
};

impl Write {
    /// Adds the entries of a fragment; `position`: that of its row, none for the static row.
    pub(super) fn entries(
        &self,
        partition: &Partition,
        position: Option<&[u8]>,
        fragment: &[u8],
        out: &mut Writes,
    ) -> Result<()> {
        for index in self.indexes.iter() {
            add(index, &self.table, partition, position, fragment, out)?;
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
    out: &mut Writes,
) -> Result<()> {
    let key = partition.key();
    let written = Written {
        partition_key: &key,
        position,
        fragment,
    };
    let to = position.filter(|_| !index.is_of_partitions(table));
    index.terms(table, written, |term| {
        out.entry(index.number, &term, partition, to);
    })
}
