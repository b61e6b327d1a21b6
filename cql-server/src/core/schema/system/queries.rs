//! `system_views.queries`: what is under way.

use super::{
    super::Table,
    cells::{Cells, Row, sort},
};
use std::{sync::Arc, time::Duration};

/// A query under way.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    /// Which one it is: the original tells the thread that has it.
    pub(crate) number: u64,
    /// How long it waited to begin.
    pub(crate) queued: Duration,
    pub(crate) running: Duration,
    pub(crate) text: Arc<str>,
}

/// What is shown of a text at the most: each client may have a thousand long ones under way.
const SHOWN_CHARS_MAX: usize = 1024;

/// Whether `table` is the one of queries.
pub(crate) fn is_of_queries(table: &Table) -> bool {
    (&*table.keyspace, &*table.name) == ("system_views", "queries")
}

/// Its rows.
pub(crate) fn query_rows(table: &Table, queries: &[Query]) -> Vec<Row> {
    let micros = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    let row = |query: &Query| {
        Cells::default()
            .text("thread_id", &format!("ReadStage-{}", query.number))
            .bigint("queued_micros", micros(query.queued))
            .bigint("running_micros", micros(query.running))
            .text("task", beginning(&query.text))
            .row(table)
    };
    let mut rows: Vec<Row> = queries.iter().map(row).collect();
    sort(table, false, &mut rows);
    rows
}

fn beginning(text: &str) -> &str {
    let end = text.char_indices().nth(SHOWN_CHARS_MAX);
    &text[..end.map_or(text.len(), |(at, _)| at)]
}
