//! Every configuration key of a group and of a subscription to client metrics, as Kafka 4.3 knows them.

use super::{
    broker::BrokerConfig,
    broker_keys,
    definition::{
        self,
        Check::{Any, AtLeast, OffsetReset, OneOf},
        Definition,
        Type::{Boolean, Int, List, String as Text},
    },
};
use std::collections::BTreeMap;

const SHARE: &str =
    "Belongs to share groups, which this server does not serve; kept and shown, without effect.";
const STREAMS: &str =
    "Belongs to streams groups, which this server does not serve; kept and shown, without effect.";
const METRICS: &str = "Belongs to metrics pushed by clients, which this server does not collect; kept and shown, without effect.";

/// Keys of a group; sorted by name.
#[rustfmt::skip]
pub(crate) static GROUP_KEYS: &[Definition] = &[
    Definition::new("consumer.assignment.interval.ms", Int, "1000", AtLeast(0),
        "The least time between two assignments of the group."),
    Definition::new("consumer.heartbeat.interval.ms", Int, "5000", AtLeast(1),
        "How often members of the group, in the new consumer protocol, are told to send a heartbeat."),
    Definition::new("consumer.session.timeout.ms", Int, "45000", AtLeast(1),
        "After how long without a heartbeat a member of the group, in the new consumer protocol, is taken for dead."),
    Definition::new("share.assignment.interval.ms", Int, "1000", AtLeast(0), SHARE),
    Definition::new("share.auto.offset.reset", Text, "latest", OffsetReset, SHARE),
    Definition::new("share.delivery.count.limit", Int, "5", AtLeast(2), SHARE),
    Definition::new("share.heartbeat.interval.ms", Int, "5000", AtLeast(1), SHARE),
    Definition::new("share.isolation.level", Text, "read_uncommitted", OneOf("read_committed|read_uncommitted"), SHARE),
    Definition::new("share.partition.max.record.locks", Int, "2000", AtLeast(100), SHARE),
    Definition::new("share.record.lock.duration.ms", Int, "30000", AtLeast(1000), SHARE),
    Definition::new("share.renew.acknowledge.enable", Boolean, "true", Any, SHARE),
    Definition::new("share.session.timeout.ms", Int, "45000", AtLeast(1), SHARE),
    Definition::new("streams.assignment.interval.ms", Int, "1000", AtLeast(0), STREAMS),
    Definition::new("streams.heartbeat.interval.ms", Int, "5000", AtLeast(1), STREAMS),
    Definition::new("streams.initial.rebalance.delay.ms", Int, "3000", AtLeast(0), STREAMS),
    Definition::new("streams.num.standby.replicas", Int, "0", AtLeast(0), STREAMS),
    Definition::new("streams.session.timeout.ms", Int, "45000", AtLeast(1), STREAMS),
];

/// Keys of a subscription to client metrics; sorted by name.
pub(crate) static METRICS_KEYS: &[Definition] = &[
    Definition::new("interval.ms", Int, "300000", Any, METRICS),
    Definition::new("match", List, "", Any, METRICS),
    Definition::new("metrics", List, "", Any, METRICS),
];

/// The broker's key that a group's key falls back to, where there is one.
pub(crate) fn broker_synonym(name: &str) -> Option<&'static str> {
    let key = broker_keys::find(&format!("group.{name}"))?;
    Some(key.definition.name)
}

/// Whether a group may be given all of `set`. Otherwise what is wrong with it, in the words of Kafka.
pub(crate) fn validate(set: &BTreeMap<String, String>, broker: &BrokerConfig) -> Result<(), String> {
    for (name, value) in set {
        let key =
            definition::find(GROUP_KEYS, name).ok_or_else(|| format!("Unknown group config name: {name}"))?;
        key.validate(value)?;
        let Some(number) = value.trim().parse::<i64>().ok().filter(|_| key.kind == Int) else {
            continue;
        };
        if let Some(bound) = bound(name, "min").filter(|bound| number < broker.get(bound, i64::MIN)) {
            return Err(format!("{name} must be greater than or equal to {bound}"));
        }
        if let Some(bound) = bound(name, "max").filter(|bound| number > broker.get(bound, i64::MAX)) {
            return Err(format!("{name} must be less than or equal to {bound}"));
        }
    }
    session_outlives_heartbeat(set, broker)
}

/// The broker's key that bounds a group's key.
fn bound(name: &str, which: &str) -> Option<&'static str> {
    let (kind, rest) = name.split_once('.')?;
    let rest = rest.strip_prefix("num.").unwrap_or(rest);
    let key = broker_keys::find(&format!("group.{kind}.{which}.{rest}"))?;
    Some(key.definition.name)
}

fn session_outlives_heartbeat(set: &BTreeMap<String, String>, broker: &BrokerConfig) -> Result<(), String> {
    for kind in ["consumer", "share", "streams"] {
        let value = |name: &str| -> i64 {
            let own = set.get(name).and_then(|value| value.trim().parse().ok());
            own.unwrap_or_else(|| broker.get(&format!("group.{name}"), 0))
        };
        let (session, heartbeat) = (
            format!("{kind}.session.timeout.ms"),
            format!("{kind}.heartbeat.interval.ms"),
        );
        let touched = set.contains_key(&session) || set.contains_key(&heartbeat);
        if touched && value(&session) <= value(&heartbeat) {
            return Err(format!("{session} must be greater than {heartbeat}"));
        }
    }
    Ok(())
}
