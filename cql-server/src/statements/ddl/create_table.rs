//! CREATE TABLE.

use super::{Applied, Circumstances, change, given, keyspace_of};
use crate::{
    core::{
        repeated,
        schema::{
            Column, Keyspace, Options, Role, Schema, TABLE_NAME_CHARS_MAX, Table, is_plain_name,
            options::Given,
        },
        types::{CqlType, Native, names::RawType},
    },
    error::{CqlError, Result},
    syntax::{
        Keyword, Kind, Parsed, Property, QualifiedName, Tokens, ands, commas, commas_until, function,
        has_sign, has_word, if_not_exists, name, parenthesised, property, sign, table, term, type_name,
        unique, words,
    },
};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Creates a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CreateTable {
    pub(crate) table: QualifiedName,
    pub(crate) if_not_exists: bool,
    pub(crate) columns: Vec<Definition>,
    /// One for each PRIMARY KEY.
    pub(crate) keys: Vec<PrimaryKey>,
    pub(crate) with: With,
}

/// A column as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Definition {
    pub(crate) name: String,
    pub(crate) kind: RawType,
    pub(crate) is_static: bool,
    pub(crate) is_masked: bool,
}

/// A primary key as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct PrimaryKey {
    pub(crate) partition: Vec<String>,
    pub(crate) clustering: Vec<String>,
}

impl PrimaryKey {
    /// The columns it names.
    fn names(&self) -> HashSet<&String> {
        self.partition.iter().chain(&self.clustering).collect()
    }
}

/// What stands after WITH.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct With {
    pub(crate) properties: Vec<Property>,
    pub(crate) compact_storage: bool,
    /// Columns, and whether they descend.
    pub(crate) clustering_order: Vec<(String, bool)>,
}

enum Item {
    Column(Definition, bool),
    Key(PrimaryKey),
}

