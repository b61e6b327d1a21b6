//! Cells, rows, deletions and collections, and how versions of them merge: last write wins per cell.
//!
//! Knows: timestamps, expiry, tombstones, the stored form of a row fragment. Never: keys, the present time but as an argument.
//!
//! A fragment is whatever is known of one row: a single write, or all writes so far. Both have one form, so a write
//! is stored without a look at what is there, and merging is how a fragment grows. [`merge::merge`] is the one
//! function that folds fragments, for reads, the store's compaction and whatever replicates rows. [`collect::collect`]
//! says what of a folded one nobody will ever ask for again.

mod collect;
mod decode;
mod deletions;
mod encode;
mod live;
mod merge;
#[cfg(test)]
mod tests;
mod varint;

pub(crate) use collect::{Ends, Grace, Left, collect, collect_deletions, is_mortal};
pub(crate) use decode::{Cells, Row};
pub(crate) use deletions::{Deletions, RangeDeletion};
pub(crate) use encode::RowWriter;
pub(crate) use merge::merge;

/// First byte of a row fragment: its format.
const ROW_FORMAT: u8 = 1;
/// First byte of a record of partition and range deletions.
const DELETIONS_FORMAT: u8 = 2;

/// Deletes what was written up to `timestamp`, itself included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Deletion {
    /// Microseconds; compared with the timestamps of cells.
    pub(crate) timestamp: i64,
    /// Seconds since 1970 when it was written: after `gc_grace_seconds` it may be forgotten.
    pub(crate) at: i64,
}

impl Deletion {
    /// Whether something written at `timestamp` is deleted.
    pub(crate) fn covers(self, timestamp: i64) -> bool {
        timestamp <= self.timestamp
    }
}

/// When something stops to live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Expiry {
    /// Seconds since 1970.
    pub(crate) at: i64,
    /// The TTL it was written with, seconds.
    pub(crate) ttl: u32,
}

impl Expiry {
    /// The second at which it was written: once it is over, it counts as deleted then.
    fn written(self) -> i64 {
        self.at.saturating_sub(i64::from(self.ttl))
    }
}

/// When a cell, or a row as such, was written, and until when that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) timestamp: i64,
    pub(crate) expiry: Option<Expiry>,
}

impl Stamp {
    /// Whether it still lives at `now`, in seconds.
    pub(crate) fn lives_at(self, now: i64) -> bool {
        self.expiry.is_none_or(|expiry| now < expiry.at)
    }

    /// Which of two liveness marks of a row counts: the later one, then the one that expires, then the one that does so later.
    fn supersedes(self, other: Stamp) -> bool {
        (self.timestamp, self.expiry) > (other.timestamp, other.expiry)
    }
}

/// What is known of one column of a row, or of one element of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell<'a> {
    /// The column's small id, stable for the life of its table.
    pub(crate) column: u32,
    /// The element: key of a map, element of a set, position of a list, field of a type. `None` in simple columns.
    pub(crate) path: Option<&'a [u8]>,
    pub(crate) timestamp: i64,
    pub(crate) content: Content<'a>,
}

/// What a cell holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content<'a> {
    Value(&'a [u8]),
    Expiring(&'a [u8], Expiry),
    /// A tombstone, written at that second.
    Dead {
        at: i64,
    },
    /// All elements of the column up to the timestamp are deleted.
    Cleared {
        at: i64,
    },
    /// What was added to a counter. Counts add up where other cells replace each other.
    Count(i64),
}

impl Content<'_> {
    fn expiry(self) -> Option<Expiry> {
        match self {
            Content::Expiring(_, expiry) => Some(expiry),
            _ => None,
        }
    }
}
