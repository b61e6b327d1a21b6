//! Triggers are Java classes, of which none can be loaded here.

use super::{Applied, Circumstances, functions::refuse_system, keyspace_of};
use crate::{
    core::schema::Schema,
    error::{CqlError, Result},
    syntax::{Keyword, Parsed, QualifiedName, Tokens, if_exists, if_not_exists, name, string, table, word},
};

/// Creates a trigger: refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CreateTrigger {
    pub(crate) table: QualifiedName,
    pub(crate) class: String,
}

/// Drops a trigger, of which there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DropTrigger {
    pub(crate) name: String,
    pub(crate) table: QualifiedName,
    pub(crate) if_exists: bool,
}

/// `[IF NOT EXISTS] name ON table USING class`
pub(super) fn create(input: Tokens<'_>) -> Parsed<'_, CreateTrigger> {
    let (input, _) = if_not_exists(input)?;
    let (input, _) = name(input)?;
    let (input, ()) = word(Keyword::On)(input)?;
    let (input, table) = table(input)?;
    let (input, ()) = word(Keyword::Using)(input)?;
    let (input, class) = string(input)?;
    Ok((input, CreateTrigger { table, class }))
}

/// `[IF EXISTS] name ON table`
pub(super) fn drop(input: Tokens<'_>) -> Parsed<'_, DropTrigger> {
    let (input, if_exists) = if_exists(input)?;
    let (input, name) = name(input)?;
    let (input, ()) = word(Keyword::On)(input)?;
    let (input, table) = table(input)?;
    Ok((
        input,
        DropTrigger {
            name,
            table,
            if_exists,
        },
    ))
}

impl CreateTrigger {
    pub(super) fn apply(&self, schema: &Schema, cx: &Circumstances) -> Result<Applied> {
        let (owner, name) = (keyspace_of(&self.table, cx)?, &self.table.name);
        refuse_system(owner)?;
        let keyspace = schema.changeable(owner)?;
        if !keyspace.tables.contains_key(name.as_str()) {
            return Err(CqlError::invalid(format!("Table '{owner}.{name}' doesn't exist")));
        }
        Err(CqlError::invalid(format!(
            "Trigger class '{}' couldn't be loaded",
            self.class
        )))
    }
}

impl DropTrigger {
    pub(super) fn apply(&self, schema: &Schema, cx: &Circumstances) -> Result<Applied> {
        let owner = keyspace_of(&self.table, cx)?;
        refuse_system(owner)?;
        if self.if_exists {
            return Ok(Applied::nothing(schema));
        }
        Err(CqlError::invalid(format!(
            "Trigger '{}' on '{owner}.{}' doesn't exist",
            self.name, self.table.name
        )))
    }
}
