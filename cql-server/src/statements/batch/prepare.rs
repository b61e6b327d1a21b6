//! BATCH to a plan.

use super::{Batch, BatchKind, Modification};
use crate::{
    core::{
        schema::{Table, system},
        types::Native,
    },
    engine::BatchPlan,
    error::{CqlError, Result},
    statements::{
        terms::Planner,
        write::{self, Write},
    },
    syntax::QualifiedName,
};
use std::sync::Arc;

/// Prepares BATCH. `table_of`: the table that a name means.
pub(crate) fn prepare(
    planner: &mut Planner<'_>,
    batch: &Batch,
    table_of: &dyn Fn(&QualifiedName) -> Result<Arc<Table>>,
) -> Result<BatchPlan> {
    if batch.attributes.ttl.is_some() {
        return Err(CqlError::invalid(
            "Global TTL on the BATCH statement is not supported.",
        ));
    }
    let mut writes = Vec::with_capacity(batch.statements.len());
    for statement in &batch.statements {
        let name = match statement {
            Modification::Insert(insert) => &insert.table,
            Modification::Update(update) => &update.table,
            Modification::Delete(delete) => &delete.table,
        };
        let table = table_of(name)?;
        planner.keyspace = table.keyspace.clone();
        planner.table = table.name.clone();
        writes.push(match statement {
            Modification::Insert(insert) => write::insert(planner, &table, insert)?,
            Modification::Update(update) => write::update(planner, &table, update)?,
            Modification::Delete(delete) => write::delete(planner, &table, delete)?,
        });
    }
    let timestamp = match &batch.attributes.timestamp {
        Some(term) => Some(planner.attribute(term, "[timestamp]", Native::Bigint)?),
        None => None,
    };
    if timestamp.is_some() {
        if batch.kind == BatchKind::Counter {
            return Err(CqlError::invalid(
                "Cannot provide custom timestamp for counter BATCH",
            ));
        }
        if writes.iter().any(|write| write.timestamp.is_some()) {
            return Err(CqlError::invalid(
                "Timestamp must be set either on BATCH or individual statements",
            ));
        }
        if writes.iter().any(|write| write.conditions.is_some()) {
            return Err(CqlError::invalid(
                "Cannot provide custom timestamp for conditional BATCH",
            ));
        }
    }
    check(batch.kind, writes.iter())?;
    Ok(BatchPlan {
        kind: batch.kind,
        timestamp,
        writes,
    })
}

/// Whether these statements may be in one batch.
pub(crate) fn check<'w>(kind: BatchKind, writes: impl Iterator<Item = &'w Write>) -> Result<()> {
    let (mut counters, mut others, mut conditional) = (false, false, false);
    let (mut is_virtual, mut stored) = (false, false);
    for write in writes {
        if write.table.is_counter() {
            counters = true
        } else {
            others = true
        }
        if system::is_virtual(&write.table.keyspace) {
            is_virtual = true
        } else {
            stored = true
        }
        conditional |= write.conditions.is_some();
    }
    let refused = match kind {
        BatchKind::Counter if others => "Cannot include non-counter statement in a counter batch",
        BatchKind::Logged if counters => "Cannot include a counter statement in a logged batch",
        BatchKind::Logged if is_virtual => "Cannot include a virtual table statement in a logged batch",
        _ if is_virtual && stored => {
            "Mutations for virtual and regular tables cannot exist in the same batch"
        }
        _ if is_virtual && conditional => {
            "Conditional BATCH statements cannot include mutations for virtual tables"
        }
        _ if counters && others => "Counter and non-counter mutations cannot exist in the same batch",
        _ if conditional && counters => "Conditional updates are not supported on counter tables",
        _ => return Ok(()),
    };
    Err(CqlError::invalid(refused))
}
