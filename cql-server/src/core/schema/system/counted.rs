//! `system_views.cql_metrics` and `batch_metrics`: which statements came, since the start.

use super::{
    super::Table,
    cells::{Cells, Row, sort},
    measured::Summary,
};

/// How statements came.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counted {
    /// Statements that are prepared.
    pub(crate) prepared: u64,
    /// Those that were forgotten because there was no room.
    pub(crate) evicted: u64,
    /// Executions of what was prepared.
    pub(crate) executed: u64,
    /// Executions of texts.
    pub(crate) regular: u64,
}

/// How many partitions the batches of each kind had.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Batches {
    pub(crate) counter: Summary,
    pub(crate) logged: Summary,
    pub(crate) unlogged: Summary,
}

/// Whether `table` is the one of statements.
pub(crate) fn is_of_statements(table: &Table) -> bool {
    (&*table.keyspace, &*table.name) == ("system_views", "cql_metrics")
}

/// Whether `table` is the one of batches.
pub(crate) fn is_of_batches(table: &Table) -> bool {
    (&*table.keyspace, &*table.name) == ("system_views", "batch_metrics")
}

/// The rows of the table of statements.
pub(crate) fn statement_rows(table: &Table, counted: Counted) -> Vec<Row> {
    let all = counted.executed + counted.regular;
    let rows = [
        ("prepared_statements_count", counted.prepared as f64),
        ("prepared_statements_evicted", counted.evicted as f64),
        ("prepared_statements_executed", counted.executed as f64),
        (
            "prepared_statements_ratio",
            counted.executed as f64 / all.max(1) as f64,
        ),
        ("regular_statements_executed", counted.regular as f64),
    ];
    let row = |(name, value)| {
        Cells::default()
            .text("name", name)
            .double("value", value)
            .row(table)
    };
    sorted(table, rows.map(row).into())
}

/// The rows of the table of batches.
pub(crate) fn batch_rows(table: &Table, batches: &Batches) -> Vec<Row> {
    let rows = [
        ("partitions_per_counter_batch", batches.counter),
        ("partitions_per_logged_batch", batches.logged),
        ("partitions_per_unlogged_batch", batches.unlogged),
    ];
    let row = |(name, summary): (&str, Summary)| {
        Cells::default()
            .text("name", name)
            .bigint("max", i64::try_from(summary.max).unwrap_or(i64::MAX))
            .double("p50th", summary.median as f64)
            .double("p999th", summary.last as f64)
            .double("p99th", summary.late as f64)
            .row(table)
    };
    sorted(table, rows.map(row).into())
}

fn sorted(table: &Table, mut rows: Vec<Row>) -> Vec<Row> {
    sort(table, false, &mut rows);
    rows
}
