//! What was deleted of one partition: all of it, or ranges of its rows.

use super::{DELETIONS_FORMAT, Deletion, varint};
use std::collections::BTreeMap;

/// Rows between two positions that were deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RangeDeletion<'a> {
    /// The first position that is deleted, in the byte-comparable form of clustering.
    pub(crate) from: &'a [u8],
    /// The first position after it that is not.
    pub(crate) to: &'a [u8],
    pub(crate) deletion: Deletion,
}

/// Everything that was deleted of a partition beyond single rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Deletions<'a> {
    pub(crate) partition: Option<Deletion>,
    /// In order, without overlaps.
    pub(crate) ranges: Vec<RangeDeletion<'a>>,
}

impl<'a> Deletions<'a> {
    /// `None` where the bytes are no such record.
    pub(crate) fn read(mut input: &'a [u8]) -> Option<Self> {
        let input = &mut input;
        if varint::take_byte(input)? != DELETIONS_FORMAT {
            return None;
        }
        let partition = match varint::take_byte(input)? {
            0 => None,
            _ => Some(take_deletion(input)?),
        };
        let mut ranges = Vec::new();
        while !input.is_empty() {
            ranges.push(RangeDeletion {
                from: varint::take_bytes(input)?,
                to: varint::take_bytes(input)?,
                deletion: take_deletion(input)?,
            });
        }
        Some(Deletions { partition, ranges })
    }

    /// Those of a stored record, if there is one.
    pub(crate) fn of(record: Option<&'a [u8]>) -> Self {
        record.and_then(Deletions::read).unwrap_or_default()
    }

    /// The stored form.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![DELETIONS_FORMAT, u8::from(self.partition.is_some())];
        if let Some(deletion) = self.partition {
            put_deletion(&mut out, deletion);
        }
        for range in &self.ranges {
            varint::put_bytes(&mut out, range.from);
            varint::put_bytes(&mut out, range.to);
            put_deletion(&mut out, range.deletion);
        }
        out
    }

    /// The deletion that covers the row at `position`, if any does.
    pub(crate) fn at(&self, position: &[u8]) -> Option<Deletion> {
        let behind = self.ranges.partition_point(|range| range.from <= position);
        let range = behind.checked_sub(1).map(|index| &self.ranges[index]);
        let range = range.filter(|range| position < range.to);
        self.partition.max(range.map(|range| range.deletion))
    }

    /// All of them as one: at each position the latest deletion counts.
    pub(super) fn merge(all: impl Iterator<Item = Deletions<'a>>) -> Deletions<'a> {
        let mut merged = Deletions::default();
        for one in all {
            merged.partition = merged.partition.max(one.partition);
            merged.ranges.extend(one.ranges);
        }
        let partition = merged.partition;
        merged
            .ranges
            .retain(|range| range.from < range.to && Some(range.deletion) > partition);
        merged.ranges = without_overlaps(&merged.ranges);
        merged
    }
}

/// Sweeps over the ends of `ranges`, with the deletions that are open at each.
fn without_overlaps<'a>(ranges: &[RangeDeletion<'a>]) -> Vec<RangeDeletion<'a>> {
    let mut ends: Vec<(&[u8], Deletion, bool)> = Vec::with_capacity(ranges.len() * 2);
    for range in ranges {
        ends.push((range.from, range.deletion, true));
        ends.push((range.to, range.deletion, false));
    }
    ends.sort_unstable();
    let mut open: BTreeMap<Deletion, usize> = BTreeMap::new();
    let mut out: Vec<RangeDeletion<'a>> = Vec::new();
    for here in ends.chunk_by(|left, right| left.0 == right.0) {
        for (_, deletion, opens) in here {
            let count = open.entry(*deletion).or_default();
            // Both ends of a range are met once, and ranges are not empty: a count never falls below zero.
            *count = if *opens { *count + 1 } else { count.wrapping_sub(1) };
        }
        open.retain(|_, count| *count != 0);
        let position = here[0].0;
        let latest = open.last_key_value().map(|(deletion, _)| *deletion);
        let previous = out.last_mut().filter(|range| range.to.is_empty());
        match previous {
            Some(previous) if Some(previous.deletion) == latest => continue,
            Some(previous) => previous.to = position,
            None => {}
        }
        if let Some(deletion) = latest {
            // Open until the sweep meets its end: no range ends at the empty position.
            out.push(RangeDeletion {
                from: position,
                to: &[],
                deletion,
            });
        }
    }
    out
}

fn put_deletion(out: &mut Vec<u8>, deletion: Deletion) {
    out.extend_from_slice(&deletion.timestamp.to_be_bytes());
    varint::put_signed(out, deletion.at);
}

fn take_deletion(input: &mut &[u8]) -> Option<Deletion> {
    Some(Deletion {
        timestamp: varint::take_i64(input)?,
        at: varint::take_signed(input)?,
    })
}
