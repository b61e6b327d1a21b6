//! Statements that define something: each computes the next schema from the one before, purely.
//!
//! Knows: what each statement changes, in which order the original checks it. Never: how a schema is stored.

mod alter_keyspace;
mod alter_table;
mod alter_type;
mod attached_index;
mod create_index;
mod create_keyspace;
mod create_table;
mod create_type;
mod create_view;
mod drops;
mod functions;
mod guard;
#[cfg(test)]
mod tests;
mod triggers;

pub(crate) use alter_keyspace::AlterKeyspace;
pub(crate) use alter_table::AlterTable;
pub(crate) use alter_type::AlterType;
pub(crate) use create_index::CreateIndex;
pub(crate) use create_keyspace::CreateKeyspace;
pub(crate) use create_table::CreateTable;
pub(crate) use create_type::CreateType;
pub(crate) use create_view::{AlterView, CreateView};
pub(crate) use drops::{DropIndex, DropKeyspace, DropTable, DropType, DropView};
pub(crate) use functions::{CreateAggregate, CreateFunction, DropFunction};
pub(crate) use triggers::{CreateTrigger, DropTrigger};

use crate::{
    core::schema::{Keyspace, Schema, SchemaChange, options::Given, replication::Site},
    error::{CqlError, Result},
    syntax::{Keyword, Kind, Parsed, Property, PropertyValue, QualifiedName, Tokens},
};
use std::sync::Arc;
use uuid::Uuid;

/// Every statement that defines something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ddl {
    CreateKeyspace(CreateKeyspace),
    AlterKeyspace(AlterKeyspace),
    DropKeyspace(DropKeyspace),
    CreateTable(CreateTable),
    AlterTable(AlterTable),
    DropTable(DropTable),
    CreateType(CreateType),
    AlterType(AlterType),
    DropType(DropType),
    CreateIndex(CreateIndex),
    DropIndex(DropIndex),
    CreateView(CreateView),
    AlterView(AlterView),
    DropView(DropView),
    CreateFunction(CreateFunction),
    CreateAggregate(CreateAggregate),
    /// Of aggregates too.
    DropFunction(DropFunction),
    CreateTrigger(CreateTrigger),
    DropTrigger(DropTrigger),
}

/// What a statement needs to know beside the schema.
#[derive(Debug, Clone)]
pub(crate) struct Circumstances {
    /// The keyspace of names without any.
    pub(crate) keyspace: Option<Arc<str>>,
    pub(crate) now_us: i64,
    /// The id of the table or view that may be created.
    pub(crate) id: Uuid,
    /// Whether views may be created.
    pub(crate) materialized_views_enabled: bool,
    /// Where replicas may be.
    pub(crate) site: Arc<Site>,
}

/// What a statement did.
#[derive(Debug, Clone)]
pub(crate) struct Applied {
    pub(crate) schema: Schema,
    /// `None`: nothing had to be done.
    pub(crate) change: Option<SchemaChange>,
    pub(crate) warnings: Vec<String>,
}

impl Applied {
    fn nothing(schema: &Schema) -> Self {
        Applied {
            schema: schema.clone(),
            change: None,
            warnings: Vec::new(),
        }
    }

    fn changed(schema: Schema, change: SchemaChange) -> Self {
        Applied {
            schema,
            change: Some(change),
            warnings: Vec::new(),
        }
    }
}

impl Ddl {
    /// The schema after this statement.
    pub(crate) fn apply(&self, schema: &Schema, cx: &Circumstances) -> Result<Applied> {
        match self {
            Ddl::CreateKeyspace(statement) => statement.apply(schema, cx),
            Ddl::AlterKeyspace(statement) => statement.apply(schema, cx),
            Ddl::DropKeyspace(statement) => statement.apply(schema),
            Ddl::CreateTable(statement) => statement.apply(schema, cx),
            Ddl::AlterTable(statement) => statement.apply(schema, cx),
            Ddl::DropTable(statement) => statement.apply(schema, cx),
            Ddl::CreateType(statement) => statement.apply(schema, cx),
            Ddl::AlterType(statement) => statement.apply(schema, cx),
            Ddl::DropType(statement) => statement.apply(schema, cx),
            Ddl::CreateIndex(statement) => statement.apply(schema, cx),
            Ddl::DropIndex(statement) => statement.apply(schema, cx),
            Ddl::CreateView(statement) => statement.apply(schema, cx),
            Ddl::AlterView(statement) => statement.apply(schema, cx),
            Ddl::DropView(statement) => statement.apply(schema, cx),
            Ddl::CreateFunction(statement) => statement.apply(),
            Ddl::CreateAggregate(statement) => statement.apply(schema, cx),
            Ddl::DropFunction(statement) => statement.apply(schema, cx),
            Ddl::CreateTrigger(statement) => statement.apply(schema, cx),
            Ddl::DropTrigger(statement) => statement.apply(schema, cx),
        }
    }
}

