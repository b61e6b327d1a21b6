//! Consistency levels on one node, which stands for every replica of a keyspace: what asks for more replicas than there
//! are is refused, as are levels that a statement cannot have.

use super::{
    Parameters,
    prepared::{Plan, Prepared},
};
use crate::{
    core::schema::{Schema, Table, replication},
    error::{CqlError, Result},
    statements::write::Write,
};
use std::fmt;

/// Consistency levels, by their codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u16)]
pub(crate) enum Consistency {
    Any = 0,
    #[default]
    One = 1,
    Two = 2,
    Three = 3,
    Quorum = 4,
    All = 5,
    LocalQuorum = 6,
    EachQuorum = 7,
    Serial = 8,
    LocalSerial = 9,
    LocalOne = 10,
}

impl fmt::Display for Consistency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Consistency::Any => "ANY",
            Consistency::One => "ONE",
            Consistency::Two => "TWO",
            Consistency::Three => "THREE",
            Consistency::Quorum => "QUORUM",
            Consistency::All => "ALL",
            Consistency::LocalQuorum => "LOCAL_QUORUM",
            Consistency::EachQuorum => "EACH_QUORUM",
            Consistency::Serial => "SERIAL",
            Consistency::LocalSerial => "LOCAL_SERIAL",
            Consistency::LocalOne => "LOCAL_ONE",
        })
    }
}

impl Consistency {
    fn is_serial(self) -> bool {
        matches!(self, Consistency::Serial | Consistency::LocalSerial)
    }

    /// Levels that one replica satisfies, and any that ask for a share of the replicas, all of which are here.
    fn always_holds(self) -> bool {
        !matches!(
            self,
            Consistency::Any
                | Consistency::Two
                | Consistency::Three
                | Consistency::Serial
                | Consistency::LocalSerial
        )
    }

    fn available(self, schema: &Schema, table: &Table) -> Result<()> {
        let required = match self {
            Consistency::Two => 2,
            Consistency::Three => 3,
            _ => return Ok(()),
        };
        let keyspace = schema.keyspaces.get(&table.keyspace);
        let alive = keyspace.map_or(1, |keyspace| replication::factor(&keyspace.replication));
        if required <= alive {
            return Ok(());
        }
        Err(CqlError::Unavailable {
            consistency: self,
            required,
            alive,
        })
    }

    fn for_write(self, write: &Write) -> Result<()> {
        let table = &write.table;
        let refused = match self {
            _ if write.conditions.is_some() => return Ok(()),
            Consistency::Any if table.is_counter() => {
                format!(
                    "Consistency level ANY is not yet supported for counter table {}",
                    table.name
                )
            }
            _ if !self.is_serial() => return Ok(()),
            _ if table.is_counter() => "Counter operations are inherently non-serializable".to_owned(),
            _ => "You must use conditional updates for serializable writes".to_owned(),
        };
        Err(CqlError::Invalid(refused))
    }
}

/// Whether a condition may be decided at one level and its write be kept at another.
fn for_condition(kept: Consistency, decided: Option<Consistency>) -> Result<()> {
    if decided.is_some_and(|level| !level.is_serial()) {
        return Err(CqlError::invalid(
            "Invalid consistency for conditional update. Must be one of SERIAL or LOCAL_SERIAL",
        ));
    }
    if kept.is_serial() {
        return Err(CqlError::invalid(format!(
            "{kept} is not supported as conditional update commit consistency. Use ANY if you mean \"make sure it is \
             accepted but I don't care how many replicas commit it for non-SERIAL reads\""
        )));
    }
    Ok(())
}

/// Whether a statement may be executed at the consistency that was asked for.
pub(super) fn check(schema: &Schema, prepared: &Prepared, parameters: &Parameters) -> Result<()> {
    let level = parameters.consistency;
    match &prepared.plan {
        Plan::Select(_) if level.always_holds() => Ok(()),
        Plan::Select(_) if level == Consistency::Any => Err(CqlError::invalid(
            "ANY ConsistencyLevel is only supported for writes",
        )),
        Plan::Select(plan) => level.available(schema, &plan.table),
        Plan::Write(write) => check_writes(schema, [&**write], parameters),
        Plan::Batch(batch) => check_writes(schema, &batch.writes, parameters),
        Plan::Truncate(_) | Plan::Other(_) => Ok(()),
    }
}

/// Whether writes may be executed together at the consistency that was asked for.
pub(super) fn check_writes<'w>(
    schema: &Schema,
    writes: impl IntoIterator<Item = &'w Write>,
    parameters: &Parameters,
) -> Result<()> {
    let level = parameters.consistency;
    let decided = parameters.serial_consistency;
    writes.into_iter().try_for_each(|write| {
        if write.conditions.is_some() {
            for_condition(level, decided)?;
        }
        if level.always_holds() {
            return Ok(());
        }
        level.for_write(write)?;
        level.available(schema, &write.table)
    })
}
