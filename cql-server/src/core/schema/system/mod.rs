//! The keyspaces of the system: the tables that Apache Cassandra 5.0.9 has, recorded from it.
//!
//! Knows: their columns, ids and options, and their rows as they follow from the schema and the node.
//! Never: statements, the store.

mod cells;
mod clients;
mod counted;
mod estimates;
mod measured;
mod queries;
mod rows;

pub(crate) use cells::Row;
pub(crate) use clients::{Client, client_rows, is_of_clients};
pub(crate) use counted::{Batches, Counted, batch_rows, is_of_batches, is_of_statements, statement_rows};
pub(crate) use estimates::{Estimate, estimate_rows, estimated, is_of_estimates};
pub(crate) use measured::{Measured, Summary, Told, measured_rows, size_rows, stored};
pub(crate) use queries::{Query, is_of_queries, query_rows};
pub(crate) use rows::{Node, PARTITIONER, STORAGE_PORT, rows};

use super::{Column, Keyspace, Nature, Role, Table, options::Given};
use crate::{
    core::types::{CqlType, names},
    error::{CqlError, Result},
};
use std::{collections::BTreeMap, sync::Arc};
use uuid::Uuid;

/// One line for each table (name, id, options, `#`, comment), one for each of its columns (name, role, type).
const DEFINITIONS: &str = include_str!("definitions.txt");

/// Tables whose rows are stored like those of clients. A table's number is its place here: never change one.
const STORED: &[(&str, &str)] = &[
    ("system_traces", "sessions"),
    ("system_traces", "events"),
    ("system_auth", "roles"),
    ("system_auth", "role_members"),
    ("system_auth", "role_permissions"),
    ("system_auth", "resource_role_permissons_index"),
    ("system_auth", "network_permissions"),
    ("system_auth", "identity_to_role"),
    ("system_auth", "cidr_permissions"),
    ("system_auth", "cidr_groups"),
    ("system_distributed", "parent_repair_history"),
    ("system_distributed", "partition_denylist"),
    ("system_distributed", "repair_history"),
    ("system_distributed", "view_build_status"),
    ("system", "prepared_statements"),
];

/// Tables whose rows are made up when they are asked for have numbers from here on.
const FIRST_VIRTUAL: u32 = 256;

const LOCAL: &[(&str, &str)] = &[("class", "org.apache.cassandra.locator.LocalStrategy")];
const SIMPLE: &str = "org.apache.cassandra.locator.SimpleStrategy";

/// A keyspace's name, nature and replication.
type Owned = (&'static str, Nature, &'static [(&'static str, &'static str)]);

/// The keyspaces of the system.
const KEYSPACES: &[Owned] = &[
    ("system", Nature::System, LOCAL),
    (
        "system_auth",
        Nature::System,
        &[("class", SIMPLE), ("replication_factor", "1")],
    ),
    (
        "system_distributed",
        Nature::System,
        &[("class", SIMPLE), ("replication_factor", "3")],
    ),
    ("system_schema", Nature::System, LOCAL),
    (
        "system_traces",
        Nature::System,
        &[("class", SIMPLE), ("replication_factor", "2")],
    ),
    ("system_views", Nature::Virtual, &[]),
    ("system_virtual_schema", Nature::Virtual, &[]),
];

/// Whether `name` is the system's.
pub(crate) fn is_system(name: &str) -> bool {
    KEYSPACES.iter().any(|(known, ..)| *known == name)
}

/// Whether the keyspace of that name is one whose tables are virtual in the original, too.
pub(crate) fn is_virtual(name: &str) -> bool {
    KEYSPACES
        .iter()
        .any(|(known, nature, _)| *nature == Nature::Virtual && *known == name)
}

/// Whether the rows of `table` are not stored: they follow from the schema and the node.
fn is_derived(table: &Table) -> bool {
    (FIRST_VIRTUAL..super::FIRST_NUMBER).contains(&table.number)
}

