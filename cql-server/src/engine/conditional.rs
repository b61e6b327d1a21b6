//! Writes that depend on what is stored: one at a time for each partition, read, decided and stored.

use super::{Answer, ColumnSpec, Engine, Outcome, Parameters, node::Part};
use crate::{
    core::{
        rows::{Deletion, Row},
        schema::Table,
        types::{CqlType, Native},
    },
    error::{CqlError, Result},
    state::rows::{Head, Writes},
    statements::{
        assemble,
        write::{Before, Conditions, Target, Write},
    },
    wire::rows::RowsWriter,
};
use bytes::Bytes;
use std::{collections::HashMap, mem::discriminant, sync::Arc};

/// A row as it is stored, with what its partition holds beside.
#[derive(Default)]
pub(super) struct Stored {
    head: Head,
    row: Option<Bytes>,
    enclosing: Option<Deletion>,
}

impl Stored {
    pub(super) fn row(&self) -> Option<Row<'_>> {
        self.row.as_deref().and_then(Row::read)
    }

    pub(super) fn static_row(&self) -> Option<Row<'_>> {
        self.head.static_row.as_deref().and_then(Row::read)
    }

    /// The row and the static row, for changes that depend on them.
    pub(super) fn before(&self) -> (Before<'_>, Before<'_>) {
        let row = Before {
            row: self.row(),
            enclosing: self.enclosing,
        };
        let statics = Before {
            row: self.static_row(),
            enclosing: self.head.deletions().partition,
        };
        (row, statics)
    }

    /// The values of all columns, and whether the row, or where none is meant the static row, exists.
    fn values<'a>(
        &'a self,
        table: &Table,
        key: &'a [u8],
        position: Option<&[u8]>,
        now: i64,
        with_statics: bool,
    ) -> Result<(assemble::Values<'a>, bool)> {
        let mut values = assemble::Values::new(table, false);
        values.partition_key(table, key);
        let partition = self.head.deletions().partition;
        let statics = self
            .static_row()
            .filter(|row| with_statics && row.lives_at(now, partition));
        let row = self.row().filter(|row| row.lives_at(now, self.enclosing));
        if let Some(row) = &statics {
            values.row(table, row, now, partition);
        }
        if let (Some(row), Some(position)) = (&row, position) {
            values.clustering(table, position)?;
            values.row(table, row, now, self.enclosing);
        }
        let exists = if position.is_some() {
            row.is_some()
        } else {
            statics.is_some()
        };
        Ok((values, exists))
    }
}

impl Engine {
    /// Reads the row that a write is about.
    pub(super) async fn stored(&self, write: &Write, target: &Target) -> Result<Stored> {
        let table = &write.table;
        let Some(partition) = target.partitions.first() else {
            return Ok(Stored::default());
        };
        let mut stored = Stored::default();
        if table.clustering().is_empty() {
            // All there is of the partition is one key, and one read sees one state of it.
            stored.row = self.kv.get(&partition.row_key(&[])).await?;
            return Ok(stored);
        }
        let snapshot = self.kv.snapshot()?;
        stored.head = Head::read(&*snapshot, partition, table.has_statics()).await?;
        if let Some(slice) = target.slices.first() {
            stored.enclosing = stored.head.deletions().at(&slice.from);
            stored.row = snapshot.get(&partition.row_key(&slice.from)).await?;
        }
        Ok(stored)
    }

