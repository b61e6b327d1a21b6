//! Tables of `system_views` that tell what runs: what is asked of tables, and how large they are.

use super::{
    super::{Keyspace, Nature, Schema, Table},
    cells::{Cells, Row, sort},
    estimates::Estimate,
    rows::{Node, RELEASE, STORAGE_PORT},
};
use std::sync::Arc;

/// Values that came.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Summary {
    pub(crate) count: u64,
    pub(crate) max: u64,
    /// What half of them are not beyond.
    pub(crate) median: u64,
    /// What 99 of 100 are not beyond.
    pub(crate) late: u64,
    /// What 999 of 1000 are not beyond.
    pub(crate) last: u64,
    pub(crate) per_second: f64,
}

/// What was asked of a table.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    pub(crate) table: Arc<Table>,
    pub(crate) read_us: Summary,
    pub(crate) scan_us: Summary,
    pub(crate) write_us: Summary,
    pub(crate) rows: Summary,
    pub(crate) tombstones: Summary,
}

/// What a table of `system_views` tells of others.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Told {
    Latency(fn(&Measured) -> &Summary),
    Count(fn(&Measured) -> &Summary),
    Size,
}

impl Told {
    /// Of `table`, if it is such a one. Here who coordinates a statement is who executes it.
    pub(crate) fn by(table: &Table) -> Option<Told> {
        if &*table.keyspace != "system_views" {
            return None;
        }
        Some(match &*table.name {
            "local_read_latency" | "coordinator_read_latency" => Told::Latency(|one| &one.read_us),
            "local_scan_latency" | "coordinator_scan_latency" => Told::Latency(|one| &one.scan_us),
            "local_write_latency" | "coordinator_write_latency" => Told::Latency(|one| &one.write_us),
            "rows_per_read" => Told::Count(|one| &one.rows),
            "tombstones_per_read" => Told::Count(|one| &one.tombstones),
            "disk_usage" => Told::Size,
            _ => return None,
        })
    }
}

/// Every table whose rows are stored.
pub(crate) fn stored(schema: &Schema) -> impl Iterator<Item = &Arc<Table>> {
    let is_stored = |table: &&Arc<Table>| !super::is_derived(table);
    let tables = |keyspace: &Arc<Keyspace>| keyspace.nature != Nature::Virtual;
    schema
        .keyspaces
        .values()
        .filter(move |keyspace| tables(keyspace))
        .flat_map(|keyspace| keyspace.tables.values())
        .filter(is_stored)
}

/// The rows of a table of latencies or counts.
pub(crate) fn measured_rows(table: &Table, told: Told, all: &[Measured]) -> Vec<Row> {
    let ms = |us: u64| us as f64 / 1000.0;
    let row = |one: &Measured| {
        let cells = named(&one.table);
        let cells = match told {
            Told::Latency(of) => {
                let summary = of(one);
                cells
                    .bigint("count", whole(summary.count))
                    .double("max_ms", ms(summary.max))
                    .double("p50th_ms", ms(summary.median))
                    .double("p99th_ms", ms(summary.late))
                    .double("per_second", summary.per_second)
            }
            Told::Count(of) => {
                let summary = of(one);
                cells
                    .bigint("count", whole(summary.count))
                    .double("max", summary.max as f64)
                    .double("p50th", summary.median as f64)
                    .double("p99th", summary.late as f64)
            }
            Told::Size => cells,
        };
        cells.row(table)
    };
    let mut rows: Vec<Row> = all.iter().map(row).collect();
    sort(table, false, &mut rows);
    rows
}

/// The rows of `system_views.disk_usage`. The original leaves its own keyspaces out.
pub(crate) fn size_rows(table: &Table, estimates: &[Estimate]) -> Vec<Row> {
    let is_clients = |one: &&Estimate| !super::is_system(&one.table.keyspace);
    let row = |one: &Estimate| {
        let cells = named(&one.table).bigint("mebibytes", whole(one.bytes >> 20));
        cells.row(table)
    };
    let mut rows: Vec<Row> = estimates.iter().filter(is_clients).map(row).collect();
    sort(table, false, &mut rows);
    rows
}

fn named(table: &Table) -> Cells {
    Cells::default()
        .text("keyspace_name", &table.keyspace)
        .text("table_name", &table.name)
}

fn whole(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// What nodes would tell each other of this one.
pub(super) fn gossip(node: &Node) -> Cells {
    let native = format!("{}:{}", node.address, node.port);
    let token = node.tokens.first().map_or(String::new(), i64::to_string);
    let status = format!("NORMAL,{token}");
    Cells::default()
        .address("address", node.address)
        .int("port", i32::from(STORAGE_PORT))
        .text("dc", &node.site.data_center)
        .int("generation", node.started_s)
        .text("host_id", &node.host_id.to_string())
        .text("hostname", &host_of(node))
        .text("native_address_and_port", &native)
        .text("rack", &node.site.rack)
        .text("release_version", RELEASE)
        .text("rpc_address", &node.address.to_string())
        .text("rpc_ready", "true")
        .text("schema", &node.schema_version.to_string())
        .text("status", &status)
        .text("status_with_port", &status)
}

fn host_of(node: &Node) -> String {
    match node.address {
        ip if ip.is_loopback() => "localhost".to_owned(),
        ip => ip.to_string(),
    }
}