/// Refuses to write where rows are derived. The original lets whoever may do everything change what a node knows of
/// itself and of the schema, and such a node serves nobody any more; here nothing would be there to be changed.
pub(crate) fn refuse_derived(table: &Table, doing: &str) -> Result<()> {
    let Table { keyspace, name, .. } = table;
    match is_derived(table) {
        false => Ok(()),
        true if is_virtual(keyspace) => Err(CqlError::invalid(format!(
            "{doing} is not supported by table {keyspace}.{name}"
        ))),
        true => Err(CqlError::Unauthorized(format!(
            "{keyspace} keyspace is not user-modifiable."
        ))),
    }
}

/// Whether the keyspace of that name, which is the system's, is one that the nodes of a cluster share.
pub(crate) fn is_replicated(name: &str) -> bool {
    name != "system" && STORED.iter().any(|(keyspace, _)| *keyspace == name)
}

/// Every keyspace of the system.
pub(crate) fn keyspaces() -> BTreeMap<Arc<str>, Arc<Keyspace>> {
    let mut tables: BTreeMap<Arc<str>, BTreeMap<Arc<str>, Arc<Table>>> = BTreeMap::new();
    for (number, definition) in (FIRST_VIRTUAL..).zip(definitions()) {
        if let Some(table) = table(number, &definition) {
            tables
                .entry(table.keyspace.clone())
                .or_default()
                .insert(table.name.clone(), Arc::new(table));
        }
    }
    let keyspace = |(name, nature, replication): &Owned| {
        let name: Arc<str> = Arc::from(*name);
        let replication = replication
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let keyspace = Keyspace {
            name: name.clone(),
            nature: *nature,
            replication: replication.collect(),
            durable_writes: true,
            tables: tables.get(&name).cloned().unwrap_or_default(),
            types: BTreeMap::new(),
        };
        (name, Arc::new(keyspace))
    };
    KEYSPACES.iter().map(keyspace).collect()
}

/// The lines of each table.
fn definitions() -> impl Iterator<Item = Vec<&'static str>> {
    let mut lines = DEFINITIONS.lines().peekable();
    std::iter::from_fn(move || {
        let mut lines_of_one = vec![lines.next()?];
        while let Some(line) = lines.next_if(|line| line.starts_with(' ')) {
            lines_of_one.push(line);
        }
        Some(lines_of_one)
    })
}

fn table(number: u32, lines: &[&str]) -> Option<Table> {
    let (head, columns) = lines.split_first()?;
    let (head, comment) = head.split_once(" #")?;
    let mut words = head.split(' ');
    let (keyspace, name) = words.next()?.split_once('.')?;
    let stored = (1..).zip(STORED).find(|(_, stored)| **stored == (keyspace, name));
    let number = stored.map_or(number, |(number, _)| number);
    let id = words.next()?.parse().unwrap_or(Uuid::nil());
    let columns = (0u32..)
        .zip(columns)
        .map(|(id, line)| column(id, line))
        .collect::<Option<Vec<_>>>()?;
    let mut table = Table::new(keyspace.into(), name.into(), id, number, columns);
    table.options.comment = comment.trim_start().to_owned();
    for (option, value) in words.filter_map(|word| word.split_once('=')) {
        set(&mut table, option, value)?;
    }
    Some(table)
}

fn set(table: &mut Table, option: &str, value: &str) -> Option<()> {
    let (options, time_to_live) = (&mut table.options, &mut table.default_time_to_live);
    let Some((class, min)) = value.split_once(':') else {
        return options.set(time_to_live, option, Given::Text(value)).ok();
    };
    let compaction =
        [("class", class), ("min_threshold", min)].map(|(key, value)| (key.to_owned(), value.to_owned()));
    options.set(time_to_live, option, Given::Map(&compaction)).ok()
}

fn column(id: u32, line: &str) -> Option<Column> {
    let mut words = line.trim_start().splitn(3, ' ');
    let name = words.next()?.into();
    let role = match words.next()? {
        "key" => Role::PartitionKey,
        "clustering" => Role::Clustering { descending: false },
        "descending" => Role::Clustering { descending: true },
        "static" => Role::Static,
        _ => Role::Regular,
    };
    let kind: CqlType = names::parse(words.next()?)
        .ok()?
        .resolve("system", &|_| None)
        .ok()?;
    Some(Column { name, kind, role, id })
}