    /// Writes with conditions, alone or in a batch: all of them hold, or nothing is written.
    pub(super) async fn conditional(
        &self,
        parts: &[Part<'_>],
        parameters: &Parameters,
        is_batch: bool,
    ) -> Result<Answer> {
        let mut targets = Vec::with_capacity(parts.len());
        for part in parts {
            targets.push(part.write.target(&self.values(part.bound))?);
        }
        let first = &targets[0].partitions[0];
        if parts
            .iter()
            .any(|part| part.write.table.number != parts[0].write.table.number)
        {
            return Err(CqlError::invalid(
                "Batch with conditions cannot span multiple tables",
            ));
        }
        if targets
            .iter()
            .flat_map(|target| &target.partitions)
            .any(|partition| partition != first)
        {
            return Err(CqlError::invalid(
                "Batch with conditions cannot span multiple partitions",
            ));
        }
        check_mix(parts, &targets)?;
        let with_statics = reads_statics(parts);
        let _held = self.locked(std::iter::once(first.identity())).await?;
        let timestamp_us = self.time.next_us();
        let now = self.now(parameters);
        let key = first.key();
        let mut applied = true;
        let steps = parameters.steps.as_ref();
        self.step(steps, || {
            "Reading existing values for CAS precondition".to_owned()
        });
        let mut all = Vec::with_capacity(parts.len());
        for (part, target) in parts.iter().zip(&targets) {
            all.push(self.stored(&part.write, target).await?);
            let stored = &all[all.len() - 1];
            let position = target.slices.first().map(|slice| &slice.from[..]);
            let (values, exists) = stored.values(&part.write.table, &key, position, now, with_statics)?;
            let bound = self.values(part.bound);
            applied &= part
                .write
                .conditions
                .hold(&part.write.table, &values.cells, exists, &bound)?;
        }
        if !applied {
            self.step(steps, || "CAS did not apply".to_owned());
            return refused(parts, &targets, &all, &key, now, is_batch);
        }
        let mut writes = Writes::default();
        for ((part, target), stored) in parts.iter().zip(&targets).zip(&all) {
            let stage = self.stage(part, parameters, timestamp_us);
            part.write.apply(target, &stage, stored.before(), &mut writes)?;
        }
        self.follow_views(parts, now, &mut writes).await?;
        self.commit(writes).await?;
        self.step_written(steps, parts.iter().map(|part| &*part.write.table));
        Ok(answer(&parts[0].write.table, true, &[], RowsWriter::default()))
    }
}

/// The row that a part of a batch is about; none: the static row.
fn position_of(target: &Target) -> Option<&[u8]> {
    target.slices.first().map(|slice| &slice.from[..])
}

/// Of one row IF NOT EXISTS goes with no other condition.
fn check_mix(parts: &[Part<'_>], targets: &[Target]) -> Result<()> {
    // Of each row one condition of each kind, in the order in which they came.
    let mut before: HashMap<Option<&[u8]>, Vec<&Conditions>> = HashMap::new();
    for (part, target) in parts.iter().zip(targets) {
        let conditions = &part.write.conditions;
        let others = before.entry(position_of(target)).or_default();
        for other in others.iter().copied() {
            let refused = match (conditions, other) {
                (Conditions::NotExists, Conditions::Exists) | (Conditions::Exists, Conditions::NotExists) => {
                    "Cannot mix IF EXISTS and IF NOT EXISTS conditions for the same row"
                }
                (Conditions::NotExists, Conditions::Columns(_))
                | (Conditions::Columns(_), Conditions::NotExists) => {
                    "Cannot mix IF conditions and IF NOT EXISTS for the same row"
                }
                _ => continue,
            };
            return Err(CqlError::invalid(refused));
        }
        if others
            .iter()
            .all(|other| discriminant(*other) != discriminant(conditions))
        {
            others.push(conditions);
        }
    }
    Ok(())
}

/// Whether static columns are looked at: only where they are written or asked about.
fn reads_statics(parts: &[Part<'_>]) -> bool {
    parts.iter().any(|part| {
        let asked = part.write.conditions.columns().unwrap_or_default();
        let is_static = |at: &usize| part.write.table.columns[*at].is_static();
        !part.write.statics.is_empty() || part.write.is_only_static() || asked.iter().any(is_static)
    })
}

/// What is told of the rows whose conditions did not hold: those that exist, else what is static of their partition.
fn refused(
    parts: &[Part<'_>],
    targets: &[Target],
    all: &[Stored],
    key: &[u8],
    now: i64,
    is_batch: bool,
) -> Result<Answer> {
    let table = &parts[0].write.table;
    let columns = shown(parts, is_batch);
    let with_statics = reads_statics(parts);
    let conditional = parts
        .iter()
        .zip(targets)
        .zip(all)
        .filter(|((part, _), _)| part.write.conditions.is_some());
    let mut rows: Vec<_> = conditional
        .map(|((_, target), stored)| (position_of(target), stored))
        .collect();
    rows.sort_by_key(|(position, _)| *position);
    rows.dedup_by_key(|(position, _)| *position);
    // Where rows exist they show the static columns; alone these are shown last.
    let without_row = all.first().map(|stored| (None, stored));
    let mut out = RowsWriter::default();
    for (position, stored) in rows
        .into_iter()
        .filter(|(position, _)| position.is_some())
        .chain(without_row)
    {
        let (values, exists) = stored.values(table, key, position, now, with_statics)?;
        if exists && (position.is_some() || out.count() == 0) {
            out.cell(Some(&[0]));
            columns
                .iter()
                .for_each(|at| out.cell(values.cells[*at].as_deref()));
            out.end_row();
        }
    }
    Ok(answer(table, false, &columns, out))
}

/// The columns that are told where conditions did not hold.
fn shown(parts: &[Part<'_>], is_batch: bool) -> Vec<usize> {
    let table = &parts[0].write.table;
    let keys = table.partition_key().len() + table.clustering().len();
    let conditional = parts.iter().filter(|part| part.write.conditions.is_some());
    let mut columns: Vec<usize> = if is_batch { (0..keys).collect() } else { Vec::new() };
    for part in conditional {
        let Some(asked) = part.write.conditions.columns() else {
            return (0..table.columns.len()).collect();
        };
        columns.extend(asked);
    }
    let mut once: Vec<usize> = Vec::new();
    columns.into_iter().for_each(|at| {
        if !once.contains(&at) {
            once.push(at);
        }
    });
    once
}

/// The answer of a conditional write: `[applied]`, and where it was not, what is stored instead.
fn answer(table: &Arc<Table>, applied: bool, columns: &[usize], mut rows: RowsWriter) -> Answer {
    let spec = |name: &Arc<str>, kind: &CqlType| ColumnSpec {
        keyspace: table.keyspace.clone(),
        table: table.name.clone(),
        name: name.clone(),
        kind: kind.clone(),
    };
    let mut specs = vec![spec(&"[applied]".into(), &CqlType::Native(Native::Boolean))];
    if rows.count() == 0 {
        rows.cell(Some(&[u8::from(applied)]));
        rows.end_row();
    } else {
        specs.extend(
            columns
                .iter()
                .map(|at| spec(&table.columns[*at].name, &table.columns[*at].kind)),
        );
    }
    Answer {
        outcome: Outcome::Rows(rows.finish(specs.into(), None)),
        warnings: Vec::new(),
    }
}
