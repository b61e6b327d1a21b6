//! `system.size_estimates` and `system.table_estimates`: by which clients that read whole tables cut them into pieces.

use super::cells::{Cells, Row, sort};
use crate::core::schema::{Keyspace, Nature, Schema, Table};
use std::sync::Arc;

/// Where the ring begins and ends.
const RING_END: &str = "-9223372036854775808";

/// The ranges of a node that has all of the ring: those of which it is the first replica, in the cluster and in its data center.
const RANGE_TYPES: [&str; 2] = ["local_primary", "primary"];

/// How large a table is said to be.
#[derive(Debug, Clone)]
pub(crate) struct Estimate {
    pub(crate) table: Arc<Table>,
    pub(crate) partitions: u64,
    pub(crate) bytes: u64,
}

/// Whether a table of the system holds estimates.
pub(crate) fn is_of_estimates(table: &Table) -> bool {
    matches!(
        (&*table.keyspace, &*table.name),
        ("system", "size_estimates" | "table_estimates")
    )
}

/// The tables that have estimates: those that the nodes of a cluster share.
pub(crate) fn estimated(schema: &Schema) -> impl Iterator<Item = &Arc<Table>> {
    let shared =
        |keyspace: &&Arc<Keyspace>| keyspace.nature == Nature::Client || super::is_replicated(&keyspace.name);
    schema
        .keyspaces
        .values()
        .filter(shared)
        .flat_map(|keyspace| keyspace.tables.values())
}

/// The rows of `table`, of a node whose one token is `token`.
pub(crate) fn estimate_rows(table: &Table, token: i64, estimates: &[Estimate]) -> Vec<Row> {
    let token = token.to_string();
    let with_types = table.column("range_type").is_some();
    let mut rows = Vec::new();
    for estimate in estimates {
        // All of the ring is no range: it is cut where it begins.
        let before = (RING_END, &*token, 0, 0);
        let mean = estimate.bytes / estimate.partitions.max(1);
        let behind = (&*token, RING_END, estimate.partitions, mean);
        for (start, end, partitions, mean) in [before, behind] {
            for range_type in &RANGE_TYPES[..if with_types { 2 } else { 1 }] {
                let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
                let mut cells = Cells::default()
                    .text("keyspace_name", &estimate.table.keyspace)
                    .text("table_name", &estimate.table.name)
                    .text("range_start", start)
                    .text("range_end", end)
                    .bigint("mean_partition_size", number(mean))
                    .bigint("partitions_count", number(partitions));
                if with_types {
                    cells = cells.text("range_type", range_type);
                }
                rows.push(cells.row(table));
            }
        }
    }
    sort(table, true, &mut rows);
    rows
}
