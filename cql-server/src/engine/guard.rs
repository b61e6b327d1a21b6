//! What guardrails say to an execution. Superusers are exempt, and so is everybody where nobody has to log in.

use super::{
    Engine, Parameters, Session, Value,
    prepared::{Plan, Prepared},
};
use crate::{
    core::{
        guardrails::{Guardrails, Switch, Threshold, Watch, Words},
        schema::{Column, Table, TargetPart, system},
        types::{CqlType, elements},
    },
    error::Result,
    statements::{
        restrictions::{Partitions, Restrictions},
        select,
        terms::Values,
        write::{Change, Write},
    },
};
use std::sync::Arc;

/// Bytes that the original counts for a cell beside its name and value.
const CELL_BYTES: usize = 20;
/// Bytes of the names that it gives to the elements of a list.
const POSITION_BYTES: usize = 16;

/// Bytes that it puts around the two parts of an entry.
const ENTRY_BYTES: usize = 6;

/// A write with the values of its markers.
type Bound<'w> = (&'w Write, &'w [Value]);

impl Engine {
    /// Looks at what `session` does; `None`: nothing is forbidden to it.
    pub(super) fn watch(&self, session: &Session) -> Option<Watch<'_>> {
        let is_watched = self.has_guardrails && !session.is_internal() && self.access.is_ordinary(session);
        is_watched.then(|| Watch::new(&self.guardrails))
    }

    /// The same of writes: what storage-attached indexes take is limited by default.
    fn watch_writes<'t>(
        &self,
        session: &Session,
        mut tables: impl Iterator<Item = &'t Arc<Table>>,
    ) -> Option<Watch<'_>> {
        let has_terms = |table: &Arc<Table>| table.indexes.iter().any(|index| index.is_sai());
        let is_watched = self.has_guardrails || tables.any(has_terms);
        (is_watched && !session.is_internal() && self.access.is_ordinary(session))
            .then(|| Watch::new(&self.guardrails))
    }

    /// Sets what statements may be like.
    pub(crate) fn set_guardrails(&mut self, guardrails: Guardrails) {
        self.has_guardrails = !guardrails.is_default();
        self.guardrails = guardrails;
    }

    /// Looks at a statement before it is executed. What it is warned of.
    pub(super) fn guard(
        &self,
        plan: &Plan,
        parameters: &Parameters,
        session: &Session,
    ) -> Result<Vec<String>> {
        let watch = match plan {
            Plan::Write(write) => self.watch_writes(session, std::iter::once(&write.table)),
            Plan::Batch(batch) => self.watch_writes(session, batch.writes.iter().map(|write| &write.table)),
            _ => self.watch(session),
        };
        let Some(mut watch) = watch else {
            return Ok(Vec::new());
        };
        let bound = &parameters.values[..];
        match plan {
            Plan::Select(plan) if !plan.is_system => self.guard_select(plan, parameters, &mut watch)?,
            Plan::Write(write) => self.guard_writes(&[(&**write, bound)], false, parameters, &mut watch)?,
            Plan::Batch(batch) => {
                let writes: Vec<Bound<'_>> = batch.writes.iter().map(|write| (write, bound)).collect();
                self.guard_writes(&writes, true, parameters, &mut watch)?;
            }
            Plan::Truncate(_) => watch.allow(Switch::DropTable)?,
            Plan::Select(plan) => page_size(plan, parameters, &mut watch)?,
            Plan::Other(_) => {}
        }
        Ok(watch.warnings)
    }

    /// The same for a batch of statements with values of their own.
    pub(super) fn guard_batch(
        &self,
        statements: &[(Arc<Prepared>, Vec<Value>)],
        parameters: &Parameters,
        session: &Session,
    ) -> Result<Vec<String>> {
        let writes = || {
            statements
                .iter()
                .filter_map(|(prepared, bound)| match &prepared.plan {
                    Plan::Write(write) => Some((&**write, &bound[..])),
                    _ => None,
                })
        };
        let Some(mut watch) = self.watch_writes(session, writes().map(|(write, _)| &write.table)) else {
            return Ok(Vec::new());
        };
        self.guard_writes(&writes().collect::<Vec<_>>(), true, parameters, &mut watch)?;
        Ok(watch.warnings)
    }

    fn guard_select(
        &self,
        plan: &select::Plan,
        parameters: &Parameters,
        watch: &mut Watch<'_>,
    ) -> Result<()> {
        if plan.allows_filtering {
            watch.allow(Switch::AllowFiltering)?;
        }
        if plan.group.is_some() {
            watch.allow(Switch::GroupBy)?;
        }
        if !plan.drivers.is_empty() && !plan.restrictions.by_key {
            watch.allow(Switch::IndexesOfAll)?;
        }
        let level = parameters.consistency.to_string();
        watch.disallow(Words::ReadLevelsDisallowed, &[&level])?;
        watch.discourage(Words::ReadLevelsWarned, &[&level]);
        let table = &plan.table;
        page_size(plan, parameters, watch)?;
        let values = self.values(&parameters.values);
        combinations(&plan.restrictions, table, &values, watch)?;
        if plan.restrictions.has_many_partitions()
            && let Partitions::Keys(keys) = plan.restrictions.partitions(table, &values)?
        {
            let keys = i64::try_from(keys.most()).unwrap_or(i64::MAX);
            watch.count(Threshold::KeysInSelect, keys, &table.name)?;
        }
        Ok(())
    }

    fn guard_writes(
        &self,
        writes: &[Bound<'_>],
        is_batch: bool,
        parameters: &Parameters,
        watch: &mut Watch<'_>,
    ) -> Result<()> {
        let of_clients = || {
            writes
                .iter()
                .filter(|(write, _)| !system::is_system(&write.table.keyspace))
        };
        for (write, _) in of_clients() {
            if write.timestamp.is_some() {
                watch.allow(Switch::UserTimestamps)?;
            }
            for (at, change) in write.changes.iter().chain(&write.statics) {
                list_reads(&write.table.columns[*at], change, watch)?;
            }
        }
        if of_clients().next().is_some() {
            let level = parameters.consistency.to_string();
            watch.disallow(Words::WriteLevelsDisallowed, &[&level])?;
            watch.discourage(Words::WriteLevelsWarned, &[&level]);
            // A condition of its own lets a statement pass, as in the original.
            if is_batch || !writes.iter().any(|(write, _)| write.conditions.is_some()) {
                self.guard_disk(watch)?;
            }
        }
        for (write, bound) in of_clients() {
            let values = self.values(bound);
            if let Some(term) = &write.timestamp
                && let Some(bytes) = term.bytes(&values)?
                && let Ok(bytes) = bytes[..].try_into()
            {
                let now_us = self.time.now_ms().saturating_mul(1000);
                watch.timestamp(i64::from_be_bytes(bytes), now_us, &write.table.name)?;
            }
            combinations(&write.restrictions, &write.table, &values, watch)?;
            // What a condition stands before is looked at by nobody unless it holds.
            if !write.conditions.is_some() {
                let write = write.resolved(&values)?;
                for (at, change) in write.changes.iter().chain(&write.statics) {
                    sizes(&write.table.columns[*at], change, &values, watch)?;
                }
                terms(&write, &values, watch)?;
            }
        }
        Ok(())
    }
}

