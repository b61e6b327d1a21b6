//! What of a row, or of the deletions of a partition, nobody will ever ask for again.
//!
//! Works on what all fragments of a key were folded into, never on some of them: a tombstone may only be forgotten
//! together with everything that it hides.

#[cfg(test)]
mod tests;

use super::{
    Cell, Content, DELETIONS_FORMAT, Deletion, Deletions, Expiry, ROW_FORMAT, Row,
    encode::row,
    merge::{merge, write},
};

/// The second at which it is decided, and how long deletions are remembered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grace {
    pub(crate) now: i64,
    /// The table's `gc_grace_seconds`.
    pub(crate) seconds: i64,
}

/// When more of a value may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Ends {
    /// The second at which the first of it expires.
    expires: Option<i64>,
    /// The second at which the first of what is still remembered was deleted.
    deleted: Option<i64>,
}

impl Ends {
    /// As of something that nobody has looked at.
    pub(crate) fn unknown() -> Self {
        Ends {
            expires: Some(i64::MIN),
            deleted: None,
        }
    }

    /// Of a value of which nothing can go before `now`, as far as it may go one day though nobody overwrites it.
    pub(crate) fn of(value: &[u8], now: i64) -> Self {
        let mut ends = Ends::default();
        if !is_mortal(value) {
            return ends;
        }
        if let Some(row) = Row::read(value) {
            ends.delete(row.deletion.map(|deletion| deletion.at));
            ends.expire(row.liveness.and_then(|stamp| stamp.expiry), now);
            for cell in row.cells() {
                ends.expire(cell.content.expiry(), now);
                if let Content::Dead { at } | Content::Cleared { at } = cell.content {
                    ends.delete(Some(at));
                }
            }
        } else if let Some(deletions) = Deletions::read(value) {
            let ranges = deletions.ranges.iter().map(|range| range.deletion);
            let all = deletions.partition.into_iter().chain(ranges);
            all.for_each(|deletion| ends.delete(Some(deletion.at)));
        }
        ends
    }

    /// The second from which on something of it may go.
    pub(crate) fn due(self, grace_seconds: i64) -> Option<i64> {
        let deleted = self.deleted.map(|at| forgotten_from(at, grace_seconds));
        earlier(self.expires, deleted)
    }

    /// The earlier of both.
    pub(crate) fn add(&mut self, other: Ends) {
        self.expires = earlier(self.expires, other.expires);
        self.delete(other.deleted);
    }

    fn delete(&mut self, at: Option<i64>) {
        self.deleted = earlier(self.deleted, at);
    }

    fn expire(&mut self, expiry: Option<Expiry>, now: i64) {
        match expiry {
            Some(expiry) if expiry.at <= now => self.delete(Some(expiry.written())),
            expiry => self.expires = earlier(self.expires, expiry.map(|expiry| expiry.at)),
        }
    }
}

fn earlier(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    one.into_iter().chain(other).min()
}

fn forgotten_from(at: i64, grace_seconds: i64) -> i64 {
    at.saturating_add(grace_seconds).saturating_add(1)
}

impl Grace {
    /// Whether what was deleted at a second is still to be remembered.
    fn keeps(self, at: i64) -> bool {
        self.now < forgotten_from(at, self.seconds)
    }

    /// Whether something that expires still lives, or is still to be remembered as deleted.
    fn keeps_expiring(self, expiry: Option<Expiry>) -> bool {
        expiry.is_none_or(|expiry| self.now < expiry.at || self.keeps(expiry.written()))
    }
}

/// What is left of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Left {
    All,
    Some(Vec<u8>),
    Nothing,
}

impl Left {
    fn of(before: &[u8], after: Vec<u8>) -> Self {
        if after == before {
            Left::All
        } else {
            Left::Some(after)
        }
    }
}

/// Whether something of a fragment, or of a record of deletions, may go one day though nobody overwrites it.
pub(crate) fn is_mortal(value: &[u8]) -> bool {
    match value {
        [ROW_FORMAT, flags, ..] => flags & (row::EXPIRES | row::DELETED | row::MORTAL) != 0,
        [DELETIONS_FORMAT, ..] => true,
        _ => false,
    }
}

/// What is left of a row. `enclosing`: what its partition or a range deleted, which stays. `hides`: whether a cell of that
/// column and timestamp belongs to a column that was dropped.
///
/// Every reader from `grace.now` on sees what it saw before, whatever is written meanwhile: an expired cell loses its value
/// but keeps its place among others of the same timestamp, and goes for good once its deletion need not be remembered.
pub(crate) fn collect(
    fragment: &[u8],
    enclosing: Option<Deletion>,
    grace: Grace,
    hides: impl Fn(u32, i64) -> bool,
) -> Left {
    // A fragment as it was written is not folded with itself yet.
    let folded = merge(None, &[fragment, &[]]);
    let Some(row) = Row::read(&folded).filter(|_| Row::read(fragment).is_some()) else {
        return Left::All;
    };
    let covered = |timestamp| enclosing.is_some_and(|deletion| deletion.covers(timestamp));
    let deletion = row
        .deletion
        .filter(|deletion| !covered(deletion.timestamp) && grace.keeps(deletion.at));
    // Counts are hidden by the deletion of their row for as long as it is remembered.
    let ends_with_row =
        |cell: &Cell<'_>| deletion.is_none() && row.deletion.is_some_and(|gone| gone.covers(cell.timestamp));
    let liveness = row
        .liveness
        .filter(|stamp| !covered(stamp.timestamp) && grace.keeps_expiring(stamp.expiry));
    let cells: Vec<Cell<'_>> = row
        .cells()
        .filter(|cell| {
            !covered(cell.timestamp) && !hides(cell.column, cell.timestamp) && !ends_with_row(cell)
        })
        .filter(|cell| match cell.content {
            Content::Value(_) | Content::Count(_) => true,
            Content::Expiring(_, expiry) => grace.keeps_expiring(Some(expiry)),
            Content::Dead { at } | Content::Cleared { at } => grace.keeps(at),
        })
        .map(|cell| without_value(cell, grace.now))
        .collect();
    match (liveness, deletion, cells.is_empty()) {
        (None, None, true) => Left::Nothing,
        _ => Left::of(fragment, write(liveness, deletion, &cells, folded.len())),
    }
}

/// What is left of the deletions of a partition, none of whose rows holds anything that they cover.
pub(crate) fn collect_deletions(record: &[u8], grace: Grace) -> Left {
    let Some(mut deletions) = Deletions::read(record) else {
        return Left::All;
    };
    deletions.partition = deletions.partition.filter(|deletion| grace.keeps(deletion.at));
    deletions.ranges.retain(|range| grace.keeps(range.deletion.at));
    match deletions.partition.is_none() && deletions.ranges.is_empty() {
        true => Left::Nothing,
        false => Left::of(record, deletions.to_bytes()),
    }
}

/// An expired cell needs no value any more.
fn without_value(cell: Cell<'_>, now: i64) -> Cell<'_> {
    match cell.content {
        Content::Expiring(_, expiry) if expiry.at <= now => Cell {
            content: Content::Expiring(&[], expiry),
            ..cell
        },
        _ => cell,
    }
}
