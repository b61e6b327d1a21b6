//! Folds fragments of one row, or deletions of one partition.

use super::{Cell, Content, Deletion, Deletions, ROW_FORMAT, Row, RowWriter, Stamp};
use std::cmp::Ordering;

/// Folds `operands`, oldest first, into what is `existing`. What is malformed is left out.
///
/// Associative, commutative and idempotent, so that it does not matter who merges what when; only counts add up, and
/// therefore want each operand exactly once. A sum has the later timestamp, and is deleted as a whole or not at all: what was
/// counted before its row was deleted is hidden until something is added, as in the original while it remembers it.
pub(crate) fn merge(existing: Option<&[u8]>, operands: &[&[u8]]) -> Vec<u8> {
    let fragments = || existing.into_iter().chain(operands.iter().copied());
    match (existing, operands) {
        // Most rows are written once.
        (None, &[only]) | (Some(only), []) => only.to_vec(),
        _ if fragments().any(|fragment| fragment.first() == Some(&ROW_FORMAT)) => merge_rows(fragments()),
        _ => Deletions::merge(fragments().filter_map(Deletions::read)).to_bytes(),
    }
}

fn merge_rows<'a>(fragments: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut liveness: Option<Stamp> = None;
    let mut deletion: Option<Deletion> = None;
    let mut cells: Vec<Cell<'a>> = Vec::new();
    let mut bytes = 0;
    for fragment in fragments {
        let Some(row) = Row::read(fragment) else { continue };
        let whole = cells.len();
        let mut read = row.cells();
        cells.extend(read.by_ref());
        if !read.is_at_end() {
            cells.truncate(whole);
            continue;
        }
        bytes += fragment.len();
        deletion = deletion.max(row.deletion);
        if let Some(stamp) = row.liveness
            && liveness.is_none_or(|kept| stamp.supersedes(kept))
        {
            liveness = Some(stamp);
        }
    }
    let deleted = |timestamp| deletion.is_some_and(|deletion| deletion.covers(timestamp));
    let liveness = liveness.filter(|stamp| !deleted(stamp.timestamp));
    cells.retain(|cell| matches!(cell.content, Content::Count(_)) || !deleted(cell.timestamp));
    cells.sort_by(place);
    write(liveness, deletion, &cells, bytes)
}

/// Writes what remains of cells in order, several of which may have the same place.
pub(super) fn write(
    liveness: Option<Stamp>,
    deletion: Option<Deletion>,
    cells: &[Cell<'_>],
    bytes: usize,
) -> Vec<u8> {
    let stamp = liveness.or_else(|| cells.first().map(stamp)).unwrap_or(Stamp {
        timestamp: deletion.map_or(0, |deletion| deletion.timestamp),
        expiry: None,
    });
    let mut out = RowWriter::with_capacity(stamp, liveness.is_some(), deletion, bytes);
    let mut cleared: Option<Cell<'_>> = None;
    for same in cells.chunk_by(|left, right| place(left, right).is_eq()) {
        let winner = same.iter().copied().reduce(resolve);
        let Some(winner) = winner else { continue };
        if matches!(winner.content, Content::Cleared { .. }) {
            cleared = Some(winner);
        } else if cleared.is_some_and(|by| by.column == winner.column && winner.timestamp <= by.timestamp) {
            continue;
        }
        out.cell(&winner);
    }
    out.finish()
}

fn stamp(cell: &Cell<'_>) -> Stamp {
    Stamp {
        timestamp: cell.timestamp,
        expiry: cell.content.expiry(),
    }
}

/// The order of cells: by column; within one first what clears it, then its elements.
fn place(left: &Cell<'_>, right: &Cell<'_>) -> Ordering {
    let clears = |cell: &Cell<'_>| !matches!(cell.content, Content::Cleared { .. });
    (left.column, clears(left), left.path).cmp(&(right.column, clears(right), right.path))
}

/// Which of two cells of the same place counts.
fn resolve<'a>(left: Cell<'a>, right: Cell<'a>) -> Cell<'a> {
    if let (Content::Count(left_count), Content::Count(right_count)) = (left.content, right.content) {
        return Cell {
            timestamp: left.timestamp.max(right.timestamp),
            content: Content::Count(left_count.wrapping_add(right_count)),
            ..left
        };
    }
    match precedence(&left).cmp(&precedence(&right)) {
        Ordering::Less => right,
        _ => left,
    }
}

/// By timestamp. At the same one what ends a cell goes before what does not, so that the outcome does not depend on
/// when it is looked at: tombstones, then expiring cells, the longer one first, then the larger value.
/// The tombstone of a counter is final.
fn precedence<'a>(cell: &Cell<'a>) -> (i64, u8, i64, u32, &'a [u8]) {
    match cell.content {
        Content::Dead { at } | Content::Cleared { at } => (cell.timestamp, 2, at, 0, &[]),
        Content::Expiring(value, expiry) => (cell.timestamp, 1, expiry.at, !expiry.ttl, value),
        Content::Value(value) => (cell.timestamp, 0, 0, 0, value),
        Content::Count(_) => (i64::MIN, 0, 0, 0, &[]),
    }
}
