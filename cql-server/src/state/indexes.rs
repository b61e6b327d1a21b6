//! Entries of secondary indexes: where they lie, how they are written and read.
//!
//! ```text
//! key = space, kind, index (u32), term, token, length of the partition key, partition key, part, clustering
//! ```
//!
//! Behind the term stands what follows the table's number in the key of the row that the entry leads to; the key of its
//! static row where it leads to a whole partition. So the entries of one term lie in the order of the table's own rows.
//! Terms are byte-comparable and none is the beginning of another. The value is the format and, where entries lead to
//! partitions by their keys, what tells its write from every other one.

use super::{
    Kind, SPACE,
    rows::{Partition, Place, Writes, ordered as ordered_token},
};
use crate::core::types::{CqlType, ordered};
use bytes::{BufMut, Bytes, BytesMut};
use std::ops::Bound;
use storage::{Batch, KvRead, Op, Page, Scan};

/// The version of these records.
const FORMAT: u8 = 1;

/// Space, kind, index.
const HEAD_BYTES: usize = 1 + 1 + 4;

/// Marks an index as built, among the facts of the node.
const BUILT: u8 = b'i';

fn head(index: u32, more: usize) -> BytesMut {
    let mut out = BytesMut::with_capacity(HEAD_BYTES + more);
    out.put_slice(&[SPACE, Kind::Index as u8]);
    out.put_u32(index);
    out
}

/// What the keys of all entries of a term start with.
pub(crate) fn term_prefix(index: u32, term: &[u8]) -> Bytes {
    let mut out = head(index, term.len());
    out.put_slice(term);
    out.freeze()
}

/// The entries of some terms: of one, or all between two bounds.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    pub(crate) from: Bytes,
    pub(crate) to: Bytes,
}

impl Terms {
    /// Every entry of the index between two terms; a bound that is given lies before or after all entries of that term.
    pub(crate) fn between(index: u32, from: Option<(&[u8], bool)>, to: Option<(&[u8], bool)>) -> Terms {
        let bound = |(term, behind): (&[u8], bool)| {
            let prefix = term_prefix(index, term);
            if behind { past(&prefix) } else { prefix }
        };
        let all = head(index, 0).freeze();
        Terms {
            to: to.map_or_else(|| past(&all), bound),
            from: from.map_or(all, bound),
        }
    }

    pub(crate) fn scan(&self) -> Scan {
        Scan {
            from: Bound::Included(self.from.clone()),
            to: Bound::Excluded(self.to.clone()),
            reverse: false,
        }
    }
}

/// What follows the term in keys of entries, from the first (included) to the second (excluded; none: to the last).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: Bytes,
    pub(crate) to: Option<Bytes>,
}

impl Span {
    /// All that leads into one partition.
    pub(crate) fn of_partition(partition: &Partition) -> Span {
        let tail = Partition::tail(partition.identity());
        Span {
            from: Bytes::copy_from_slice(tail),
            to: Some(past(tail)),
        }
    }

    /// All that leads to partitions between two tokens.
    pub(crate) fn of_tokens(from: Bound<i64>, to: Bound<i64>) -> Span {
        let at = |token: i64| Bytes::copy_from_slice(&ordered_token(token).to_be_bytes());
        // Behind the last token there is nothing.
        let behind = |token: i64| token.checked_add(1).map_or(Bytes::from_static(&[0xff; 9]), at);
        Span {
            from: match from {
                Bound::Included(token) => at(token),
                Bound::Excluded(token) => behind(token),
                Bound::Unbounded => Bytes::new(),
            },
            to: match to {
                Bound::Included(token) => Some(behind(token)),
                Bound::Excluded(token) => Some(at(token)),
                Bound::Unbounded => None,
            },
        }
    }

    /// The key that follows all of a partition.
    pub(crate) fn key_behind(partition: &Partition) -> Bytes {
        past(partition.identity())
    }

    pub(crate) fn holds(&self, tail: &[u8]) -> bool {
        self.from <= tail && self.to.as_ref().is_none_or(|to| *tail < **to)
    }

    /// The entries of one term.
    pub(crate) fn scan(&self, index: u32, term: &[u8]) -> Scan {
        let prefix = term_prefix(index, term);
        let within = |tail: &Bytes| Bytes::from([&prefix[..], tail].concat());
        Scan {
            from: Bound::Included(within(&self.from)),
            to: Bound::Excluded(self.to.as_ref().map_or_else(|| past(&prefix), within)),
            reverse: false,
        }
    }
}

