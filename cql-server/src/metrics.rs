//! What the server counts. Labels are the names of THE TABLE.

use crate::{
    handlers::{Operation, TABLE},
    wire::opcode::Opcode,
};
use prometheus_client::{collector::Collector, encoding::DescriptorEncoder, registry::Registry};
use server_kit::{
    Connections, Latency, Traffic,
    console::{Table, Unit, View},
};
use std::{fmt, sync::Arc};

/// Counters of a server.
#[derive(Debug)]
pub(crate) struct Metrics {
    operations: Vec<Latency>,
    pub(crate) traffic: Traffic,
    connections: Arc<Connections>,
}

impl Metrics {
    /// Counters that `registry` tells.
    pub(crate) fn register(registry: &mut Registry, connections: Arc<Connections>) -> Arc<Self> {
        let registry = registry.sub_registry_with_prefix("cql");
        let metrics = Arc::new(Metrics {
            operations: TABLE.iter().map(|_| Latency::default()).collect(),
            traffic: Traffic::register(registry, connections.clone()),
            connections,
        });
        registry.register_collector(Box::new(Told(metrics.clone())));
        metrics
    }

    /// How many requests of that opcode were answered.
    pub(crate) fn answered(&self, opcode: Opcode) -> u64 {
        let counted = TABLE.iter().zip(&self.operations);
        counted
            .filter(|(line, _)| line.opcode == opcode)
            .map(|(_, latency)| latency.count())
            .sum()
    }

    /// The counters of `operation`; what is not answered counts as the last one.
    pub(crate) fn operation(&self, operation: &'static Operation) -> &Latency {
        let at = TABLE.partition_point(|line| line.opcode < operation.opcode);
        &self.operations[at.min(TABLE.len() - 1)]
    }
}

impl Metrics {
    /// Shows who is connected and what comes and goes; the table of requests is for the end.
    pub(crate) fn show(&self, view: &mut View) -> Table {
        view.fact("connections", Unit::Count, self.connections.open());
        self.traffic.show(view);
        Latency::table("opcode", self.asked())
    }

    fn asked(&self) -> impl Iterator<Item = (&str, &Latency)> {
        let counted = TABLE.iter().zip(&self.operations);
        counted.map(|(line, latency)| (line.opcode.name(), latency))
    }
}

/// What is put together only when it is asked for.
#[derive(Debug)]
struct Told(Arc<Metrics>);

impl Collector for Told {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        Latency::encode(&mut encoder, "opcode", self.0.asked())
    }
}
