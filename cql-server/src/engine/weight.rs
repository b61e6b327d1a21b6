//! How many bytes a batch writes, as the original counts them, and what it is told of that.

use crate::{
    core::{
        guardrails::{Guardrails, Threshold},
        rows::{Content, Row, merge},
        schema::Table,
    },
    error::{CqlError, Result},
    state::rows::{Part as PartOf, Place, Writes},
    statements::assemble,
};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use storage::Op;

/// A partition without rows: its deletion, and a static row that says nothing.
const PARTITION_BYTES: usize = 8 + ROW_BYTES;
/// A row without cells: when it was written, and its deletion.
const ROW_BYTES: usize = 8 + 13;
/// A cell beside its name and value.
const CELL_BYTES: usize = 20;
/// The time to live of a row.
const EXPIRY_BYTES: usize = 12;
/// Within a key, values of clustering columns take no less than a third of their bytes.
const KEY_FACTOR: usize = 3;

/// What the writes of one batch are told, if they are too many bytes; an error, if they are far too many. A batch of one
/// partition is one write, however large.
pub(super) fn check<'t>(
    guardrails: &Guardrails,
    tables: impl Iterator<Item = &'t Table> + Clone,
    writes: &Writes,
) -> Result<Option<String>> {
    let limit = guardrails.limit(Threshold::BatchSize);
    let (warn, fail) = (limit.warn.unwrap_or(i64::MAX), limit.fail.unwrap_or(i64::MAX));
    let small = warn.min(fail);
    if at_most(writes, operand_at_most) <= small || at_most(writes, cells_at_most) <= small {
        return Ok(None);
    }
    let (mut partitions, mut rows) = (BTreeSet::new(), BTreeMap::<&Bytes, Vec<&[u8]>>::new());
    for op in &writes.batch.ops {
        if let Op::Merge(key, operand) = op
            && let Some(place) = Place::read(key)
        {
            partitions.insert(place.partition.identity().to_vec());
            rows.entry(key).or_default().push(operand);
        }
    }
    if partitions.len() < 2 {
        return Ok(None);
    }
    let mut bytes = PARTITION_BYTES * partitions.len();
    for (key, operands) in rows {
        bytes += row_bytes(tables.clone(), key, &operands)?;
    }
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    if bytes > fail {
        return Err(CqlError::invalid("Batch too large"));
    }
    let names: Vec<String> = unique(tables.map(|table| format!("{}.{}", table.keyspace, table.name)));
    Ok((bytes > warn).then(|| {
        format!(
            "Batch for [{}] is of size {bytes}, exceeding specified threshold of {warn} by {}.",
            names.join(", "),
            bytes - warn
        )
    }))
}

/// More than it can be, where no operand is more than `operand` says.
fn at_most(writes: &Writes, operand: fn(&[u8]) -> usize) -> i64 {
    let bytes = |op: &Op| match op {
        Op::Merge(key, written) => {
            PARTITION_BYTES + ROW_BYTES + EXPIRY_BYTES + KEY_FACTOR * key.len() + operand(written)
        }
        _ => 0,
    };
    i64::try_from(writes.batch.ops.iter().map(bytes).sum::<usize>()).unwrap_or(i64::MAX)
}

/// Without looking closer: names of elements and values are in it, and no cell takes fewer than two bytes there.
fn operand_at_most(operand: &[u8]) -> usize {
    operand.len() * (1 + CELL_BYTES / 2)
}

/// The cells of what is written, before those that are written more than once are merged.
fn cells_at_most(operand: &[u8]) -> usize {
    Row::read(operand).map_or(0, |row| cells_bytes(&row))
}

fn cells_bytes(row: &Row<'_>) -> usize {
    let content = |content: Content<'_>| match content {
        Content::Value(value) | Content::Expiring(value, _) => CELL_BYTES + value.len(),
        Content::Dead { .. } => CELL_BYTES,
        Content::Cleared { .. } => EXPIRY_BYTES,
        Content::Count(_) => CELL_BYTES + 8,
    };
    row.cells()
        .map(|one| content(one.content) + one.path.map_or(0, <[u8]>::len))
        .sum()
}

fn row_bytes<'t>(
    mut tables: impl Iterator<Item = &'t Table>,
    key: &Bytes,
    operands: &[&[u8]],
) -> Result<usize> {
    let Some(place) = Place::read(key) else {
        return Ok(0);
    };
    if place.part == PartOf::Deletions {
        return Ok(0);
    }
    let merged = merge(None, operands);
    let Some(row) = Row::read(&merged) else {
        return Ok(0);
    };
    let mut bytes = 0;
    if place.part == PartOf::Row {
        bytes += ROW_BYTES;
        if let Some(table) = tables.find(|table| table.number == place.partition.table()) {
            let mut values = assemble::Values::new(table, false);
            values.clustering(table, &place.position)?;
            bytes += values
                .cells
                .iter()
                .flatten()
                .map(|value| value.len())
                .sum::<usize>();
        }
    }
    if row.liveness.is_some_and(|stamp| stamp.expiry.is_some()) {
        bytes += EXPIRY_BYTES;
    }
    Ok(bytes + cells_bytes(&row))
}

fn unique(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut all = Vec::new();
    for name in names {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    all
}
