//! The schema as CQL: what DESCRIBE shows, byte for byte as the original does.

use super::{Column, Index, Keyspace, Nature, Role, Table, options::shown, refers_to};
use crate::core::types::{UserType, names::quoted};
use std::{collections::BTreeMap, fmt::Write};

/// A name of a table with its keyspace.
pub(crate) fn qualified(keyspace: &str, name: &str) -> String {
    format!("{}.{}", quoted(keyspace), quoted(name))
}

fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

fn map(entries: &BTreeMap<String, String>) -> String {
    let entries: Vec<String> = entries
        .iter()
        .map(|(key, value)| format!("{}: {}", text(key), text(value)))
        .collect();
    format!("{{{}}}", entries.join(", "))
}

/// `CREATE KEYSPACE`.
pub(crate) fn keyspace(keyspace: &Keyspace) -> String {
    let name = quoted(&keyspace.name);
    if keyspace.nature == Nature::Virtual {
        return format!(
            "/*\nWarning: Keyspace {name} is a virtual keyspace and cannot be recreated with CQL.\n\
             Structure, for reference:\nVIRTUAL KEYSPACE {name};\n*/"
        );
    }
    // The class comes first and without its package.
    let mut replication = String::new();
    let (class, rest): (Vec<_>, Vec<_>) = keyspace.replication.iter().partition(|(key, _)| *key == "class");
    for (key, value) in class.into_iter().chain(rest) {
        let value = value
            .strip_prefix("org.apache.cassandra.locator.")
            .unwrap_or(value);
        let comma = if replication.is_empty() { "" } else { ", " };
        let _ = write!(replication, "{comma}{}: {}", text(key), text(value));
    }
    format!(
        "CREATE KEYSPACE {name} WITH replication = {{{replication}}}  AND durable_writes = {};",
        keyspace.durable_writes
    )
}

/// `CREATE TYPE`.
pub(crate) fn user_type(user_type: &UserType) -> String {
    let fields: Vec<String> = user_type
        .fields
        .iter()
        .map(|(name, kind)| format!("    {} {kind}", quoted(name)))
        .collect();
    format!(
        "CREATE TYPE {} (\n{}\n);",
        qualified(&user_type.keyspace, &user_type.name),
        fields.join(",\n")
    )
}

/// The types of `keyspace`, each after those that it is made of.
pub(crate) fn types_in_order(keyspace: &Keyspace) -> Vec<&UserType> {
    let mut placed: Vec<&UserType> = Vec::new();
    let mut waiting: Vec<&UserType> = keyspace.types.values().map(|user_type| &**user_type).collect();
    while !waiting.is_empty() {
        let is_free = |user_type: &&UserType| {
            waiting
                .iter()
                .all(|other| other.name == user_type.name || !uses(user_type, &other.name))
        };
        // Types cannot contain themselves, so one is always free; were it not so, the rest comes as it is.
        let (free, rest): (Vec<_>, Vec<_>) = waiting.iter().copied().partition(is_free);
        if free.is_empty() {
            placed.extend(rest);
            return placed;
        }
        placed.extend(free);
        waiting = rest;
    }
    placed
}

fn uses(user_type: &UserType, name: &str) -> bool {
    user_type.fields.iter().any(|(_, kind)| refers_to(kind, name))
}

/// `CREATE INDEX`.
pub(crate) fn index(table: &Table, index: &Index) -> String {
    let on = qualified(&table.keyspace, &table.name);
    let name = quoted(&index.name);
    let Some(class) = &index.class else {
        return format!("CREATE INDEX {name} ON {on} ({});", index.target);
    };
    let options = if index.options.is_empty() {
        String::new()
    } else {
        format!(" WITH OPTIONS = {}", map(&index.options))
    };
    format!(
        "CREATE CUSTOM INDEX {name} ON {on} ({}) USING {}{options};",
        index.target,
        text(class)
    )
}

/// `CREATE TABLE` or `CREATE MATERIALIZED VIEW`; `internals` are ids and dropped columns.
pub(crate) fn table(table: &Table, nature: Nature, internals: bool) -> String {
    let name = qualified(&table.keyspace, &table.name);
    if nature == Nature::Virtual {
        return format!(
            "/*\nWarning: Table {name} is a virtual table and cannot be recreated with CQL.\n\
             Structure, for reference:\nVIRTUAL TABLE {name} (\n{}\n) WITH {}comment = {};\n*/",
            columns(table, false),
            clustering_order(table).map_or_else(String::new, |order| format!("{order}\n    AND ")),
            text(&table.options.comment)
        );
    }
    let head = match &table.view {
        Some(_) => view_head(table),
        None => format!("CREATE TABLE {name} (\n{}\n)", columns(table, internals)),
    };
    let mut clauses = Vec::new();
    if internals {
        clauses.push(format!("ID = {}", table.id));
    }
    clauses.extend(clustering_order(table));
    clauses.extend(options(table));
    let mut described = format!("{head} WITH {};", clauses.join("\n    AND "));
    if internals {
        for dropped in &table.dropped {
            let column = quoted(&dropped.column.name);
            let _ = write!(
                described,
                "\nALTER TABLE {name} DROP {column} USING TIMESTAMP {};",
                dropped.at_us
            );
            if let Some(again) = table.column(&dropped.column.name) {
                let _ = write!(described, "\nALTER TABLE {name} ADD {};", definition(again));
            }
        }
    }
    described
}

