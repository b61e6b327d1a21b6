//! Rows of tables: where they lie, and how they are written and read.
//!
//! Knows: the layout of their keys. Never: columns, types, what a clustering position means.
//!
//! ```text
//! key = space, kind, table (u32), token (i64, ordered), length of the partition key (u16), partition key, part, clustering
//! ```
//!
//! The parts of a partition lie in this order: what was deleted of it, its static row, its rows. All numbers are
//! big-endian. A table without clustering columns has one row for each partition, and deletes the row, never the partition.

mod cursor;
#[cfg(test)]
mod tests;

pub(crate) use cursor::Cursor;

use super::{Kind, SPACE};
use crate::core::rows::{Deletion, Deletions, RangeDeletion, is_mortal};
use bytes::{BufMut, Bytes, BytesMut};
use std::ops::Bound;
use storage::{Batch, KvRead, Op, Scan};

/// The parts of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Part {
    Deletions = 0,
    Static = 1,
    Row = 2,
}

/// Space, kind, table.
const TABLE_BYTES: usize = 1 + 1 + 4;
/// Space, kind, table, token, length of the partition key.
const HEAD_BYTES: usize = TABLE_BYTES + 8 + 2;

/// Partition keys longer than this cannot be written: the original's limit too.
pub(crate) const PARTITION_KEY_BYTES_MAX: usize = u16::MAX as usize;

/// What every key of a table starts with.
fn table_prefix(table: u32) -> BytesMut {
    let mut out = BytesMut::with_capacity(HEAD_BYTES);
    out.put_slice(&[SPACE, Kind::Row as u8]);
    out.put_u32(table);
    out
}

/// Tokens as bytes that sort as they do.
pub(super) fn ordered(token: i64) -> u64 {
    (token as u64) ^ (1 << 63)
}

/// One partition: what all its keys start with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Partition {
    prefix: Bytes,
}

impl Partition {
    /// The partition of `key`, which is no longer than [`PARTITION_KEY_BYTES_MAX`].
    pub(crate) fn new(table: u32, token: i64, key: &[u8]) -> Self {
        let mut out = BytesMut::with_capacity(HEAD_BYTES + key.len());
        out.put_slice(&[SPACE, Kind::Row as u8]);
        out.put_u32(table);
        out.put_u64(ordered(token));
        out.put_u16(u16::try_from(key.len()).unwrap_or(u16::MAX));
        out.put_slice(key);
        Partition { prefix: out.freeze() }
    }

    /// What of a row's key follows the number of its table.
    pub(crate) fn tail(key: &[u8]) -> &[u8] {
        key.get(TABLE_BYTES..).unwrap_or_default()
    }

    /// The key of a row of `table`, from what [`Partition::tail`] left of it.
    pub(crate) fn key_of(table: u32, tail: &[u8]) -> Bytes {
        let mut key = table_prefix(table);
        key.put_slice(tail);
        key.freeze()
    }

    pub(crate) fn table(&self) -> u32 {
        let bytes = self
            .prefix
            .get(2..TABLE_BYTES)
            .and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u32::from_be_bytes)
    }

    pub(crate) fn token(&self) -> i64 {
        let bytes = self.prefix.get(6..14).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, |bytes| ordered(i64::from_be_bytes(bytes)) as i64)
    }

    /// The partition key.
    pub(crate) fn key(&self) -> Bytes {
        self.prefix.slice(HEAD_BYTES..)
    }

    /// The same for who only looks at it: a share of a key that nobody shares yet allocates.
    pub(crate) fn key_bytes(&self) -> &[u8] {
        self.prefix.get(HEAD_BYTES..).unwrap_or_default()
    }

    /// Tells partitions apart, across tables.
    pub(crate) fn identity(&self) -> &[u8] {
        &self.prefix
    }

    fn part(&self, part: Part, position: &[u8]) -> Bytes {
        let mut out = BytesMut::with_capacity(self.prefix.len() + 1 + position.len());
        out.put_slice(&self.prefix);
        out.put_u8(part as u8);
        out.put_slice(position);
        out.freeze()
    }

    /// The key of the row at a clustering position.
    pub(crate) fn row_key(&self, position: &[u8]) -> Bytes {
        self.part(Part::Row, position)
    }

    /// The key of the static row.
    pub(crate) fn static_key(&self) -> Bytes {
        self.part(Part::Static, &[])
    }

    /// The key of what was deleted of it.
    pub(crate) fn deletions_key(&self) -> Bytes {
        self.part(Part::Deletions, &[])
    }

    /// The rows of a slice.
    fn scan(&self, slice: &Slice, reverse: bool) -> Scan {
        let to = match &slice.to {
            Some(to) => self.row_key(to),
            None => self.past(),
        };
        Scan {
            from: Bound::Included(self.row_key(&slice.from)),
            to: Bound::Excluded(to),
            reverse,
        }
    }

    /// Its static row and all others.
    pub(crate) fn all_rows(&self) -> Scan {
        Scan::range(self.static_key(), self.past())
    }

    /// What follows the last row.
    fn past(&self) -> Bytes {
        let mut past = BytesMut::with_capacity(self.prefix.len() + 1);
        past.put_slice(&self.prefix);
        past.put_u8(Part::Row as u8 + 1);
        past.freeze()
    }
}

/// Positions from the first (included) to the second (excluded; none: to the end of the partition).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Slice {
    pub(crate) from: Vec<u8>,
    pub(crate) to: Option<Vec<u8>>,
}

impl Slice {
    /// The row at one position.
    pub(crate) fn one(position: &[u8]) -> Self {
        let mut to = position.to_vec();
        to.push(0);
        Slice {
            from: position.to_vec(),
            to: Some(to),
        }
    }

