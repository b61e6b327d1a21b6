//! What the broker counts. Labels are the names of THE TABLE, and those of topics as far as there is room for them.

mod contents;
mod errors;

pub(crate) use errors::ErrorCounts;

use crate::{
    broker::Broker,
    handlers::{Api, TABLE},
};
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
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Upper bounds of the latency histogram, in µs.
const BOUNDS_US: [u64; 12] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 50_000, 250_000, 1_000_000, 5_000_000,
];

/// Counters of one API. Plain atomics: counting takes no lock and no memory.
#[derive(Debug, Default)]
pub(crate) struct ApiMetrics {
    failed: AtomicU64,
    sum_us: AtomicU64,
    /// One more than there are bounds: the last one holds what is beyond them.
    buckets: [AtomicU64; BOUNDS_US.len() + 1],
}

impl ApiMetrics {
    /// Counts an answer that took `took`.
    pub(crate) fn answered(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_US.partition_point(|bound| *bound < us);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(us, Ordering::Relaxed);
    }

    /// Counts a request that closed its connection in place of an answer.
    pub(crate) fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }
}

/// Counters of a broker.
#[derive(Debug)]
pub(crate) struct Metrics {
    apis: Vec<ApiMetrics>,
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
    pub(crate) fn register(
        registry: &mut Registry,
        connections: Arc<Connections>,
        broker: &Arc<Broker>,
    ) -> Arc<Self> {
        let metrics = Arc::new(Metrics {
            apis: TABLE.iter().map(|_| ApiMetrics::default()).collect(),
            bytes_in: Counter::default(),
            bytes_out: Counter::default(),
            accepted: Counter::default(),
            refused: Counter::default(),
            broken: Counter::default(),
        });
        let registry = registry.sub_registry_with_prefix("kafka");
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
            broker: Arc::downgrade(broker),
        }));
        metrics
    }

    /// The counters of `api`.
    pub(crate) fn api(&self, api: &'static Api) -> &ApiMetrics {
        &self.apis[TABLE.partition_point(|line| line.key < api.key)]
    }
}

/// What is put together only when it is asked for.
struct Told {
    metrics: Arc<Metrics>,
    connections: Arc<Connections>,
    /// The registry may outlive the broker.
    broker: Weak<Broker>,
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Told")
            .field("open", &self.connections.open())
            .finish_non_exhaustive()
    }
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
        let asked = TABLE.iter().zip(&self.metrics.apis);
        let mut failed = encoder.encode_descriptor(
            "request_failures",
            "Requests that closed their connection",
            None,
            MetricType::Counter,
        )?;
        for (api, counted) in asked.clone() {
            let count = counted.failed.load(Ordering::Relaxed);
            if count > 0 {
                failed
                    .encode_family(&[("api", api.name)])?
                    .encode_counter::<NoLabelSet, _, u64>(&count, None)?;
            }
        }
        let mut latency = encoder.encode_descriptor(
            "request_seconds",
            "Time from a request's last byte to its answer",
            None,
            MetricType::Histogram,
        )?;
        for (api, counted) in asked {
            let buckets: Vec<u64> = counted
                .buckets
                .iter()
                .map(|count| count.load(Ordering::Relaxed))
                .collect();
            if buckets.iter().any(|count| *count > 0) {
                encode_latency(latency.encode_family(&[("api", api.name)])?, counted, &buckets)?;
            }
        }
        let Some(broker) = self.broker.upgrade() else {
            return Ok(());
        };
        let help = "Errors answered: one for each topic, partition or group that has one";
        let mut errors = encoder.encode_descriptor("request_errors", help, None, MetricType::Counter)?;
        for (api, error, count) in broker.errors.told() {
            errors
                .encode_family(&[("api", api), ("error", &error)])?
                .encode_counter::<NoLabelSet, _, u64>(&count, None)?;
        }
        contents::encode(&broker, &mut encoder)
    }
}

fn encode_latency(mut encoder: MetricEncoder<'_>, counted: &ApiMetrics, buckets: &[u64]) -> fmt::Result {
    let bounds = BOUNDS_US.iter().map(|us| *us as f64 / 1e6).chain([f64::MAX]);
    let buckets: Vec<(f64, u64)> = bounds.zip(buckets.iter().copied()).collect();
    let count = buckets.iter().map(|(_, count)| count).sum();
    let sum = counted.sum_us.load(Ordering::Relaxed) as f64 / 1e6;
    encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
}
