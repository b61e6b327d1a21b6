//! What the server counts. Labels are the names of THE TABLE.

use crate::handlers::{Operation, TABLE};
use prometheus_client::{collector::Collector, encoding::DescriptorEncoder, registry::Registry};
use server_kit::{Connections, Latency, Traffic};
use std::{fmt, sync::Arc};

/// Counters of a server.
#[derive(Debug)]
pub(crate) struct Metrics {
    operations: Vec<Latency>,
    pub(crate) traffic: Traffic,
}

impl Metrics {
    /// Counters that `registry` tells.
    pub(crate) fn register(registry: &mut Registry, connections: Arc<Connections>) -> Arc<Self> {
        let registry = registry.sub_registry_with_prefix("cql");
        let metrics = Arc::new(Metrics {
            operations: TABLE.iter().map(|_| Latency::default()).collect(),
            traffic: Traffic::register(registry, connections),
        });
        registry.register_collector(Box::new(Told(metrics.clone())));
        metrics
    }

    /// The counters of `operation`; what is not answered counts as the last one.
    pub(crate) fn operation(&self, operation: &'static Operation) -> &Latency {
        let at = TABLE.partition_point(|line| line.opcode < operation.opcode);
        &self.operations[at.min(TABLE.len() - 1)]
    }
}

/// What is put together only when it is asked for.
#[derive(Debug)]
struct Told(Arc<Metrics>);

impl Collector for Told {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let asked = TABLE
            .iter()
            .map(|line| line.opcode.name())
            .zip(&self.0.operations);
        Latency::encode(&mut encoder, "opcode", asked)
    }
}
