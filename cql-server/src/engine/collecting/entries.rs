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

/// Whether there is anything at all.
const FIRST: Page = Page {
    items_max: 1,
    bytes_max: 1 << 10,
};

/// Scans after which others have their turn.
const SCANS_AT_ONCE: usize = 16;
/// What looking for a row costs, in bytes that are read.
const SCAN_BYTES: u64 = 4 << 10;

impl Engine {
    /// Removes the entries of an index that lead to rows which do not have their value any more.
    pub(super) async fn collect_entries(&self, table: &Table, index: &Kept) -> Result<Done> {
        let mut done = Done::default();
        let is_of_key = table.columns[index.column].role == Role::PartitionKey;
        let mut rest = Some(indexes::entries(index.number));
        while let Some(scan) = rest {
            let page = self.kv.scan(scan, PAGE).await?;
            let mut bytes = page.items.iter().map(|(entry, _)| entry.len() as u64).sum();
            if is_of_key {
                bytes += page.items.len() as u64 * SCAN_BYTES;
            }
            let stale = match is_of_key {
                true => self.stale_of_keys(table, index, page.items).await?,
                false => {
                    let entries = page.items.into_iter().map(|(entry, _)| entry);
                    self.stale(table, index, entries.collect()).await?
                }
            };
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

    /// The same of an index on a part of the partition key: a partition has its key as long as it has any row. Who adds one
    /// writes the entry again, in another way.
    async fn stale_of_keys(
        &self,
        table: &Table,
        index: &Kept,
        entries: Vec<(Bytes, Bytes)>,
    ) -> Result<Vec<Change>> {
        let kinds = index.kinds(table);
        let mut stale = Vec::new();
        for (at, (entry, value)) in entries.into_iter().enumerate() {
            if at % SCANS_AT_ONCE == 0 {
                tokio::task::yield_now().await;
            }
            let tail = Entry::read(&entry, &kinds).map(|read| read.tail);
            let Some(place) = tail.and_then(|tail| indexes::place(table.number, &tail)) else {
                continue;
            };
            let first = self.kv.scan(place.partition.all_rows(), FIRST).await?;
            if first.items.is_empty() {
                stale.push(Change {
                    op: Op::Delete(entry.clone()),
                    expected: (entry, Some(value)),
                });
            }
        }
        Ok(stale)
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