/// `CREATE`, `ALTER` or `DROP` of what lives in the schema.
pub(super) fn ddl(input: Tokens<'_>) -> Parsed<'_, Ddl> {
    let start = input;
    let Kind::Word(verb) = input.peek() else {
        return Err(input.no_alternative());
    };
    let input = input.skip();
    let Kind::Word(noun) = input.peek() else {
        return Err(input.no_alternative_since(start));
    };
    let rest = input.skip();
    match (verb, noun) {
        (Keyword::Create, Keyword::Keyspace) => made(rest, create_keyspace::parse, Ddl::CreateKeyspace),
        (Keyword::Create, Keyword::ColumnFamily) => made(rest, create_table::parse, Ddl::CreateTable),
        (Keyword::Create, Keyword::Type) => made(rest, create_type::parse, Ddl::CreateType),
        (Keyword::Create, Keyword::Index | Keyword::Custom) => {
            made(input, create_index::parse, Ddl::CreateIndex)
        }
        (Keyword::Create, Keyword::Materialized) => made(rest, create_view::parse, Ddl::CreateView),
        (Keyword::Alter, Keyword::Keyspace) => made(rest, alter_keyspace::parse, Ddl::AlterKeyspace),
        (Keyword::Alter, Keyword::ColumnFamily) => made(rest, alter_table::parse, Ddl::AlterTable),
        (Keyword::Alter, Keyword::Type) => made(rest, alter_type::parse, Ddl::AlterType),
        (Keyword::Alter, Keyword::Materialized) => made(rest, create_view::parse_alter, Ddl::AlterView),
        (Keyword::Drop, Keyword::Keyspace) => made(rest, drops::keyspace, Ddl::DropKeyspace),
        (Keyword::Drop, Keyword::ColumnFamily) => made(rest, drops::table, Ddl::DropTable),
        (Keyword::Drop, Keyword::Type) => made(rest, drops::user_type, Ddl::DropType),
        (Keyword::Drop, Keyword::Index) => made(rest, drops::index, Ddl::DropIndex),
        (Keyword::Drop, Keyword::Materialized) => made(rest, drops::view, Ddl::DropView),
        (Keyword::Create | Keyword::Drop, _) => code(input, start, verb),
        _ => Err(input.no_alternative_since(start)),
    }
}

/// Functions, aggregates and triggers, from their noun on.
fn code<'a>(input: Tokens<'a>, start: Tokens<'a>, verb: Keyword) -> Parsed<'a, Ddl> {
    let replaces = input.is(Keyword::Or);
    let noun = input.peek_at(if replaces { 2 } else { 0 });
    let rest = input.skip();
    match (verb, noun) {
        (Keyword::Create, Kind::Word(Keyword::Function)) => {
            made(input, functions::create_function, Ddl::CreateFunction)
        }
        (Keyword::Create, Kind::Word(Keyword::Aggregate)) => {
            made(input, functions::create_aggregate, Ddl::CreateAggregate)
        }
        (Keyword::Create, Kind::Word(Keyword::Trigger)) => made(rest, triggers::create, Ddl::CreateTrigger),
        (Keyword::Drop, Kind::Word(Keyword::Function)) => made(
            rest,
            |input| functions::drop(input, "Function"),
            Ddl::DropFunction,
        ),
        (Keyword::Drop, Kind::Word(Keyword::Aggregate)) => made(
            rest,
            |input| functions::drop(input, "Aggregate"),
            Ddl::DropFunction,
        ),
        (Keyword::Drop, Kind::Word(Keyword::Trigger)) => made(rest, triggers::drop, Ddl::DropTrigger),
        _ => Err(input.no_alternative_since(start)),
    }
}

fn made<'a, T>(
    input: Tokens<'a>,
    parser: impl Fn(Tokens<'a>) -> Parsed<'a, T>,
    make: impl Fn(T) -> Ddl,
) -> Parsed<'a, Ddl> {
    let (input, found) = parser(input)?;
    Ok((input, make(found)))
}

/// The keyspace that `name` is in.
fn keyspace_of<'a>(name: &'a QualifiedName, cx: &'a Circumstances) -> Result<&'a str> {
    name.keyspace
        .as_deref()
        .or(cx.keyspace.as_deref())
        .ok_or_else(|| {
            CqlError::invalid(
                "No keyspace has been specified. USE a keyspace, or explicitly specify keyspace.tablename",
            )
        })
}

/// The keyspace of an object that has to be there, unless the system owns it; `None` where it is not there.
fn holder<'a>(schema: &'a Schema, name: &str) -> Result<Option<&'a Arc<Keyspace>>> {
    let Some(keyspace) = schema.keyspaces.get(name) else {
        return Ok(None);
    };
    crate::core::schema::refuse_system(keyspace)?;
    Ok(Some(keyspace))
}

fn given(value: &PropertyValue) -> Given<'_> {
    match value {
        PropertyValue::Text(text) => Given::Text(text),
        PropertyValue::Map(map) => Given::Map(map),
    }
}

fn property<'a>(properties: &'a [Property], name: &str) -> Option<Given<'a>> {
    properties
        .iter()
        .find(|property| property.name == name)
        .map(|property| given(&property.value))
}

fn change(change: &'static str, target: &'static str, keyspace: &str, name: &str) -> SchemaChange {
    SchemaChange {
        change,
        target,
        keyspace: keyspace.to_owned(),
        name: name.to_owned(),
        arguments: Vec::new(),
    }
}
