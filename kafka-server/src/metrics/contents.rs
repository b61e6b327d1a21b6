//! What the broker holds, put together when it is asked for: topics, groups, transactions.

use crate::{broker::Broker, partition::Traffic};
use prometheus_client::{
    encoding::{DescriptorEncoder, NoLabelSet},
    metrics::MetricType,
};
use std::{collections::BTreeMap, fmt, sync::Arc};

/// Topics that are told one by one, in the order of their names; what the others did is told together.
const TOPICS_MAX: usize = 1000;
/// The topic that stands for all beyond [`TOPICS_MAX`]: no topic can have this name.
const OTHERS: &str = "(others)";

pub(super) fn encode(broker: &Broker, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let topics = topics(broker);
    type Of = fn(&Traffic) -> u64;
    let counters: [(&str, &str, Of); 4] = [
        (
            "topic_received_bytes",
            "Bytes of batches taken from producers",
            |topic| topic.bytes_in,
        ),
        (
            "topic_received_records",
            "Records taken from producers",
            |topic| topic.records_in,
        ),
        (
            "topic_sent_bytes",
            "Bytes of batches given to consumers",
            |topic| topic.bytes_out,
        ),
        (
            "topic_fetches",
            "Reads of a partition that found something",
            |topic| topic.reads,
        ),
    ];
    for (name, help, of) in counters {
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (topic, traffic) in &topics {
            let labels = [("topic", &**topic)];
            family
                .encode_family(&labels)?
                .encode_counter::<NoLabelSet, _, u64>(&of(traffic), None)?;
        }
    }
    let mut sizes = encoder.encode_descriptor("topic_log_bytes", "Bytes held", None, MetricType::Gauge)?;
    for (topic, traffic) in &topics {
        let bytes = i64::try_from(traffic.bytes_held).unwrap_or(i64::MAX);
        sizes
            .encode_family(&[("topic", &**topic)])?
            .encode_gauge(&bytes)?;
    }
    counts(broker, encoder)
}

/// By topic, over all of its partitions that were used since the start.
pub(super) fn topics(broker: &Broker) -> BTreeMap<Arc<str>, Traffic> {
    let image = broker.topics.image();
    let mut topics: BTreeMap<Arc<str>, Traffic> = BTreeMap::new();
    for (at, topic) in image.iter().enumerate() {
        let name = match at < TOPICS_MAX {
            true => topic.record.name.as_str(),
            false => OTHERS,
        };
        let sum = topics.entry(name.into()).or_default();
        topic
            .partitions
            .iter()
            .for_each(|partition| sum.add(&partition.traffic()));
    }
    topics
}

fn counts(broker: &Broker, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let image = broker.topics.image();
    let partitions: usize = image.iter().map(|topic| topic.partitions.len()).sum();
    let gauges = [
        ("topics", "Topics", image.iter().count()),
        ("partitions", "Partitions", partitions),
    ];
    for (name, help, count) in gauges {
        let mut gauge = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        gauge.encode_gauge(&i64::try_from(count).unwrap_or(i64::MAX))?;
    }
    let help = "Groups by state, those with nothing but offsets included";
    let mut family = encoder.encode_descriptor("groups", help, None, MetricType::Gauge)?;
    for (state, count) in broker.groups.counts() {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        family.encode_family(&[("state", state)])?.encode_gauge(&count)?;
    }
    let mut by_state: BTreeMap<&'static str, i64> = BTreeMap::new();
    for (_, transaction) in broker.transactions.list() {
        *by_state.entry(transaction.state.name()).or_default() += 1;
    }
    let help = "Transactional ids, by the state of their transaction";
    let mut family = encoder.encode_descriptor("transactional_ids", help, None, MetricType::Gauge)?;
    for (state, count) in by_state {
        family.encode_family(&[("state", state)])?.encode_gauge(&count)?;
    }
    Ok(())
}
