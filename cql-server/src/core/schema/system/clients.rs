//! `system_views.clients`: who is connected.

use super::{
    super::Table,
    cells::{Cells, Row, sort},
};
use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

/// Somebody who is connected.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    /// What it said of itself when it started.
    pub(crate) options: BTreeMap<String, String>,
    pub(crate) stage: &'static str,
    pub(crate) keyspace: Option<Arc<str>>,
    pub(crate) protocol_version: u8,
    pub(crate) requests: u64,
    pub(crate) over_tls: bool,
    /// Who it logged in as.
    pub(crate) role: Option<Arc<str>>,
}

/// Who nobody in particular is called.
const ANONYMOUS: &str = "anonymous";

/// Whether `table` is the one of clients.
pub(crate) fn is_of_clients(table: &Table) -> bool {
    (&*table.keyspace, &*table.name) == ("system_views", "clients")
}

/// Its rows.
pub(crate) fn client_rows(table: &Table, clients: &[Client]) -> Vec<Row> {
    let mut rows: Vec<Row> = clients.iter().map(|client| cells(client).row(table)).collect();
    sort(table, false, &mut rows);
    rows
}

fn cells(client: &Client) -> Cells {
    let host = match client.address.ip() {
        ip if ip.is_loopback() => "localhost".to_owned(),
        ip => ip.to_string(),
    };
    let mut cells = Cells::default()
        .address("address", client.address.ip())
        .int("port", i32::from(client.address.port()))
        .text("connection_stage", client.stage)
        .text("hostname", &host)
        .int("protocol_version", i32::from(client.protocol_version))
        .bigint(
            "request_count",
            i64::try_from(client.requests).unwrap_or(i64::MAX),
        )
        .boolean("ssl_enabled", client.over_tls)
        .text_map("client_options", &client.options)
        .text("username", client.role.as_deref().unwrap_or(ANONYMOUS));
    if let Some(keyspace) = &client.keyspace {
        cells = cells.text("keyspace_name", keyspace);
    }
    for (option, column) in [
        ("DRIVER_NAME", "driver_name"),
        ("DRIVER_VERSION", "driver_version"),
    ] {
        if let Some(value) = client.options.get(option) {
            cells = cells.text(column, value);
        }
    }
    cells
}
