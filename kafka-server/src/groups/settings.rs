//! What bounds groups, from the broker's configuration.

use crate::{
    config::{Config, definition::items},
    core::groups::{
        ClassicLimits,
        consumer::{ConsumerLimits, Migration, assignors::Assignor},
    },
};
use std::str::FromStr;

/// Settings of the coordinator, with Kafka's defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// What classic groups are bound by.
    pub(crate) classic: ClassicLimits,
    /// What consumer groups are bound by.
    pub(crate) consumer: ConsumerLimits,
    /// `group.coordinator.rebalance.protocols` has `consumer`: groups may use the consumer protocol.
    pub(crate) consumer_protocol: bool,
    /// `group.consumer.migration.policy`
    pub(crate) migration: Migration,
    /// `group.min.session.timeout.ms`
    pub(crate) session_timeout_min_ms: i32,
    /// `group.max.session.timeout.ms`
    pub(crate) session_timeout_max_ms: i32,
    /// `offset.metadata.max.bytes`
    pub(crate) offset_metadata_max: usize,
    /// `offsets.retention.minutes`
    pub(crate) offsets_retention_ms: i64,
    /// `offsets.retention.check.interval.ms`
    pub(crate) offsets_check_ms: u64,
}

impl Settings {
    /// As `config` says.
    pub(crate) fn new(config: &Config) -> Self {
        fn property<T: FromStr>(config: &Config, key: &str, default: T) -> T {
            config.property(key).unwrap_or(default)
        }
        let retention_minutes: i64 = property(config, "offsets.retention.minutes", 7 * 24 * 60);
        Settings {
            classic: ClassicLimits {
                initial_rebalance_delay_ms: property(config, "group.initial.rebalance.delay.ms", 3_000),
                members_max: property(config, "group.max.size", i32::MAX as usize),
            },
            consumer: ConsumerLimits {
                session_timeout_ms: property(config, "group.consumer.session.timeout.ms", 45_000),
                heartbeat_interval_ms: property(config, "group.consumer.heartbeat.interval.ms", 5_000),
                assignment_interval_ms: property(config, "group.consumer.assignment.interval.ms", 1_000),
                members_max: property(config, "group.consumer.max.size", i32::MAX as usize),
                assignors: assignors(config.property("group.consumer.assignors")),
            },
            consumer_protocol: config
                .property::<String>("group.coordinator.rebalance.protocols")
                .is_none_or(|protocols| items(&protocols).any(|protocol| protocol == "consumer")),
            migration: Migration::by_name(&property(
                config,
                "group.consumer.migration.policy",
                "bidirectional".to_owned(),
            )),
            session_timeout_min_ms: property(config, "group.min.session.timeout.ms", 6_000),
            session_timeout_max_ms: property(config, "group.max.session.timeout.ms", 1_800_000),
            offset_metadata_max: property(config, "offset.metadata.max.bytes", 4096),
            offsets_retention_ms: retention_minutes.saturating_mul(60_000),
            offsets_check_ms: property(config, "offsets.retention.check.interval.ms", 600_000),
        }
    }
}

/// Assignors by their names, or by those of the original's classes; the first is for groups that do not choose.
fn assignors(names: Option<String>) -> Vec<Assignor> {
    let by_name = |name: &str| match name.trim() {
        "org.apache.kafka.coordinator.group.assignor.UniformAssignor" => Some(Assignor::Uniform),
        "org.apache.kafka.coordinator.group.assignor.RangeAssignor" => Some(Assignor::Range),
        name => Assignor::by_name(name),
    };
    let found: Vec<Assignor> = names
        .iter()
        .flat_map(|names| names.split(','))
        .filter_map(by_name)
        .collect();
    match found.is_empty() {
        true => vec![Assignor::Uniform, Assignor::Range],
        false => found,
    }
}
