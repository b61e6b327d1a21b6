//! What the console shows of a node: its keyspaces and tables, how large they are, and what is asked of them.

use super::Engine;
use crate::{
    core::schema::{
        Nature, Schema,
        system::{Measured, Summary},
    },
    state::rows::table_scan,
};
use server_kit::console::{Cell, Table, Unit, View};

impl Engine {
    /// Shows what it holds.
    pub(super) fn shown(&self, view: &mut View) {
        let schema = self.schema.load();
        let node = self.node.load();
        view.fact("cluster", Unit::Text, node.cluster_name.as_str());
        let of_clients = |one: &Measured| is_of_clients(&schema, &one.table.keyspace);
        let (own, system): (Vec<_>, Vec<_>) = self.measured(&schema).into_iter().partition(of_clients);
        view.table(keyspaces(&schema));
        view.table(self.tables("Tables", "None yet.", &own));
        // Which of the server's own are of interest is who reads them.
        let asked: Vec<Measured> = system.into_iter().filter(|one| asked(one) > 0).collect();
        view.table(self.tables("Tables of the system that were asked for", "None yet.", &asked));
    }

    fn tables(&self, title: &'static str, empty: &'static str, measured: &[Measured]) -> Table {
        let columns = [
            ("table", Unit::Text),
            ("reads", Unit::Rate),
            ("read p50", Unit::Micros),
            ("read p99", Unit::Micros),
            ("scans", Unit::Rate),
            ("scan p99", Unit::Micros),
            ("writes", Unit::Rate),
            ("write p50", Unit::Micros),
            ("write p99", Unit::Micros),
            ("size, about", Unit::Bytes),
        ];
        let mut table = Table::new(title, empty, &columns);
        table.fill(measured, |one| {
            let bytes = self.kv.estimate(&table_scan(one.table.number)).ok();
            let (read, scan, write) = (&one.read_us, &one.scan_us, &one.write_us);
            [
                format!("{}.{}", one.table.keyspace, one.table.name).into(),
                read.count.into(),
                within(read, read.median),
                within(read, read.late),
                scan.count.into(),
                within(scan, scan.late),
                write.count.into(),
                within(write, write.median),
                within(write, write.late),
                bytes.map(|(bytes, _)| bytes).into(),
            ]
        });
        table
    }
}

fn asked(one: &Measured) -> u64 {
    one.read_us.count + one.scan_us.count + one.write_us.count
}

/// A time that was never measured is none.
fn within(summary: &Summary, us: u64) -> Cell {
    Some(us).filter(|_| summary.count > 0).into()
}

fn is_of_clients(schema: &Schema, keyspace: &str) -> bool {
    let found = schema.keyspaces.get(keyspace);
    found.is_some_and(|keyspace| keyspace.nature == Nature::Client)
}

fn keyspaces(schema: &Schema) -> Table {
    let columns = [
        ("keyspace", Unit::Text),
        ("tables", Unit::Count),
        ("views", Unit::Count),
        ("types", Unit::Count),
        ("replication", Unit::Text),
    ];
    let mut table = Table::new("Keyspaces", "None yet.", &columns);
    for keyspace in schema.keyspaces.values() {
        if is_of_clients(schema, &keyspace.name) {
            let views = keyspace.tables.values().filter(|one| one.view.is_some()).count();
            let replication: Vec<String> = keyspace
                .replication
                .iter()
                .map(|(name, value)| format!("{name} {}", value.rsplit('.').next().unwrap_or(value)))
                .collect();
            table.push([
                (&*keyspace.name).into(),
                (keyspace.tables.len() - views).into(),
                views.into(),
                keyspace.types.len().into(),
                replication.join(", ").into(),
            ]);
        }
    }
    table
}
