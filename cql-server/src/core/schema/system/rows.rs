//! What the tables of the system hold: the schema and the node, as drivers and tools read them.

use super::{
    super::{Column, IndexKind, Keyspace, Nature, Options, Role, Schema, Table, replication::Site},
    cells::{Cells, Row, sort},
};
use std::{collections::BTreeMap, net::IpAddr, sync::Arc};
use uuid::Uuid;

/// The facts of the one node.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) cluster_name: String,
    pub(crate) host_id: Uuid,
    pub(crate) schema_version: Uuid,
    /// In their order.
    pub(crate) tokens: Vec<i64>,
    /// Where clients reach it.
    pub(crate) address: IpAddr,
    pub(crate) port: u16,
    pub(crate) site: Arc<Site>,
    /// Settings that are no more than told: by their names in `cassandra.yaml`.
    pub(crate) settings: Arc<BTreeMap<String, Option<String>>>,
    /// When it started, in seconds since 1970.
    pub(crate) started_s: i32,
}

/// The version that clients are told.
pub(crate) const RELEASE: &str = "5.0.9";
/// The version of the language.
pub(crate) const CQL: &str = "3.4.7";
/// Where nodes would talk to each other.
pub(crate) const STORAGE_PORT: u16 = 7000;
pub(crate) const PARTITIONER: &str = "org.apache.cassandra.dht.Murmur3Partitioner";

/// The rows of a table of the system in the order of its key; `None` where its rows are stored like those of clients.
pub(crate) fn rows(schema: &Schema, node: &Node, table: &Table) -> Option<Vec<Row>> {
    let keyspace = schema.keyspaces.get(&table.keyspace)?;
    if !super::is_derived(table) {
        return None;
    }
    let cells = match (&*table.keyspace, &*table.name) {
        ("system", "local") => vec![local(node)],
        ("system", "built_views") => views(schema)
            .map(|(owner, view)| built_view(owner, view))
            .collect(),
        ("system", "IndexInfo") => index_info(schema),
        ("system_schema", "keyspaces") => keyspaces(schema, false).map(keyspace_row).collect(),
        ("system_schema", "tables") => tables(schema, false)
            .filter(|table| table.view.is_none())
            .map(table_row)
            .collect(),
        ("system_schema", "views") => views(schema).map(|(_, view)| view_row(view)).collect(),
        ("system_schema", "columns") => tables(schema, false).flat_map(columns).collect(),
        ("system_schema", "dropped_columns") => tables(schema, false).flat_map(dropped_columns).collect(),
        ("system_schema", "indexes") => tables(schema, false).flat_map(indexes).collect(),
        ("system_schema", "types") => keyspaces(schema, false).flat_map(types).collect(),
        ("system_virtual_schema", "keyspaces") => keyspaces(schema, true)
            .map(|keyspace| Cells::default().text("keyspace_name", &keyspace.name))
            .collect(),
        ("system_virtual_schema", "tables") => tables(schema, true).map(virtual_table).collect(),
        ("system_virtual_schema", "columns") => tables(schema, true).flat_map(columns).collect(),
        ("system_views", "settings") => settings(node),
        ("system_views", "gossip_info") => vec![super::measured::gossip(node)],
        _ => Vec::new(),
    };
    let mut rows: Vec<Row> = cells.into_iter().map(|cells| cells.row(table)).collect();
    sort(table, keyspace.nature == Nature::System, &mut rows);
    Some(rows)
}

fn keyspaces(schema: &Schema, is_virtual: bool) -> impl Iterator<Item = &Keyspace> {
    let wanted = move |keyspace: &&Keyspace| (keyspace.nature == Nature::Virtual) == is_virtual;
    schema
        .keyspaces
        .values()
        .map(|keyspace| &**keyspace)
        .filter(wanted)
}

fn tables(schema: &Schema, is_virtual: bool) -> impl Iterator<Item = &Table> {
    keyspaces(schema, is_virtual).flat_map(|keyspace| keyspace.tables.values().map(|table| &**table))
}

fn views(schema: &Schema) -> impl Iterator<Item = (&Keyspace, &Table)> {
    let of = |keyspace| tables_of(keyspace).map(move |table| (keyspace, table));
    keyspaces(schema, false)
        .flat_map(of)
        .filter(|(_, table)| table.view.is_some())
}