fn definition(column: &Column) -> String {
    let suffix = if column.is_static() { " static" } else { "" };
    format!("{} {}{suffix}", quoted(&column.name), column.kind)
}

/// The columns between the parentheses: those of one cell before those of many.
fn columns(table: &Table, internals: bool) -> String {
    let mut rest: Vec<&Column> = table
        .columns
        .iter()
        .filter(|column| matches!(column.role, Role::Static | Role::Regular))
        .collect();
    if internals {
        let gone = table.dropped.iter().map(|dropped| &dropped.column);
        rest.extend(gone.filter(|column| table.column(&column.name).is_none()));
    }
    rest.sort_by_key(|column| {
        (
            !column.is_static(),
            column.kind.is_multi_cell(),
            column.name.clone(),
        )
    });
    let is_simple = table.partition_key().len() == 1 && table.clustering().is_empty();
    let mut lines: Vec<String> = Vec::new();
    for column in table.partition_key().iter().chain(table.clustering()).chain(rest) {
        let key = if is_simple && column.role == Role::PartitionKey {
            " PRIMARY KEY"
        } else {
            ""
        };
        lines.push(format!("    {}{key}", definition(column)));
    }
    if !is_simple {
        lines.push(format!("    {}", primary_key(table)));
    }
    lines.join(",\n")
}

fn primary_key(table: &Table) -> String {
    let names = |columns: &[Column]| {
        columns
            .iter()
            .map(|c| quoted(&c.name).into_owned())
            .collect::<Vec<_>>()
    };
    let partition = names(table.partition_key());
    let partition = match partition.as_slice() {
        [only] => only.clone(),
        several => format!("({})", several.join(", ")),
    };
    let mut parts = vec![partition];
    parts.extend(names(table.clustering()));
    format!("PRIMARY KEY ({})", parts.join(", "))
}

fn view_head(view: &Table) -> String {
    let Some(of) = &view.view else {
        return String::new();
    };
    let selected = if of.includes_all {
        "*".to_owned()
    } else {
        view.columns
            .iter()
            .map(|column| quoted(&column.name).into_owned())
            .collect::<Vec<_>>()
            .join(", ")
    };
    format!(
        "CREATE MATERIALIZED VIEW {} AS\n    SELECT {selected}\n    FROM {}\n    WHERE {}\n    {}\n",
        qualified(&view.keyspace, &view.name),
        qualified(&view.keyspace, &of.base),
        of.restriction,
        primary_key(view)
    )
}

fn clustering_order(table: &Table) -> Option<String> {
    if table.clustering().is_empty() {
        return None;
    }
    let direction = |column: &Column| if column.is_descending() { "DESC" } else { "ASC" };
    let columns: Vec<String> = table
        .clustering()
        .iter()
        .map(|column| format!("{} {}", quoted(&column.name), direction(column)))
        .collect();
    Some(format!("CLUSTERING ORDER BY ({})", columns.join(", ")))
}

fn options(table: &Table) -> Vec<String> {
    let options = &table.options;
    let extensions: Vec<String> = options
        .extensions
        .iter()
        .map(|(name, hex)| format!("{}: {hex}", text(name)))
        .collect();
    let mut all = vec![
        format!(
            "additional_write_policy = {}",
            text(&options.additional_write_policy)
        ),
        format!(
            "allow_auto_snapshot = {}",
            options.allow_auto_snapshot.unwrap_or(true)
        ),
        format!(
            "bloom_filter_fp_chance = {}",
            shown(options.bloom_filter_fp_chance)
        ),
        format!("caching = {}", map(&options.caching)),
        format!("cdc = {}", options.cdc.unwrap_or(false)),
        format!("comment = {}", text(&options.comment)),
        format!("compaction = {}", map(&options.compaction)),
        format!("compression = {}", map(&options.compression)),
        format!(
            "memtable = {}",
            text(options.memtable.as_deref().unwrap_or("default"))
        ),
        format!("crc_check_chance = {}", shown(options.crc_check_chance)),
    ];
    // Rows of a view live as long as those of its base.
    if table.view.is_none() {
        all.push(format!("default_time_to_live = {}", table.default_time_to_live));
    }
    all.extend([
        format!("extensions = {{{}}}", extensions.join(", ")),
        format!("gc_grace_seconds = {}", options.gc_grace_seconds),
        format!(
            "incremental_backups = {}",
            options.incremental_backups.unwrap_or(true)
        ),
        format!("max_index_interval = {}", options.max_index_interval),
        format!(
            "memtable_flush_period_in_ms = {}",
            options.memtable_flush_period_in_ms
        ),
        format!("min_index_interval = {}", options.min_index_interval),
        format!("read_repair = {}", text(&options.read_repair)),
        format!("speculative_retry = {}", text(&options.speculative_retry)),
    ]);
    all
}