/// Looks at how many rows are asked for at a time, of tables of the system too.
fn page_size(plan: &select::Plan, parameters: &Parameters, watch: &mut Watch<'_>) -> Result<()> {
    let page = parameters.page_size.filter(|size| *size > 0);
    watch.count(Threshold::PageSize, page.map_or(0, i64::from), &plan.table.name)
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// How many values the lists of IN come to together.
fn combinations(
    restrictions: &Restrictions,
    table: &crate::core::schema::Table,
    values: &Values<'_>,
    watch: &mut Watch<'_>,
) -> Result<()> {
    for (of, what) in [
        (&restrictions.partition, "partition key"),
        (&restrictions.clustering, "clustering key"),
    ] {
        let mut product = 1_usize;
        for restriction in of {
            product = product.saturating_mul(restriction.width(table, values)?);
        }
        watch.count(Threshold::Combinations, number(product), what)?;
    }
    Ok(())
}

/// Elements of lists have no names but their positions, which must be read.
fn list_reads(column: &Column, change: &Change, watch: &mut Watch<'_>) -> Result<()> {
    if !change.reads(column) {
        return Ok(());
    }
    let what = match change {
        Change::SetElement(..) => "Setting of list items by index requiring read before write",
        Change::DeleteElement(_) => "Removal of list items by index requiring read before write",
        _ => "Removal of list items requiring read before write",
    };
    watch.allow_as(Switch::ListReads, what)
}

/// Looks at what storage-attached indexes are to find rows by.
fn terms(write: &Write, values: &Values<'_>, watch: &mut Watch<'_>) -> Result<()> {
    let table = &write.table;
    for index in table.indexes.iter().filter(|index| index.is_sai()) {
        let changes = write.changes.iter().chain(&write.statics);
        let changes = changes.filter(|(at, _)| *table.columns[*at].name == *index.target.column);
        for (at, change) in changes {
            let column = &table.columns[*at];
            let threshold = match &column.kind {
                CqlType::Vector { .. } => Threshold::VectorTerm,
                kind if !kind.is_multi_cell() && !matches!(kind, CqlType::Native(_)) => Threshold::FrozenTerm,
                _ => Threshold::StringTerm,
            };
            for bytes in term_sizes(column, index.target.part, change, values)? {
                watch.count(threshold, number(bytes), &column.name)?;
            }
        }
    }
    Ok(())
}

/// How large the terms are that a change adds.
fn term_sizes(column: &Column, part: TargetPart, change: &Change, values: &Values<'_>) -> Result<Vec<usize>> {
    let (key, term) = match change {
        Change::Set(term) | Change::Add(term) | Change::Prepend(term) => (None, term),
        Change::SetElement(key, term) => (Some(key), term),
        _ => return Ok(Vec::new()),
    };
    let Some(value) = term.bytes(values)? else {
        return Ok(Vec::new());
    };
    let entry = |key: &[u8], value: &[u8]| match part {
        TargetPart::Keys => key.len(),
        TargetPart::Entries => key.len() + value.len() + ENTRY_BYTES,
        _ => value.len(),
    };
    Ok(match (&column.kind, key) {
        (kind, _) if !kind.is_multi_cell() => vec![value.len()],
        (CqlType::Map { .. }, Some(key)) => {
            let key = key.bytes(values)?.unwrap_or_default();
            vec![entry(&key, &value)]
        }
        (CqlType::Map { .. }, None) => elements::entries(&value)
            .map(|(key, value)| entry(key, value))
            .collect(),
        (_, Some(_)) => vec![value.len()],
        _ => elements::elements(&value).map(<[u8]>::len).collect(),
    })
}

/// Looks at what a change writes.
fn sizes(column: &Column, change: &Change, values: &Values<'_>, watch: &mut Watch<'_>) -> Result<()> {
    let (term, is_whole) = match change {
        Change::Set(term) | Change::Add(term) if !column.is_counter() => (term, true),
        Change::Prepend(term) | Change::SetElement(_, term) | Change::SetField(_, term) => (term, false),
        _ => return Ok(()),
    };
    let Some(value) = term.bytes(values)? else {
        return Ok(());
    };
    let is_element = matches!(change, Change::SetElement(..) | Change::SetField(..));
    if !column.kind.is_multi_cell() || !column.kind.is_collection() || is_element {
        return watch.count(Threshold::ValueSize, number(value.len()), &column.name);
    }
    let cells: Vec<(usize, usize)> = match &column.kind {
        CqlType::Map { .. } => elements::entries(&value)
            .map(|(key, value)| (key.len(), value.len()))
            .collect(),
        CqlType::Set { .. } => elements::elements(&value)
            .map(|element| (element.len(), 0))
            .collect(),
        _ => elements::elements(&value)
            .map(|element| (POSITION_BYTES, element.len()))
            .collect(),
    };
    if is_whole {
        let bytes: usize = cells.iter().map(|(name, value)| CELL_BYTES + name + value).sum();
        watch.count(Threshold::Items, number(cells.len()), &column.name)?;
        watch.count(Threshold::CollectionSize, number(bytes), &column.name)?;
    }
    cells.iter().try_for_each(|(name, value)| {
        watch.count(Threshold::ValueSize, number(*name), &column.name)?;
        watch.count(Threshold::ValueSize, number(*value), &column.name)
    })
}