fn tables_of(keyspace: &Keyspace) -> impl Iterator<Item = &Table> {
    keyspace.tables.values().map(|table| &**table)
}

fn local(node: &Node) -> Cells {
    let mut tokens: Vec<String> = node.tokens.iter().map(i64::to_string).collect();
    tokens.sort();
    Cells::default()
        .text("key", "local")
        .text("bootstrapped", "COMPLETED")
        .address("broadcast_address", node.address)
        .int("broadcast_port", i32::from(STORAGE_PORT))
        .text("cluster_name", &node.cluster_name)
        .text("cql_version", CQL)
        .text("data_center", &node.site.data_center)
        .int("gossip_generation", node.started_s)
        .uuid("host_id", node.host_id)
        .address("listen_address", node.address)
        .int("listen_port", i32::from(STORAGE_PORT))
        .text("native_protocol_version", "5")
        .text("partitioner", PARTITIONER)
        .text("rack", &node.site.rack)
        .text("release_version", RELEASE)
        .address("rpc_address", node.address)
        .int("rpc_port", i32::from(node.port))
        .uuid("schema_version", node.schema_version)
        .texts("tokens", tokens)
}

fn built_view(keyspace: &Keyspace, view: &Table) -> Cells {
    Cells::default()
        .text("keyspace_name", &keyspace.name)
        .text("view_name", &view.name)
        .boolean("status_replicated", true)
}

/// Indexes that are built, which is all of them. The column that is called a table names the keyspace.
fn index_info(schema: &Schema) -> Vec<Cells> {
    let of = |table: &Table| {
        let row = |name: &str| {
            Cells::default()
                .text("table_name", &table.keyspace)
                .text("index_name", name)
        };
        table
            .indexes
            .iter()
            .map(|index| row(&index.name))
            .collect::<Vec<_>>()
    };
    tables(schema, false).flat_map(of).collect()
}

fn keyspace_row(keyspace: &Keyspace) -> Cells {
    Cells::default()
        .text("keyspace_name", &keyspace.name)
        .boolean("durable_writes", keyspace.durable_writes)
        .text_map("replication", &keyspace.replication)
}

fn table_row(table: &Table) -> Cells {
    let flags: &[&str] = if table.is_counter() {
        &["compound", "counter"]
    } else {
        &["compound"]
    };
    options(Cells::default().text("table_name", &table.name), table)
        .texts("flags", flags)
        .uuid("id", table.id)
}

fn view_row(view: &Table) -> Cells {
    let cells = options(Cells::default().text("view_name", &view.name), view).uuid("id", view.id);
    match &view.view {
        Some(of) => cells
            .uuid("base_table_id", of.base_id)
            .text("base_table_name", &of.base)
            .boolean("include_all_columns", of.includes_all)
            .text("where_clause", &of.restriction),
        None => cells,
    }
}

fn options(cells: Cells, table: &Table) -> Cells {
    let options: &Options = &table.options;
    let extensions: BTreeMap<&str, Vec<u8>> = options
        .extensions
        .iter()
        .map(|(name, hex)| (name.as_str(), unhexed(hex)))
        .collect();
    let mut cells = cells
        .text("keyspace_name", &table.keyspace)
        .text("additional_write_policy", &options.additional_write_policy)
        .double("bloom_filter_fp_chance", options.bloom_filter_fp_chance)
        .text_map("caching", &options.caching)
        .text("comment", &options.comment)
        .text_map("compaction", &options.compaction)
        .text_map("compression", &options.compression)
        .double("crc_check_chance", options.crc_check_chance)
        .double("dclocal_read_repair_chance", 0.0)
        .int("default_time_to_live", table.default_time_to_live)
        .map(
            "extensions",
            extensions
                .iter()
                .map(|(name, value)| (name.as_bytes(), value.as_slice())),
        )
        .int("gc_grace_seconds", options.gc_grace_seconds)
        .int("max_index_interval", options.max_index_interval)
        .int("memtable_flush_period_in_ms", options.memtable_flush_period_in_ms)
        .int("min_index_interval", options.min_index_interval)
        .text("read_repair", &options.read_repair)
        .double("read_repair_chance", 0.0)
        .text("speculative_retry", &options.speculative_retry);
    // The original leaves out what is as it is by default.
    if options.cdc == Some(true) {
        cells = cells.boolean("cdc", true);
    }
    if options.allow_auto_snapshot == Some(false) {
        cells = cells.boolean("allow_auto_snapshot", false);
    }
    if options.incremental_backups == Some(false) {
        cells = cells.boolean("incremental_backups", false);
    }
    cells
}

