//! A topic's configuration, typed.

use super::{
    broker::BrokerConfig,
    definition::{self, Definition, items},
    topic_keys::TOPIC_KEYS,
};
use std::{collections::BTreeMap, str::FromStr};

/// `compression.type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CompressionType {
    /// Each batch stays as its producer sent it.
    Producer,
    Uncompressed,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

/// `message.timestamp.type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimestampType {
    /// The producer's clock.
    CreateTime,
    /// The broker's clock.
    LogAppendTime,
}

/// What a topic's keys are worth: what was set on it, over what the broker says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TopicConfig {
    /// `cleanup.policy` has `compact`.
    pub(crate) compact: bool,
    /// `cleanup.policy` has `delete`.
    pub(crate) delete: bool,
    pub(crate) compression_type: CompressionType,
    pub(crate) compression_gzip_level: i32,
    pub(crate) compression_zstd_level: i32,
    pub(crate) delete_retention_ms: i64,
    pub(crate) flush_messages: i64,
    pub(crate) flush_ms: i64,
    pub(crate) index_interval_bytes: u32,
    pub(crate) max_compaction_lag_ms: i64,
    pub(crate) max_message_bytes: i32,
    pub(crate) message_timestamp_after_max_ms: i64,
    pub(crate) message_timestamp_before_max_ms: i64,
    pub(crate) message_timestamp_type: TimestampType,
    pub(crate) min_cleanable_dirty_ratio: f64,
    pub(crate) min_compaction_lag_ms: i64,
    /// Negative: no bound.
    pub(crate) retention_bytes: i64,
    /// Negative: for ever.
    pub(crate) retention_ms: i64,
    pub(crate) segment_bytes: u32,
    pub(crate) segment_jitter_ms: i64,
    pub(crate) segment_ms: i64,
}

impl TopicConfig {
    /// What `set` on a topic means over the values of `broker`.
    pub(crate) fn resolve(set: &BTreeMap<String, String>, broker: &BrokerConfig) -> Self {
        let values = Values { set, broker };
        let cleanup = values.text("cleanup.policy");
        TopicConfig {
            compact: items(&cleanup).any(|policy| policy == "compact"),
            delete: items(&cleanup).any(|policy| policy == "delete"),
            compression_type: values.compression_type(),
            compression_gzip_level: values.number("compression.gzip.level"),
            compression_zstd_level: values.number("compression.zstd.level"),
            delete_retention_ms: values.number("delete.retention.ms"),
            flush_messages: values.number("flush.messages"),
            flush_ms: values.number("flush.ms"),
            index_interval_bytes: values.number("index.interval.bytes"),
            max_compaction_lag_ms: values.number("max.compaction.lag.ms"),
            max_message_bytes: values.number("max.message.bytes"),
            message_timestamp_after_max_ms: values.number("message.timestamp.after.max.ms"),
            message_timestamp_before_max_ms: values.number("message.timestamp.before.max.ms"),
            message_timestamp_type: match values.text("message.timestamp.type").as_str() {
                "LogAppendTime" => TimestampType::LogAppendTime,
                _ => TimestampType::CreateTime,
            },
            min_cleanable_dirty_ratio: values.number("min.cleanable.dirty.ratio"),
            min_compaction_lag_ms: values.number("min.compaction.lag.ms"),
            retention_bytes: values.number("retention.bytes"),
            retention_ms: values.number("retention.ms"),
            segment_bytes: values.number("segment.bytes"),
            segment_jitter_ms: values.number("segment.jitter.ms"),
            segment_ms: values.number("segment.ms"),
        }
    }
}

impl Default for TopicConfig {
    fn default() -> Self {
        TopicConfig::resolve(&BTreeMap::new(), &BrokerConfig::default())
    }
}

struct Values<'a> {
    set: &'a BTreeMap<String, String>,
    broker: &'a BrokerConfig,
}

impl Values<'_> {
    fn text(&self, name: &str) -> String {
        match (self.set.get(name), definition(name)) {
            (Some(value), _) => value.trim().to_owned(),
            (None, Some(key)) => self.broker.topic_default(key),
            (None, None) => String::new(),
        }
    }

    /// Values were validated when they were set; one that a later version of this server cannot read counts as unset.
    fn number<T: FromStr + Default>(&self, name: &str) -> T {
        let fallback = || definition(name)?.default?.parse().ok();
        let set = self.text(name).parse().ok();
        set.or_else(fallback).unwrap_or_default()
    }

    fn compression_type(&self) -> CompressionType {
        match self.text("compression.type").as_str() {
            "uncompressed" => CompressionType::Uncompressed,
            "gzip" => CompressionType::Gzip,
            "snappy" => CompressionType::Snappy,
            "lz4" => CompressionType::Lz4,
            "zstd" => CompressionType::Zstd,
            _ => CompressionType::Producer,
        }
    }
}

/// What is known of a topic's key.
pub(crate) fn definition(name: &str) -> Option<&'static Definition> {
    definition::find(TOPIC_KEYS, name)
}

/// Whether a topic may be given all of `set`. Otherwise what is wrong with it, in the words of Kafka.
pub(crate) fn validate(set: &BTreeMap<String, String>) -> Result<(), String> {
    for (name, value) in set {
        let key = definition(name).ok_or_else(|| format!("Unknown topic config name: {name}"))?;
        key.validate(value)?;
    }
    let number = |name: &str| set.get(name).and_then(|value| value.trim().parse::<i64>().ok());
    let min = number("min.compaction.lag.ms").unwrap_or(0);
    let max = number("max.compaction.lag.ms").unwrap_or(i64::MAX);
    if min > max {
        return Err(format!(
            "conflict topic config setting min.compaction.lag.ms ({min}) > max.compaction.lag.ms ({max})"
        ));
    }
    if set
        .get("remote.storage.enable")
        .is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
    {
        return Err("Tiered Storage functionality is disabled in the broker. \
                    Topic cannot be configured with remote log storage."
            .to_owned());
    }
    Ok(())
}
