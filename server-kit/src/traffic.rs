//! What every server counts of its connections and requests.

use crate::{
    connections::Connections,
    console::{Cell, Table, Unit, View},
};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet},
    metrics::{MetricType, counter::Counter, gauge::ConstGauge},
    registry::Registry,
};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Counters of connections and their bytes.
#[derive(Debug, Default)]
pub struct Traffic {
    /// Bytes received.
    pub bytes_in: Counter,
    /// Bytes sent.
    pub bytes_out: Counter,
    /// Connections accepted.
    pub accepted: Counter,
    /// Connections refused by a limit.
    pub refused: Counter,
    /// Connections closed by an error.
    pub broken: Counter,
}

impl Traffic {
    /// Counters that `registry` tells, and how many of `connections` are open.
    pub fn register(registry: &mut Registry, connections: Arc<Connections>) -> Self {
        let traffic = Traffic::default();
        for (name, help, counter) in [
            ("received_bytes", "Bytes received from clients", &traffic.bytes_in),
            ("sent_bytes", "Bytes sent to clients", &traffic.bytes_out),
            ("connections_accepted", "Connections accepted", &traffic.accepted),
            (
                "connections_refused",
                "Connections refused by a limit",
                &traffic.refused,
            ),
            (
                "connections_broken",
                "Connections closed by an error",
                &traffic.broken,
            ),
        ] {
            registry.register(name, help, counter.clone());
        }
        registry.register_collector(Box::new(Open(connections)));
        traffic
    }
}

impl Traffic {
    /// Shows what comes and goes.
    pub fn show(&self, view: &mut View) {
        view.fact("received", Unit::ByteRate, self.bytes_in.get());
        view.fact("sent", Unit::ByteRate, self.bytes_out.get());
    }
}

#[derive(Debug)]
struct Open(Arc<Connections>);

impl Collector for Open {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let open = ConstGauge::new(i64::try_from(self.0.open()).unwrap_or(i64::MAX));
        let help = "Open connections";
        open.encode(encoder.encode_descriptor("connections", help, None, MetricType::Gauge)?)
    }
}

/// Upper bounds of a latency histogram, in µs.
const BOUNDS_US: [u64; 12] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 50_000, 250_000, 1_000_000, 5_000_000,
];

/// How long answers to one kind of request took. Plain atomics: counting takes no lock and no memory.
#[derive(Debug, Default)]
pub struct Latency {
    sum_us: AtomicU64,
    /// One more than there are bounds: the last one holds what is beyond them.
    buckets: [AtomicU64; BOUNDS_US.len() + 1],
}

impl Latency {
    /// Counts an answer that took `took`.
    pub fn answered(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_US.partition_point(|bound| *bound < us);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(us, Ordering::Relaxed);
    }

    /// Answers so far.
    pub fn count(&self) -> u64 {
        self.buckets
            .iter()
            .map(|count| count.load(Ordering::Relaxed))
            .sum()
    }

    /// The least bound that the share `quantile` of all answers does not go beyond; twice the last one where none is.
    pub fn quantile(&self, quantile: f64) -> Duration {
        let wanted = (self.count() as f64 * quantile).ceil() as u64;
        let mut counted = 0;
        let at = self.buckets.iter().position(|count| {
            counted += count.load(Ordering::Relaxed);
            counted >= wanted
        });
        let last = BOUNDS_US[BOUNDS_US.len() - 1];
        let bound = at.and_then(|at| BOUNDS_US.get(at)).copied();
        Duration::from_micros(bound.unwrap_or(2 * last))
    }

    /// Shows those of `all` that were ever asked, each by its name under `what`.
    pub fn table<'a>(what: &'static str, all: impl Iterator<Item = (&'a str, &'a Latency)>) -> Table {
        let columns = [
            (what, Unit::Text),
            ("rate", Unit::Rate),
            ("since the start", Unit::Count),
            ("p50", Unit::Micros),
            ("p95", Unit::Micros),
            ("p99", Unit::Micros),
        ];
        let mut table = Table::new("Requests", "None yet.", &columns);
        for (name, latency) in all.filter(|(_, latency)| latency.count() > 0) {
            let within = |share| Cell::from(latency.quantile(share).as_micros() as f64);
            let count = Cell::from(latency.count());
            table.push([
                name.into(),
                count.clone(),
                count,
                within(0.5),
                within(0.95),
                within(0.99),
            ]);
        }
        table
    }

    /// Tells those of `all` that were ever asked, each by its name under `label`.
    pub fn encode<'a>(
        encoder: &mut DescriptorEncoder<'_>,
        label: &str,
        all: impl Iterator<Item = (&'a str, &'a Latency)>,
    ) -> fmt::Result {
        let help = "Time from a request's last byte to its answer";
        let mut family = encoder.encode_descriptor("request_seconds", help, None, MetricType::Histogram)?;
        for (name, latency) in all {
            let counts = latency.buckets.iter().map(|count| count.load(Ordering::Relaxed));
            let bounds = BOUNDS_US.iter().map(|us| *us as f64 / 1e6).chain([f64::MAX]);
            let buckets: Vec<(f64, u64)> = bounds.zip(counts).collect();
            let count: u64 = buckets.iter().map(|(_, count)| count).sum();
            if count > 0 {
                let sum = latency.sum_us.load(Ordering::Relaxed) as f64 / 1e6;
                let labels = [(label, name)];
                let mut named = family.encode_family(&labels)?;
                named.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
