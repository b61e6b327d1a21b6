//! The metrics of the original that operators look for, under the names that Kafka's own have in Prometheus: those that
//! the published rules of the JMX exporter make of the MBeans. A dashboard or an alert made for Kafka finds them here.
//!
//! One table says what is told, and docs/compat/kafka-metrics.md is made of it.

mod table;

pub(crate) use table::STANDARD;

use super::{ApiMetrics, Metrics, contents};
use crate::{broker::Broker, handlers::TABLE, partition::Traffic};
use prometheus_client::{
    encoding::{DescriptorEncoder, NoLabelSet},
    metrics::MetricType,
};
use std::{collections::BTreeMap, fmt, sync::Arc};

/// Partitions that are told one by one, in the order of their topics' names.
const PARTITIONS_MAX: usize = 1000;

/// A metric of the original.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standard {
    /// The name in Prometheus, without the `_total` that ends a counter.
    pub(crate) name: &'static str,
    /// What Kafka calls it.
    pub(crate) mbean: &'static str,
    pub(crate) labels: &'static str,
    pub(crate) unit: &'static str,
    /// Where its values come from here.
    pub(crate) source: &'static str,
    pub(crate) values: Values,
}

/// How the values of a metric are found.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Values {
    Counter(fn(&Seen<'_>) -> Vec<(Labels, u64)>),
    Gauge(fn(&Seen<'_>) -> Vec<(Labels, i64)>),
    /// A gauge that may lie between two whole numbers.
    Quantiles(fn(&Seen<'_>) -> Vec<(Labels, f64)>),
}

/// Pairs of a label and its value.
type Labels = Vec<(&'static str, String)>;

/// What the values are taken from, looked at once.
pub(crate) struct Seen<'a> {
    broker: &'a Broker,
    metrics: &'a Metrics,
    topics: BTreeMap<Arc<str>, Traffic>,
}

impl Seen<'_> {
    /// All topics together, and each.
    fn of_topics(&self, of: fn(&Traffic) -> u64) -> Vec<(Labels, u64)> {
        let all = self.topics.values().map(of).sum();
        let each = self.topics.iter();
        let each = each.map(|(topic, traffic)| (vec![("topic", topic.to_string())], of(traffic)));
        [(Labels::new(), all)].into_iter().chain(each).collect()
    }

    /// Every error answered to requests of `api`: one for each partition that has one.
    fn failed(&self, api: &str) -> Vec<(Labels, u64)> {
        let errors = self.broker.errors.told().filter(|(of, _, _)| *of == api);
        vec![(Labels::new(), errors.map(|(_, _, count)| count).sum())]
    }

    fn asked(&self) -> impl Iterator<Item = (&'static str, &ApiMetrics)> {
        let names = TABLE.iter().map(|api| api.name);
        names
            .zip(&self.metrics.apis)
            .filter(|(_, counted)| counted.latency.count() > 0)
    }

    fn partitions(&self) -> i64 {
        let image = self.broker.topics.image();
        whole(image.iter().map(|topic| topic.partitions.len()).sum())
    }

    /// Groups, all of them or those in `state`.
    fn groups(&self, state: Option<&str>) -> Vec<(Labels, i64)> {
        let counts = self.broker.groups.counts().into_iter();
        let counted = counts.filter(|(of, _)| state.is_none_or(|state| *of == state));
        alone(whole(counted.map(|(_, count)| count).sum()))
    }

    /// What `of` says of the partitions that were used since the start.
    fn of_partitions(&self, of: fn(storage::LogRange) -> u64) -> Vec<(Labels, i64)> {
        let image = self.broker.topics.image();
        let partitions = image.iter().flat_map(|topic| &topic.partitions);
        let used = partitions.filter_map(|partition| {
            let range = partition.opened()?.range();
            let topic = ("topic", partition.topic.to_string());
            let labels = vec![topic, ("partition", partition.index.to_string())];
            Some((labels, i64::try_from(of(range)).unwrap_or(i64::MAX)))
        });
        used.take(PARTITIONS_MAX).collect()
    }
}

fn alone<T>(value: T) -> Vec<(Labels, T)> {
    vec![(Labels::new(), value)]
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Tells all of [`STANDARD`], under no name of ours.
pub(super) fn encode(broker: &Broker, metrics: &Metrics, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let seen = Seen {
        broker,
        metrics,
        topics: contents::topics(broker),
    };
    for standard in table::STANDARD {
        let kind = match standard.values {
            Values::Counter(_) => MetricType::Counter,
            Values::Gauge(_) | Values::Quantiles(_) => MetricType::Gauge,
        };
        let mut family = encoder.encode_descriptor(standard.name, standard.mbean, None, kind)?;
        match standard.values {
            Values::Counter(values) => {
                for (labels, value) in values(&seen) {
                    let labels = labels.as_slice();
                    let mut one = family.encode_family(&labels)?;
                    one.encode_counter::<NoLabelSet, _, u64>(&value, None)?;
                }
            }
            Values::Gauge(values) => {
                for (labels, value) in values(&seen) {
                    let labels = labels.as_slice();
                    family.encode_family(&labels)?.encode_gauge(&value)?;
                }
            }
            Values::Quantiles(values) => {
                for (labels, value) in values(&seen) {
                    let labels = labels.as_slice();
                    family.encode_family(&labels)?.encode_gauge(&value)?;
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