/// `[IF NOT EXISTS] table (columns) [WITH ...]`
pub(super) fn parse(input: Tokens<'_>) -> Parsed<'_, CreateTable> {
    let (input, if_not_exists) = if_not_exists(input)?;
    let start = input;
    let (input, table) = table(input)?;
    if !input.is_sign("(") && input.peek() != Kind::End {
        return Err(input.no_alternative_since(start));
    }
    let (input, items) = items(input)?;
    let (mut columns, mut keys) = (Vec::new(), Vec::new());
    for item in items {
        match item {
            Item::Key(key) => keys.push(key),
            Item::Column(column, is_key) => {
                if is_key {
                    keys.push(PrimaryKey {
                        partition: vec![column.name.clone()],
                        clustering: Vec::new(),
                    });
                }
                columns.push(column);
            }
        }
    }
    let (input, with) = with(input)?;
    Ok((
        input,
        CreateTable {
            table,
            if_not_exists,
            columns,
            keys,
            with,
        },
    ))
}

/// Columns and keys; commas may be followed by nothing.
fn items(input: Tokens<'_>) -> Parsed<'_, Vec<Item>> {
    let (input, ()) = sign("(")(input)?;
    let (mut input, first) = item(input)?;
    let mut all = vec![first];
    while input.is_sign(",") {
        input = input.skip();
        if !input.is_sign(",") && !input.is_sign(")") {
            let (rest, next) = item(input)?;
            all.push(next);
            input = rest;
        }
    }
    let (input, ()) = sign(")")(input)?;
    Ok((input, all))
}

fn item(input: Tokens<'_>) -> Parsed<'_, Item> {
    if input.is(Keyword::Primary) {
        let (input, key) = primary_key(input)?;
        return Ok((input, Item::Key(key)));
    }
    let (input, column) = definition(input)?;
    if !input.is(Keyword::Primary) {
        return Ok((input, Item::Column(column, false)));
    }
    let (input, ()) = words([Keyword::Primary, Keyword::Key])(input)?;
    Ok((input, Item::Column(column, true)))
}

/// `name type [STATIC] [MASKED WITH ...]`
pub(super) fn definition(input: Tokens<'_>) -> Parsed<'_, Definition> {
    let (input, name) = name(input)?;
    let (input, kind) = type_name(input)?;
    let (input, is_static) = has_word(Keyword::Static)(input)?;
    let (input, is_masked) = mask(input)?;
    Ok((
        input,
        Definition {
            name,
            kind,
            is_static,
            is_masked,
        },
    ))
}

/// `MASKED WITH DEFAULT` or `MASKED WITH function(arguments)`, if it is next.
pub(super) fn mask(input: Tokens<'_>) -> Parsed<'_, bool> {
    if !input.is(Keyword::Masked) {
        return Ok((input, false));
    }
    let (input, ()) = words([Keyword::Masked, Keyword::With])(input)?;
    if input.is(Keyword::Default) {
        return Ok((input.skip(), true));
    }
    let (input, _) = function(input)?;
    let (input, ()) = sign("(")(input)?;
    let (input, _) = commas_until(")", term)(input)?;
    Ok((input, true))
}

/// Masks are off by default in the original, and not to be had here.
pub(super) fn refuse_masks() -> CqlError {
    CqlError::invalid(
        "Cannot mask columns because dynamic data masking is not enabled. You can enable it with the \
         dynamic_data_masking_enabled property on cassandra.yaml",
    )
}

/// `PRIMARY KEY (...)`
pub(super) fn primary_key(input: Tokens<'_>) -> Parsed<'_, PrimaryKey> {
    let (input, ()) = words([Keyword::Primary, Keyword::Key])(input)?;
    let (input, ()) = sign("(")(input)?;
    let (input, partition) = if input.is_sign("(") {
        parenthesised(commas(name))(input)?
    } else {
        let (input, only) = name(input)?;
        (input, vec![only])
    };
    let (input, more) = has_sign(",")(input)?;
    let (input, clustering) = if more {
        commas(name)(input)?
    } else {
        (input, Vec::new())
    };
    let (input, ()) = sign(")")(input)?;
    Ok((
        input,
        PrimaryKey {
            partition,
            clustering,
        },
    ))
}

enum Clause {
    Property(Property),
    CompactStorage,
    ClusteringOrder(Vec<(String, bool)>),
}

/// WITH, if it is next.
pub(super) fn with(input: Tokens<'_>) -> Parsed<'_, With> {
    let mut with = With::default();
    if !input.is(Keyword::With) {
        return Ok((input, with));
    }
    let (input, clauses) = ands(clause)(input.skip())?;
    for clause in clauses {
        match clause {
            Clause::Property(property) => with.properties.push(property),
            Clause::CompactStorage => with.compact_storage = true,
            Clause::ClusteringOrder(order) => with.clustering_order.extend(order),
        }
    }
    unique(input, &with.properties)?;
    Ok((input, with))
}

fn clause(input: Tokens<'_>) -> Parsed<'_, Clause> {
    match (input.peek(), input.peek_at(1)) {
        (Kind::Word(Keyword::Compact), Kind::Word(Keyword::Storage)) => {
            Ok((input.skip().skip(), Clause::CompactStorage))
        }
        (Kind::Word(Keyword::Clustering), Kind::Word(Keyword::Order)) => {
            let (input, ()) = words([Keyword::Clustering, Keyword::Order, Keyword::By])(input)?;
            let (input, order) = parenthesised(commas(direction))(input)?;
            Ok((input, Clause::ClusteringOrder(order)))
        }
        _ => {
            let (input, property) = property(input)?;
            Ok((input, Clause::Property(property)))
        }
    }
}

fn direction(input: Tokens<'_>) -> Parsed<'_, (String, bool)> {
    let (input, name) = name(input)?;
    match input.peek() {
        Kind::Word(Keyword::Asc) => Ok((input.skip(), (name, false))),
        Kind::Word(Keyword::Desc) => Ok((input.skip(), (name, true))),
        _ => Err(input.no_alternative()),
    }
}

impl CreateTable {
    pub(super) fn apply(&self, schema: &Schema, cx: &Circumstances) -> Result<Applied> {
        let keyspace = schema.changeable(keyspace_of(&self.table, cx)?)?;
        let name = self.table.name.as_str();
        let settings = Settings::read(&self.with.properties, None)?;
        if keyspace.tables.contains_key(name) {
            if self.if_not_exists {
                return Ok(Applied::nothing(schema));
            }
            return Err(already_exists(&keyspace.name, name));
        }
        let columns = self.checked_columns(keyspace)?;
        check_name(&keyspace.name, name)?;
        let has_id = settings.id.is_some();
        let (id, options, time_to_live) = settings.checked(cx.id, true)?;
        let all = schema
            .keyspaces
            .values()
            .flat_map(|keyspace| keyspace.tables.values());
        if let Some(other) = all.into_iter().find(|other| has_id && other.id == id) {
            return Err(CqlError::Server(format!(
                "java.lang.IllegalArgumentException: Multiple entries with same key: {id}={}.{name} and {id}={}.{}",
                keyspace.name, other.keyspace, other.name
            )));
        }
        let mut table = Table::new(
            keyspace.name.clone(),
            name.into(),
            id,
            schema.next_number,
            columns,
        );
        if table.is_counter() && time_to_live > 0 {
            return Err(CqlError::invalid(
                "Cannot set default_time_to_live on a table with counters",
            ));
        }
        table.options = options;
        table.default_time_to_live = time_to_live;
        let change = change("CREATED", "TABLE", &keyspace.name, name);
        let mut schema = schema.with_table(keyspace, table);
        schema.next_number += 1;
        Ok(Applied::changed(schema, change))
    }

    fn checked_columns(&self, keyspace: &Keyspace) -> Result<Vec<Column>> {
        // As it was written, with its keyspace or without.
        let (name, written) = (&self.table.name, &self.table);
        if let Some(column) = repeated(self.columns.iter().map(|column| &column.name)) {
            return Err(CqlError::invalid(format!(
                "Duplicate column '{column}' declaration for table '{written}'"
            )));
        }
        let key = match self.keys.as_slice() {
            [] => {
                return Err(CqlError::invalid(format!(
                    "No PRIMARY KEY specifed for table '{written}' (exactly one required)"
                )));
            }
            [key] => key,
            _ => {
                return Err(CqlError::invalid(format!(
                    "Multiple PRIMARY KEY specified for table '{written}' (exactly one required)"
                )));
            }
        };
        check_key(key, &self.columns, name)?;
        if key.clustering.is_empty() && self.columns.iter().any(|column| column.is_static) {
            return Err(CqlError::invalid(
                "Static columns are only useful (and thus allowed) if the table has at least one clustering column",
            ));
        }
        if self.with.compact_storage && key.clustering.is_empty() && self.columns.len() == key.partition.len()
        {
            return Err(CqlError::invalid(
                "No definition found that is not part of the PRIMARY KEY",
            ));
        }
        check_order(&key.clustering, &self.with.clustering_order)?;
        let names = key.names();
        let resolved = self.columns.iter().map(|column| keyspace.resolve(&column.kind));
        let resolved = resolved.collect::<Result<Vec<CqlType>>>()?;
        for (column, kind) in self.columns.iter().zip(&resolved) {
            if names.contains(&column.name) {
                check_key_type(&column.name, kind)?;
            }
            refuse_nested_udt(kind)?;
        }
        if self.with.compact_storage {
            return Err(CqlError::invalid(
                "COMPACT STORAGE tables are not allowed starting with version 4.0",
            ));
        }
        if self.columns.iter().any(|column| column.is_masked) {
            return Err(refuse_masks());
        }
        self.refuse_mixed_counters(key, &resolved)?;
        Ok(self.placed(key, &resolved))
    }

    fn refuse_mixed_counters(&self, key: &PrimaryKey, kinds: &[CqlType]) -> Result<()> {
        let names = key.names();
        let others = self
            .columns
            .iter()
            .zip(kinds)
            .filter(|(column, _)| !names.contains(&column.name));
        let (counters, rest): (Vec<_>, Vec<_>) =
            others.partition(|(_, kind)| **kind == CqlType::Native(Native::Counter));
        if !counters.is_empty() && !rest.is_empty() {
            return Err(CqlError::invalid(
                "Cannot mix counter and non counter columns in the same table",
            ));
        }
        Ok(())
    }

    /// The columns in the order of the table, with their ids.
    fn placed(&self, key: &PrimaryKey, kinds: &[CqlType]) -> Vec<Column> {
        let mut columns: Vec<Column> = Vec::with_capacity(self.columns.len());
        let names = key.names();
        let declared = self.columns.iter().map(|column| column.name.as_str());
        let kinds: HashMap<&str, &CqlType> = declared.zip(kinds).collect();
        let mut push = |name: &str, role: Role| {
            if let Some(kind) = kinds.get(name) {
                columns.push(Column {
                    name: name.into(),
                    kind: CqlType::clone(kind),
                    role,
                    id: columns.len() as u32,
                });
            }
        };
        for name in &key.partition {
            push(name, Role::PartitionKey);
        }
        for name in &key.clustering {
            let descending = self
                .with
                .clustering_order
                .iter()
                .any(|(other, desc)| other == name && *desc);
            push(name, Role::Clustering { descending });
        }
        for column in &self.columns {
            if !names.contains(&column.name) {
                push(
                    &column.name,
                    if column.is_static {
                        Role::Static
                    } else {
                        Role::Regular
                    },
                );
            }
        }
        columns
    }
}

/// What properties give, on top of the options of a table that is there.
pub(super) struct Settings {
    id: Option<String>,
    /// The first, by name, that there is not.
    unknown: Option<String>,
    options: Options,
    default_time_to_live: i32,
}

impl Settings {
    /// Reads the properties: what cannot be read is an error before all others.
    pub(super) fn read(properties: &[Property], before: Option<&Table>) -> Result<Self> {
        let mut settings = Settings {
            id: None,
            unknown: None,
            options: before.map_or_else(Options::default, |table| table.options.clone()),
            default_time_to_live: before.map_or(0, |table| table.default_time_to_live),
        };
        for Property { name, value } in properties {
            match (name.as_str(), given(value)) {
                ("id", Given::Text(text)) => settings.id = Some(text.to_owned()),
                (name, _) if !Options::knows(name) => {
                    if settings.unknown.as_deref().is_none_or(|other| name < other) {
                        settings.unknown = Some(name.to_owned());
                    }
                }
                (name, value) => settings
                    .options
                    .set(&mut settings.default_time_to_live, name, value)?,
            }
        }
        if before.is_none() {
            let names: Vec<&str> = properties.iter().map(|property| property.name.as_str()).collect();
            settings.options.complete(&names);
        }
        Ok(settings)
    }

    /// The id, options and default time to live; `fresh` is the id where none is given.
    pub(super) fn checked(self, fresh: Uuid, is_new: bool) -> Result<(Uuid, Options, i32)> {
        if let Some(name) = self.unknown {
            return Err(CqlError::Syntax(format!("Unknown property '{name}'")));
        }
        let id = match self.id {
            None => fresh,
            Some(_) if !is_new => return Err(CqlError::Config("Cannot alter table id.".to_owned())),
            Some(text) => text
                .parse()
                .map_err(|_| CqlError::Config("Invalid table id".to_owned()))?,
        };
        self.options.check(self.default_time_to_live)?;
        Ok((id, self.options, self.default_time_to_live))
    }
}

pub(super) fn already_exists(keyspace: &str, table: &str) -> CqlError {
    CqlError::AlreadyExists {
        message: format!("Cannot add already existing table \"{table}\" to keyspace \"{keyspace}\""),
        keyspace: keyspace.to_owned(),
        table: table.to_owned(),
    }
}

/// Whether a table may be called so.
pub(super) fn check_name(keyspace: &str, name: &str) -> Result<()> {
    if !is_plain_name(name) {
        return Err(CqlError::Config(format!(
            "{keyspace}.{name}: Table name must not be empty or not contain non-alphanumeric-underscore characters (got \"{name}\")"
        )));
    }
    let length = name.chars().count();
    if length > TABLE_NAME_CHARS_MAX {
        return Err(CqlError::Config(format!(
            "{keyspace}.{name}: Table name must not be more than {TABLE_NAME_CHARS_MAX} characters long (got {length} characters for \"{name}\")"
        )));
    }
    Ok(())
}

fn check_key(key: &PrimaryKey, columns: &[Definition], table: &str) -> Result<()> {
    let columns: HashMap<&String, &Definition> =
        columns.iter().map(|column| (&column.name, column)).collect();
    let mut seen = HashSet::new();
    for name in key.partition.iter().chain(&key.clustering) {
        let Some(column) = columns.get(name) else {
            return Err(CqlError::invalid(format!(
                "Unknown column '{name}' referenced in PRIMARY KEY for table '{table}'"
            )));
        };
        if !seen.insert(name) {
            return Err(CqlError::invalid(format!(
                "Duplicate column '{name}' in PRIMARY KEY clause for table '{table}'"
            )));
        }
        if column.is_static {
            return Err(CqlError::invalid(format!(
                "Static column '{name}' cannot be part of the PRIMARY KEY"
            )));
        }
    }
    Ok(())
}

/// Whether CLUSTERING ORDER names the clustering columns in their order.
pub(super) fn check_order(clustering: &[String], order: &[(String, bool)]) -> Result<()> {
    let known: HashSet<&str> = clustering.iter().map(String::as_str).collect();
    let unknown: Vec<&str> = order
        .iter()
        .map(|(name, _)| name.as_str())
        .filter(|name| !known.contains(name))
        .collect();
    if !unknown.is_empty() {
        return Err(CqlError::invalid(format!(
            "Only clustering key columns can be defined in CLUSTERING ORDER directive: [{}] are not clustering columns",
            unknown.join(", ")
        )));
    }
    for (at, (name, _)) in order.iter().enumerate() {
        let expected = &clustering[at.min(clustering.len() - 1)];
        if expected == name {
            continue;
        }
        if order.iter().any(|(other, _)| other == expected) {
            return Err(CqlError::invalid(format!(
                "The order of columns in the CLUSTERING ORDER directive must match that of the clustering columns \
                 ({expected} must appear before {name})"
            )));
        }
        return Err(CqlError::invalid(format!(
            "Missing CLUSTERING ORDER for column {expected}"
        )));
    }
    Ok(())
}

/// Whether a column of the primary key may have that type.
fn check_key_type(name: &str, kind: &CqlType) -> Result<()> {
    let refuse = |what: String| {
        Err(CqlError::invalid(format!(
            "{what} for PRIMARY KEY column '{name}'"
        )))
    };
    match kind {
        CqlType::Native(Native::Counter) => refuse("counter type is not supported".to_owned()),
        CqlType::Udt { of, frozen: false } => refuse(format!(
            "Invalid non-frozen user-defined type \"{}.{}\"",
            of.keyspace, of.name
        )),
        _ if kind.is_multi_cell() => refuse(format!("Invalid non-frozen collection type {kind}")),
        _ if kind.contains_duration() => refuse("duration type is not supported".to_owned()),
        _ => Ok(()),
    }
}

/// User-defined types that are not frozen hold no collection that is not.
pub(super) fn refuse_nested_udt(kind: &CqlType) -> Result<()> {
    match kind {
        CqlType::Udt { of, frozen: false } if of.fields.iter().any(|(_, field)| field.is_multi_cell()) => {
            Err(CqlError::invalid(
                "Non-frozen UDTs with nested non-frozen collections are not supported",
            ))
        }
        _ => Ok(()),
    }
}