/// The bytes of `0x...`, as far as it is that.
fn unhexed(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .trim_start_matches("0x")
        .chars()
        .map_while(|digit| digit.to_digit(16))
        .map(|digit| digit as u8)
        .collect();
    digits
        .chunks_exact(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

/// What a column is to its table, in the words of the original.
fn kind_of(column: &Column) -> &'static str {
    match column.role {
        Role::PartitionKey => "partition_key",
        Role::Clustering { .. } => "clustering",
        Role::Static => "static",
        Role::Regular => "regular",
    }
}

/// A row for each column.
fn columns(table: &Table) -> Vec<Cells> {
    let clustering_from = table.partition_key().len() as i32;
    let row = |(at, column): (i32, &Column)| {
        let (position, order) = match column.role {
            Role::PartitionKey => (at, "none"),
            Role::Clustering { descending: false } => (at - clustering_from, "asc"),
            Role::Clustering { descending: true } => (at - clustering_from, "desc"),
            Role::Static | Role::Regular => (-1, "none"),
        };
        Cells::default()
            .text("keyspace_name", &table.keyspace)
            .text("table_name", &table.name)
            .text("column_name", &column.name)
            .text("column_name_bytes", &column.name)
            .text("clustering_order", order)
            .text("kind", kind_of(column))
            .int("position", position)
            .text("type", &column.kind.to_string())
    };
    (0i32..).zip(&table.columns).map(row).collect()
}

fn dropped_columns(table: &Table) -> Vec<Cells> {
    let row = |dropped: &super::super::Dropped| {
        Cells::default()
            .text("keyspace_name", &table.keyspace)
            .text("table_name", &table.name)
            .text("column_name", &dropped.column.name)
            .bigint("dropped_time", dropped.at_us.div_euclid(1000))
            .text("kind", kind_of(&dropped.column))
            .text("type", &dropped.column.kind.to_string())
    };
    table.dropped.iter().map(row).collect()
}

fn indexes(table: &Table) -> Vec<Cells> {
    let row = |index: &super::super::Index| {
        let mut options = index.options.clone();
        options.insert("target".to_owned(), index.target.to_string());
        if let Some(class) = &index.class {
            options.insert("class_name".to_owned(), class.clone());
        }
        let kind = match index.kind {
            IndexKind::Composites => "COMPOSITES",
            IndexKind::Custom => "CUSTOM",
        };
        Cells::default()
            .text("keyspace_name", &table.keyspace)
            .text("table_name", &table.name)
            .text("index_name", &index.name)
            .text("kind", kind)
            .text_map("options", &options)
    };
    table.indexes.iter().map(row).collect()
}

fn types(keyspace: &Keyspace) -> Vec<Cells> {
    let row = |user_type: &std::sync::Arc<crate::core::types::UserType>| {
        Cells::default()
            .text("keyspace_name", &keyspace.name)
            .text("type_name", &user_type.name)
            .texts(
                "field_names",
                user_type.fields.iter().map(|(name, _)| name.as_bytes()),
            )
            .texts(
                "field_types",
                user_type.fields.iter().map(|(_, kind)| kind.to_string()),
            )
    };
    keyspace.types.values().map(row).collect()
}

fn virtual_table(table: &Table) -> Cells {
    Cells::default()
        .text("keyspace_name", &table.keyspace)
        .text("table_name", &table.name)
        .text("comment", &table.options.comment)
}

/// What is set on this node, of what the original has a setting for.
fn settings(node: &Node) -> Vec<Cells> {
    let row = |(name, value): (&String, &Option<String>)| {
        let cells = Cells::default().text("name", name);
        match value {
            Some(value) => cells.text("value", value),
            None => cells,
        }
    };
    node.settings.iter().map(row).collect()
}
