//! What guardrails say to an execution. Superusers are exempt, and so is everybody where nobody has to log in.

use super::{
    Engine, Parameters, Session, Value,
    prepared::{Plan, Prepared},
};
use crate::{
    core::{
        guardrails::{Guardrails, Switch, Threshold, Watch, Words},
        schema::{Column, system},
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

/// A write with the values of its markers.
type Bound<'w> = (&'w Write, &'w [Value]);

impl Engine {
    /// Looks at what `session` does; `None`: nothing is forbidden to it.
    pub(super) fn watch(&self, session: &Session) -> Option<Watch<'_>> {
        let is_watched = self.has_guardrails && !session.is_internal() && self.access.is_ordinary(session);
        is_watched.then(|| Watch::new(&self.guardrails))
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
        let Some(mut watch) = self.watch(session) else {
            return Ok(Vec::new());
        };
        let bound = &parameters.values[..];
        match plan {
            Plan::Select(plan) if !plan.is_system => self.guard_select(plan, parameters, &mut watch)?,
            Plan::Write(write) => self.guard_writes(&[(&**write, bound)], parameters, &mut watch)?,
            Plan::Batch(batch) => {
                let writes: Vec<Bound<'_>> = batch.writes.iter().map(|write| (write, bound)).collect();
                self.guard_writes(&writes, parameters, &mut watch)?;
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
        let Some(mut watch) = self.watch(session) else {
            return Ok(Vec::new());
        };
        let writes = statements
            .iter()
            .filter_map(|(prepared, bound)| match &prepared.plan {
                Plan::Write(write) => Some((&**write, &bound[..])),
                _ => None,
            });
        self.guard_writes(&writes.collect::<Vec<_>>(), parameters, &mut watch)?;
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