/// What follows the term in the key of an entry, whose term is of that type.
pub(crate) fn tail_of(entry: &Bytes, kind: &CqlType) -> Option<Bytes> {
    let mut rest = entry.get(HEAD_BYTES..)?;
    ordered::decode(&mut Vec::new(), kind, false, &mut rest).ok()?;
    Some(entry.slice_ref(rest))
}

/// The least key behind all that start with `prefix`.
fn past(prefix: &[u8]) -> Bytes {
    match Scan::prefix(prefix).to {
        Bound::Excluded(to) | Bound::Included(to) => to,
        // Never: keys start with the server's own byte.
        Bound::Unbounded => Bytes::from_static(&[SPACE, Kind::Index as u8 + 1]),
    }
}

/// Where an entry of `table` leads; `tail` is what follows its term.
pub(crate) fn place(table: u32, tail: &[u8]) -> Option<Place> {
    Place::read(&Partition::key_of(table, tail))
}

impl Writes {
    /// Adds the entry of `term` that leads to the row at `position`, or to the whole partition. `stamp` tells this write from
    /// every other one, for who removes an entry on condition that nobody has written it again.
    pub(crate) fn entry(
        &mut self,
        (index, term): (u32, &[u8]),
        partition: &Partition,
        position: Option<&[u8]>,
        stamp: Option<i64>,
    ) {
        let key = match position {
            Some(position) => partition.row_key(position),
            None => partition.static_key(),
        };
        // It may take the place of another one, which nobody removes.
        self.leaves_garbage = true;
        let tail = Partition::tail(&key);
        let mut entry = head(index, term.len() + tail.len());
        entry.put_slice(term);
        entry.put_slice(tail);
        let mut value = BytesMut::with_capacity(1 + 8);
        value.put_u8(FORMAT);
        stamp.into_iter().for_each(|stamp| value.put_i64(stamp));
        self.batch.ops.push(Op::Put(entry.freeze(), value.freeze()));
    }
}

/// Every entry of an index.
pub(crate) fn entries(index: u32) -> Scan {
    Scan::prefix(&head(index, 0))
}

/// An entry, taken apart.
pub(crate) struct Entry<'k> {
    pub(crate) term: &'k [u8],
    /// What follows the term: where it leads.
    pub(crate) tail: Bytes,
}

impl<'k> Entry<'k> {
    /// Reads the key of an entry of an index whose terms consist of values of those types.
    pub(crate) fn read(key: &'k Bytes, kinds: &[&CqlType]) -> Option<Self> {
        let mut rest = key.get(HEAD_BYTES..)?;
        for kind in kinds {
            ordered::decode(&mut Vec::new(), kind, false, &mut rest).ok()?;
        }
        Some(Entry {
            term: key.get(HEAD_BYTES..key.len().checked_sub(rest.len())?)?,
            tail: key.slice_ref(rest),
        })
    }
}

/// Forgets every entry of an index; with `whole` that it ever was built.
pub(crate) fn forget(batch: &mut Batch, index: u32, whole: bool) {
    let all = head(index, 0).freeze();
    batch.ops.push(Op::DeleteRange(all.clone(), past(&all)));
    if whole {
        batch.delete(built_key(index));
    }
}

fn built_key(index: u32) -> Bytes {
    let mut key = BytesMut::from(&[SPACE, Kind::Meta as u8, BUILT][..]);
    key.put_u32(index);
    key.freeze()
}

/// Notes that every row has its entries.
pub(crate) fn mark_built(batch: &mut Batch, index: u32) {
    batch.put(built_key(index), Bytes::from_static(&[FORMAT]));
}

/// The indexes, and views, that were built.
pub(crate) async fn built(kv: &dyn KvRead) -> storage::Result<Vec<u32>> {
    let mut numbers = Vec::new();
    let mut scan = Some(Scan::prefix(&[SPACE, Kind::Meta as u8, BUILT]));
    while let Some(next) = scan {
        let page = kv.scan(next, Page::default()).await?;
        let number = |key: &Bytes| {
            key.get(3..)
                .and_then(|rest| rest.try_into().ok())
                .map(u32::from_be_bytes)
        };
        numbers.extend(page.items.iter().filter_map(|(key, _)| number(key)));
        scan = page.next;
    }
    Ok(numbers)
}
