//! Goes through the entries of one index.

use super::{
    Done,
    replace::{Change, replace},
};
use crate::{
    core::{
        indexes::{Kept, Written},
        schema::{Role, Table},
    },
    engine::Engine,
    error::Result,
    state::{
        indexes::{self, Entry},
        rows::{Part, Place},
    },
};
use bytes::Bytes;
use storage::{Op, Page};

/// Entries that are looked at at once.
const PAGE: Page = Page {
    items_max: 256,
    bytes_max: 256 << 10,
};

impl Engine {
    /// Removes the entries of an index that lead to rows which do not have their value any more.
    pub(super) async fn collect_entries(&self, table: &Table, index: &Kept) -> Result<Done> {
        let mut done = Done::default();
        if table.columns[index.column].role == Role::PartitionKey {
            // A partition has its key as long as it has any row, which no single value tells.
            return Ok(done);
        }
        let mut rest = Some(indexes::entries(index.number));
        while let Some(scan) = rest {
            let page = self.kv.scan(scan, PAGE).await?;
            let entries: Vec<Bytes> = page.items.into_iter().map(|(key, _)| key).collect();
            let bytes = entries.iter().map(|entry| entry.len() as u64).sum();
            let stale = self.stale(table, index, entries).await?;
            let removed: u64 = stale.iter().map(|change| change.op_bytes()).sum();
            let refused = replace(&*self.kv, stale, self.durability).await?;
            let kept: u64 = refused.iter().map(|change| change.op_bytes()).sum();
            done.bytes_seen += bytes;
            done.bytes_removed += removed.saturating_sub(kept);
            self.throttle(bytes).await;
            rest = page.next;
        }
        Ok(done)
    }

    /// The removals of those of `entries` that are stale. Who writes a value adds its entry in the same batch, so that an entry
    /// stays stale for as long as the row is the same.
    pub(super) async fn stale(
        &self,
        table: &Table,
        index: &Kept,
        entries: Vec<Bytes>,
    ) -> Result<Vec<Change>> {
        let kinds = index.kinds(table);
        let places: Vec<(Bytes, Place, Bytes)> = entries
            .iter()
            .filter_map(|key| {
                let entry = Entry::read(key, &kinds)?;
                let place = indexes::place(table.number, &entry.tail)?;
                Some((key.clone(), place, key.slice_ref(entry.term)))
            })
            .collect();
        let keys: Vec<Bytes> = places.iter().map(|(_, place, _)| place.key()).collect();
        let rows = self.kv.multi_get(&keys).await?;
        let mut stale = Vec::new();
        for (((entry, place, term), key), row) in places.into_iter().zip(keys).zip(rows) {
            if !has_term(table, index, &place, row.as_deref(), &term) {
                stale.push(Change {
                    op: Op::Delete(entry),
                    expected: (key, row),
                });
            }
        }
        Ok(stale)
    }
}

/// Whether a row, as it is stored, is to be found by a term. What it had and lost it does not get back.
fn has_term(table: &Table, index: &Kept, place: &Place, row: Option<&[u8]>, term: &[u8]) -> bool {
    let Some(fragment) = row else { return false };
    let partition_key = place.partition.key();
    let written = Written {
        partition_key: &partition_key,
        position: (place.part == Part::Row).then_some(&place.position[..]),
        fragment,
    };
    let mut found = false;
    let read = index.terms(table, written, |one| found |= one == *term);
    // A term that cannot be told is kept.
    found || read.is_err()
}
