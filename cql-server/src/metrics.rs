//! What the server counts. Labels are the names of THE TABLE.

use crate::handlers::{Operation, TABLE};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, NoLabelSet},
    metrics::{MetricType, counter::Counter, gauge::ConstGauge},
    registry::Registry,
};
use server_kit::Connections;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Upper bounds of the latency histogram, in µs.
const BOUNDS_US: [u64; 12] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 50_000, 250_000, 1_000_000, 5_000_000,
];

/// Counters of one opcode. Plain atomics: counting takes no lock and no memory.
#[derive(Debug, Default)]
pub(crate) struct OperationMetrics {
    sum_us: AtomicU64,
    /// One more than there are bounds: the last one holds what is beyond them.
    buckets: [AtomicU64; BOUNDS_US.len() + 1],
}

impl OperationMetrics {
    /// Counts an answer that took `took`.
    pub(crate) fn answered(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_US.partition_point(|bound| *bound < us);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(us, Ordering::Relaxed);
    }
}

/// Counters of a server.
#[derive(Debug)]
pub(crate) struct Metrics {
    operations: Vec<OperationMetrics>,
    /// Bytes received.
    pub(crate) bytes_in: Counter,
    /// Bytes sent.
    pub(crate) bytes_out: Counter,
    /// Connections accepted.
    pub(crate) accepted: Counter,
    /// Connections refused by a limit.
    pub(crate) refused: Counter,
    /// Connections closed by an error.
    pub(crate) broken: Counter,
}

impl Metrics {
    /// Counters that `registry` tells.
    pub(crate) fn register(registry: &mut Registry, connections: Arc<Connections>) -> Arc<Self> {
        let metrics = Arc::new(Metrics {
            operations: TABLE.iter().map(|_| OperationMetrics::default()).collect(),
            bytes_in: Counter::default(),
            bytes_out: Counter::default(),
            accepted: Counter::default(),
            refused: Counter::default(),
            broken: Counter::default(),
        });
        let registry = registry.sub_registry_with_prefix("cql");
        registry.register(
            "received_bytes",
            "Bytes received from clients",
            metrics.bytes_in.clone(),
        );
        registry.register("sent_bytes", "Bytes sent to clients", metrics.bytes_out.clone());
        registry.register(
            "connections_accepted",
            "Connections accepted",
            metrics.accepted.clone(),
        );
        registry.register(
            "connections_refused",
            "Connections refused by a limit",
            metrics.refused.clone(),
        );
        registry.register(
            "connections_broken",
            "Connections closed by an error",
            metrics.broken.clone(),
        );
        registry.register_collector(Box::new(Told {
            metrics: metrics.clone(),
            connections,
        }));
        metrics
    }

    /// The counters of `operation`; what is not answered counts as the last one.
    pub(crate) fn operation(&self, operation: &'static Operation) -> &OperationMetrics {
        let at = TABLE.partition_point(|line| line.opcode < operation.opcode);
        &self.operations[at.min(TABLE.len() - 1)]
    }
}

/// What is put together only when it is asked for.
#[derive(Debug)]
struct Told {
    metrics: Arc<Metrics>,
    connections: Arc<Connections>,
}

impl Collector for Told {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let open = ConstGauge::new(i64::try_from(self.connections.open()).unwrap_or(i64::MAX));
        open.encode(encoder.encode_descriptor(
            "connections",
            "Open connections",
            None,
            MetricType::Gauge,
        )?)?;
        let asked = TABLE.iter().zip(&self.metrics.operations);
        let mut latency = encoder.encode_descriptor(
            "request_seconds",
            "Time from a request's last byte to its answer",
            None,
            MetricType::Histogram,
        )?;
        for (operation, counted) in asked {
            let buckets: Vec<u64> = counted
                .buckets
                .iter()
                .map(|count| count.load(Ordering::Relaxed))
                .collect();
            if buckets.iter().any(|count| *count > 0) {
                encode_latency(
                    latency.encode_family(&[("opcode", operation.opcode.name())])?,
                    counted,
                    &buckets,
                )?;
            }
        }
        Ok(())
    }
}

fn encode_latency(
    mut encoder: MetricEncoder<'_>,
    counted: &OperationMetrics,
    buckets: &[u64],
) -> fmt::Result {
    let bounds = BOUNDS_US.iter().map(|us| *us as f64 / 1e6).chain([f64::MAX]);
    let buckets: Vec<(f64, u64)> = bounds.zip(buckets.iter().copied()).collect();
    let count = buckets.iter().map(|(_, count)| count).sum();
    let sum = counted.sum_us.load(Ordering::Relaxed) as f64 / 1e6;
    encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
}