    /// The position, where it holds no other.
    fn only(&self) -> Option<&[u8]> {
        let before = self.to.as_deref()?.strip_suffix(&[0])?;
        (before == self.from).then_some(before)
    }

    /// Whether one of `slices` holds a position. They are in order and do not overlap.
    pub(crate) fn any_holds(slices: &[Slice], position: &[u8]) -> bool {
        let behind = slices.partition_point(|slice| slice.from[..] <= *position);
        let last = behind.checked_sub(1).and_then(|at| slices.get(at));
        last.is_some_and(|slice| slice.to.as_ref().is_none_or(|to| *position < to[..]))
    }
}

/// What a stored key says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) partition: Partition,
    pub(crate) part: Part,
    /// The clustering position.
    pub(crate) position: Bytes,
}

impl Place {
    /// The key that it was read from.
    pub(crate) fn key(&self) -> Bytes {
        self.partition.part(self.part, &self.position)
    }

    pub(crate) fn is_deletions(&self) -> bool {
        self.part == Part::Deletions
    }

    /// The table whose row, or record of deletions, has that key.
    pub(crate) fn table(key: &[u8]) -> Option<u32> {
        let number = key.strip_prefix(&[SPACE, Kind::Row as u8])?.first_chunk()?;
        Some(u32::from_be_bytes(*number))
    }

    /// Reads a key of a row. `None` where it is none.
    pub(crate) fn read(key: &Bytes) -> Option<Place> {
        if !key.starts_with(&[SPACE, Kind::Row as u8]) {
            return None;
        }
        let length: [u8; 2] = key.get(HEAD_BYTES - 2..HEAD_BYTES)?.try_into().ok()?;
        let end = HEAD_BYTES + usize::from(u16::from_be_bytes(length));
        let part = match key.get(end)? {
            0 => Part::Deletions,
            1 => Part::Static,
            2 => Part::Row,
            _ => return None,
        };
        Some(Place {
            partition: Partition {
                prefix: key.slice(..end),
            },
            part,
            position: key.slice(end + 1..),
        })
    }
}

/// What a partition holds beside its rows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Head {
    pub(crate) deletions: Option<Bytes>,
    pub(crate) static_row: Option<Bytes>,
}

impl Head {
    /// Reads it.
    pub(crate) async fn read(
        kv: &dyn KvRead,
        partition: &Partition,
        with_static: bool,
    ) -> storage::Result<Head> {
        let mut keys = vec![partition.deletions_key()];
        if with_static {
            keys.push(partition.static_key());
        }
        let mut found = kv.multi_get(&keys).await?.into_iter();
        Ok(Head {
            deletions: found.next().flatten(),
            static_row: found.next().flatten(),
        })
    }

    /// What was deleted.
    pub(crate) fn deletions(&self) -> Deletions<'_> {
        Deletions::of(self.deletions.as_deref())
    }
}

/// Every row of a table.
pub(crate) fn table_scan(table: u32) -> Scan {
    let (from, to) = table_range(table);
    Scan::range(from, to)
}

/// From where to where the rows of a table lie.
fn table_range(table: u32) -> (Bytes, Bytes) {
    let from = table_prefix(table).freeze();
    let to = match table.checked_add(1) {
        Some(next) => table_prefix(next).freeze(),
        None => Bytes::from_static(&[SPACE, Kind::Row as u8 + 1]),
    };
    (from, to)
}

/// What is to be written, all at once.
#[derive(Debug, Default)]
pub(crate) struct Writes {
    pub(crate) batch: Batch,
    /// Whether any of it may be collected one day, or makes entries of indexes stale.
    pub(crate) leaves_garbage: bool,
}

impl Writes {
    /// Adds a fragment to the row at `position`.
    pub(crate) fn row(&mut self, partition: &Partition, position: &[u8], fragment: Vec<u8>) {
        self.merge(partition.row_key(position), fragment);
    }

    /// Adds a fragment to the static row.
    pub(crate) fn static_row(&mut self, partition: &Partition, fragment: Vec<u8>) {
        self.merge(partition.static_key(), fragment);
    }

    /// Deletes the whole partition.
    pub(crate) fn delete_partition(&mut self, partition: &Partition, deletion: Deletion) {
        let deletions = Deletions {
            partition: Some(deletion),
            ranges: Vec::new(),
        };
        self.merge(partition.deletions_key(), deletions.to_bytes());
    }

    /// Deletes the rows of a slice.
    pub(crate) fn delete_slice(&mut self, partition: &Partition, slice: &Slice, deletion: Deletion) {
        let range = RangeDeletion {
            from: &slice.from,
            // No clustering position starts so.
            to: slice.to.as_deref().unwrap_or(&[0xff]),
            deletion,
        };
        let deletions = Deletions {
            partition: None,
            ranges: vec![range],
        };
        self.merge(partition.deletions_key(), deletions.to_bytes());
    }

    /// Forgets every row of a table.
    pub(crate) fn truncate(&mut self, table: u32) {
        let (from, to) = table_range(table);
        self.batch.ops.push(Op::DeleteRange(from, to));
    }

    /// Puts a row in the place of whatever is there.
    pub(crate) fn replace(&mut self, partition: &Partition, position: &[u8], fragment: Vec<u8>) {
        self.leaves_garbage |= is_mortal(&fragment);
        self.batch.put(partition.row_key(position), fragment);
    }

    fn merge(&mut self, key: Bytes, operand: Vec<u8>) {
        self.leaves_garbage |= is_mortal(&operand);
        self.batch.ops.push(Op::Merge(key, Bytes::from(operand)));
    }
}
