//! What the broker counts. Labels are the names of THE TABLE, and those of topics as far as there is room for them.

mod console;
mod contents;
mod errors;
mod standard;

pub(crate) use console::section;
pub(crate) use errors::ErrorCounts;
pub(crate) use standard::{STANDARD, Standard, Values};

use crate::{
    broker::Broker,
    handlers::{Api, TABLE},
};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, NoLabelSet},
    metrics::{MetricType, counter::Counter},
    registry::Registry,
};
use server_kit::{Connections, Latency, Traffic};
use std::{
    fmt,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Counters of one API.
#[derive(Debug)]
pub(crate) struct ApiMetrics {
    latency: Latency,
    /// Answers to requests of each version, from the first one on.
    by_version: Vec<AtomicU64>,
    failed: Counter,
}

impl ApiMetrics {
    fn new(api: &Api) -> Self {
        ApiMetrics {
            latency: Latency::default(),
            by_version: (0..=api.versions.1).map(|_| AtomicU64::new(0)).collect(),
            failed: Counter::default(),
        }
    }

    /// Counts an answer, given in `version`, that took `took`.
    pub(crate) fn answered(&self, version: i16, took: Duration) {
        self.latency.answered(took);
        let of_version = usize::try_from(version)
            .ok()
            .and_then(|at| self.by_version.get(at));
        if let Some(count) = of_version {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The versions in which something was answered, each with how often.
    fn versions(&self) -> impl Iterator<Item = (usize, u64)> {
        let counts = self.by_version.iter().map(|count| count.load(Ordering::Relaxed));
        counts.enumerate().filter(|(_, count)| *count > 0)
    }

    /// Counts a request that closed its connection in place of an answer.
    pub(crate) fn failed(&self) {
        self.failed.inc();
    }
}

/// Counters of a broker.
#[derive(Debug)]
pub(crate) struct Metrics {
    apis: Vec<ApiMetrics>,
    pub(crate) traffic: Traffic,
    connections: Arc<Connections>,
}

impl Metrics {
    /// Counters that `registry` tells: under our own names, and those that the original has under the names it has.
    pub(crate) fn register(
        registry: &mut Registry,
        connections: Arc<Connections>,
        broker: &Arc<Broker>,
    ) -> Arc<Self> {
        let own = registry
            .sub_registry_with_prefix("smack")
            .sub_registry_with_prefix("kafka");
        let metrics = Arc::new(Metrics {
            apis: TABLE.iter().map(ApiMetrics::new).collect(),
            traffic: Traffic::register(own, connections.clone()),
            connections,
        });
        let told = |tell| {
            Box::new(Told {
                metrics: metrics.clone(),
                broker: Arc::downgrade(broker),
                tell,
            })
        };
        own.register_collector(told(tell_own));
        registry.register_collector(told(standard::encode));
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
    /// The registry may outlive the broker.
    broker: Weak<Broker>,
    tell: Tell,
}

type Tell = fn(&Broker, &Metrics, &mut DescriptorEncoder<'_>) -> fmt::Result;

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.metrics.fmt(f)
    }
}

impl Collector for Told {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        match self.broker.upgrade() {
            Some(broker) => (self.tell)(&broker, &self.metrics, &mut encoder),
            None => Ok(()),
        }
    }
}

fn tell_own(broker: &Broker, metrics: &Metrics, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let asked = TABLE.iter().zip(&metrics.apis);
    let help = "Requests that closed their connection";
    let mut failed = encoder.encode_descriptor("request_failures", help, None, MetricType::Counter)?;
    for (api, counted) in asked.clone() {
        let count = counted.failed.get();
        if count > 0 {
            failed
                .encode_family(&[("api", api.name)])?
                .encode_counter::<NoLabelSet, _, u64>(&count, None)?;
        }
    }
    let latencies = asked.map(|(api, counted)| (api.name, &counted.latency));
    Latency::encode(encoder, "api", latencies)?;
    let help = "Errors answered: one for each topic, partition or group that has one";
    let mut errors = encoder.encode_descriptor("request_errors", help, None, MetricType::Counter)?;
    for (api, error, count) in broker.errors.told() {
        errors
            .encode_family(&[("api", api), ("error", &error)])?
            .encode_counter::<NoLabelSet, _, u64>(&count, None)?;
    }
    contents::encode(broker, encoder)
}
