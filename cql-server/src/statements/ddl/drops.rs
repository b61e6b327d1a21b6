//! DROP KEYSPACE, TABLE, TYPE, INDEX and MATERIALIZED VIEW.

use super::{Applied, Circumstances, change, holder, keyspace_of};
use crate::{
    core::schema::{Keyspace, Schema, refers_to},
    error::{CqlError, Result},
    syntax::{self, Parsed, QualifiedName, Tokens, if_exists},
};
use std::collections::BTreeSet;

/// Drops a keyspace and all that it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DropKeyspace {
    pub(crate) name: String,
    pub(crate) if_exists: bool,
}

/// Drops a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DropTable(pub(crate) Named);

/// Drops a user-defined type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DropType(pub(crate) Named);

/// Drops a secondary index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DropIndex(pub(crate) Named);

/// Drops a materialized view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DropView(pub(crate) Named);

/// What is dropped, and whether it may be missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) name: QualifiedName,
    pub(crate) if_exists: bool,
}

/// `[IF EXISTS] name`
fn named<'a>(input: Tokens<'a>, name: impl Fn(Tokens<'a>) -> Parsed<'a, QualifiedName>) -> Parsed<'a, Named> {
    let (input, if_exists) = if_exists(input)?;
    let (input, name) = name(input)?;
    Ok((input, Named { name, if_exists }))
}

pub(super) fn keyspace(input: Tokens<'_>) -> Parsed<'_, DropKeyspace> {
    let (input, if_exists) = if_exists(input)?;
    let (input, name) = syntax::keyspace(input)?;
    Ok((input, DropKeyspace { name, if_exists }))
}

pub(super) fn table(input: Tokens<'_>) -> Parsed<'_, DropTable> {
    named(input, syntax::table).map(|(input, named)| (input, DropTable(named)))
}

pub(super) fn user_type(input: Tokens<'_>) -> Parsed<'_, DropType> {
    named(input, syntax::user_type).map(|(input, named)| (input, DropType(named)))
}

pub(super) fn index(input: Tokens<'_>) -> Parsed<'_, DropIndex> {
    named(input, syntax::index).map(|(input, named)| (input, DropIndex(named)))
}

pub(super) fn view(input: Tokens<'_>) -> Parsed<'_, DropView> {
    let (input, ()) = syntax::word(syntax::Keyword::View)(input)?;
    named(input, syntax::table).map(|(input, named)| (input, DropView(named)))
}

impl Named {
    /// Nothing to do, or the error that it is not there.
    fn missing(&self, schema: &Schema, message: String) -> Result<Applied> {
        if self.if_exists {
            return Ok(Applied::nothing(schema));
        }
        Err(CqlError::invalid(message))
    }
}

impl DropKeyspace {
    pub(super) fn apply(&self, schema: &Schema) -> Result<Applied> {
        const REPLICATED: [&str; 3] = ["system_auth", "system_distributed", "system_traces"];
        if REPLICATED.contains(&&*self.name) {
            return Err(CqlError::Unauthorized(format!(
                "Cannot DROP <keyspace {}>",
                self.name
            )));
        }
        if holder(schema, &self.name)?.is_none() {
            if self.if_exists {
                return Ok(Applied::nothing(schema));
            }
            return Err(CqlError::invalid(format!(
                "Keyspace '{}' doesn't exist",
                self.name
            )));
        }
        let mut schema = schema.clone();
        schema.keyspaces.remove(self.name.as_str());
        Ok(Applied::changed(
            schema,
            change("DROPPED", "KEYSPACE", &self.name, ""),
        ))
    }
}

/// `schema` without the table or view of that name.
fn without(schema: &Schema, keyspace: &Keyspace, name: &str) -> Applied {
    let mut keyspace = keyspace.clone();
    keyspace.tables.remove(name);
    let change = change("DROPPED", "TABLE", &keyspace.name, name);
    Applied::changed(schema.with_keyspace(keyspace), change)
}

impl DropTable {
    pub(super) fn apply(&self, schema: &Schema, cx: &Circumstances) -> Result<Applied> {
        let (owner, name) = (keyspace_of(&self.0.name, cx)?, self.0.name.name.as_str());
        let found = holder(schema, owner)?.and_then(|keyspace| Some((keyspace, keyspace.tables.get(name)?)));
        let Some((keyspace, table)) = found else {
            return self
                .0
                .missing(schema, format!("Table '{owner}.{name}' doesn't exist"));
        };
        if table.view.is_some() {
            return Err(CqlError::invalid(
                "Cannot use DROP TABLE on a materialized view. Please use DROP MATERIALIZED VIEW instead.",
            ));
        }
        if keyspace.views_of(name).next().is_some() {
            // The original names the keyspace of each view where it means to name the views.
            let owners: BTreeSet<&str> = keyspace.views_of(name).map(|view| &*view.keyspace).collect();
            let owners: Vec<&str> = owners.into_iter().collect();
            return Err(CqlError::invalid(format!(
                "Cannot drop a table when materialized views still depend on it ({})",
                owners.join(", ")
            )));
        }
        Ok(without(schema, keyspace, name))
    }
}

impl DropView {
    pub(super) fn apply(&self, schema: &Schema, cx: &Circumstances) -> Result<Applied> {
        let (owner, name) = (keyspace_of(&self.0.name, cx)?, self.0.name.name.as_str());
        let keyspace = holder(schema, owner)?;
        let is_view = |keyspace: &&std::sync::Arc<Keyspace>| {
            keyspace
                .tables
                .get(name)
                .is_some_and(|table| table.view.is_some())
        };
        match keyspace.filter(is_view) {
            Some(keyspace) => Ok(without(schema, keyspace, name)),
            None => self.0.missing(
                schema,
                format!("Materialized view '{owner}.{name}' doesn't exist"),
            ),
        }
    }
}

impl DropType {
    pub(super) fn apply(&self, schema: &Schema, cx: &Circumstances) -> Result<Applied> {
        let (owner, name) = (keyspace_of(&self.0.name, cx)?, self.0.name.name.as_str());
        let found = holder(schema, owner)?.filter(|keyspace| keyspace.types.contains_key(name));
        let Some(keyspace) = found else {
            return self
                .0
                .missing(schema, format!("Type '{owner}.{name}' doesn't exist"));
        };
        let in_use = |by: &str, users: Vec<&str>| match users.is_empty() {
            true => Ok(()),
            false => Err(CqlError::invalid(format!(
                "Cannot drop user type '{owner}.{name}' as it is still used by {by} {}",
                users.join(", ")
            ))),
        };
        let types = keyspace.types.values().filter(|other| {
            &*other.name != name && other.fields.iter().any(|(_, field)| refers_to(field, name))
        });
        in_use("user types", types.map(|other| &*other.name).collect())?;
        let tables = keyspace
            .tables
            .values()
            .filter(|table| table.columns.iter().any(|column| refers_to(&column.kind, name)));
        in_use("tables", tables.map(|table| &*table.name).collect())?;
        let mut keyspace = (**keyspace).clone();
        keyspace.types.remove(name);
        let change = change("DROPPED", "TYPE", owner, name);
        Ok(Applied::changed(schema.with_keyspace(keyspace), change))
    }
}

impl DropIndex {
    pub(super) fn apply(&self, schema: &Schema, cx: &Circumstances) -> Result<Applied> {
        let (owner, name) = (keyspace_of(&self.0.name, cx)?, self.0.name.name.as_str());
        let found = holder(schema, owner)?.and_then(|keyspace| Some((keyspace, keyspace.index(name)?.0)));
        let Some((keyspace, table)) = found else {
            return self
                .0
                .missing(schema, format!("Index '{owner}.{name}' doesn't exist'"));
        };
        let change = change("UPDATED", "TABLE", owner, &table.name);
        let mut table = (**table).clone();
        table.indexes.retain(|index| index.name != name);
        Ok(Applied::changed(schema.with_table(keyspace, table), change))
    }
}
