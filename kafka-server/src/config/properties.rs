//! Kafka's `server.properties`: an existing file is taken as it is, and what it asks in vain is named.

use super::{
    Config, broker_keys, definition,
    limits::{OVERRIDES, check_overrides, check_per_ip},
    listener_keys::split,
};
use std::{collections::BTreeMap, str::FromStr, time::Duration};

/// Why a property cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PropertiesError {
    /// Its key does not take such a value; in the words of Kafka.
    #[error("{0}")]
    Invalid(String),
    /// It cannot be used here.
    #[error("{key}={value}: {why}")]
    Unusable {
        /// Its name.
        key: String,
        /// What it was given.
        value: String,
        /// What is wrong with that.
        why: String,
    },
}

impl PropertiesError {
    pub(super) fn new(key: &str, value: &str, why: impl Into<String>) -> Self {
        PropertiesError::Unusable {
            key: key.to_owned(),
            value: value.to_owned(),
            why: why.into(),
        }
    }
}

/// Keys that have an effect here; sorted. Those of topics and groups are read from [`Config::properties`] by
/// whoever they concern.
pub(super) const HONOURED: &[&str] = &[
    "advertised.listeners",
    "auto.create.topics.enable",
    "broker.id",
    "broker.rack",
    "compression.gzip.level",
    "compression.type",
    "compression.zstd.level",
    "connections.max.idle.ms",
    "controller.listener.names",
    "delete.topic.enable",
    "fetch.max.bytes",
    "group.consumer.assignment.interval.ms",
    "group.consumer.assignors",
    "group.consumer.heartbeat.interval.ms",
    "group.consumer.max.assignment.interval.ms",
    "group.consumer.max.heartbeat.interval.ms",
    "group.consumer.max.session.timeout.ms",
    "group.consumer.max.size",
    "group.consumer.migration.policy",
    "group.consumer.min.assignment.interval.ms",
    "group.consumer.min.heartbeat.interval.ms",
    "group.consumer.min.session.timeout.ms",
    "group.consumer.session.timeout.ms",
    "group.coordinator.rebalance.protocols",
    "group.initial.rebalance.delay.ms",
    "group.max.session.timeout.ms",
    "group.max.size",
    "group.min.session.timeout.ms",
    "inter.broker.listener.name",
    "listener.security.protocol.map",
    "listeners",
    "log.cleaner.backoff.ms",
    "log.cleaner.delete.retention.ms",
    "log.cleaner.enable",
    "log.cleaner.io.max.bytes.per.second",
    "log.cleaner.max.compaction.lag.ms",
    "log.cleaner.min.cleanable.ratio",
    "log.cleaner.min.compaction.lag.ms",
    "log.cleanup.policy",
    "log.dir",
    "log.dirs",
    "log.flush.interval.messages",
    "log.flush.interval.ms",
    "log.flush.scheduler.interval.ms",
    "log.index.interval.bytes",
    "log.message.timestamp.after.max.ms",
    "log.message.timestamp.before.max.ms",
    "log.message.timestamp.type",
    "log.retention.bytes",
    "log.retention.check.interval.ms",
    "log.retention.hours",
    "log.retention.minutes",
    "log.retention.ms",
    "log.roll.hours",
    "log.roll.jitter.hours",
    "log.roll.jitter.ms",
    "log.roll.ms",
    "log.segment.bytes",
    "max.connection.creation.rate",
    "max.connections",
    "max.connections.per.ip",
    "max.connections.per.ip.overrides",
    "max.incremental.fetch.session.cache.slots",
    "max.request.partition.size.limit",
    "message.max.bytes",
    "node.id",
    "num.partitions",
    "offset.metadata.max.bytes",
    "offsets.retention.check.interval.ms",
    "offsets.retention.minutes",
    "offsets.topic.num.partitions",
    "producer.id.expiration.check.interval.ms",
    "producer.id.expiration.ms",
    "queued.max.request.bytes",
    "security.inter.broker.protocol",
    "socket.listen.backlog.size",
    "socket.receive.buffer.bytes",
    "socket.request.max.bytes",
    "socket.send.buffer.bytes",
    "ssl.allow.dn.changes",
    "ssl.allow.san.changes",
    "ssl.cipher.suites",
    "ssl.client.auth",
    "ssl.enabled.protocols",
    "ssl.keystore.certificate.chain",
    "ssl.keystore.key",
    "ssl.keystore.location",
    "ssl.keystore.type",
    "ssl.truststore.certificates",
    "ssl.truststore.location",
    "ssl.truststore.type",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms",
    "transaction.max.timeout.ms",
    "transaction.partition.verification.enable",
    "transaction.remove.expired.transaction.cleanup.interval.ms",
    "transaction.state.log.num.partitions",
    "transactional.id.expiration.ms",
];

/// Those of [`HONOURED`] that can be said of one listener, beside those of TLS.
const OF_LISTENERS: &[&str] = &["max.connection.creation.rate", "max.connections"];

/// Reads the text of a Java properties file: comments, continued lines, escapes, and `=`, `:` or space between
/// key and value.
pub fn parse_properties(text: &str) -> BTreeMap<String, String> {
    let mut properties = BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with(['#', '!']) {
            continue;
        }
        let mut whole = line.to_owned();
        while continues(&whole) {
            whole.pop();
            whole.push_str(lines.next().unwrap_or_default().trim_start());
        }
        let (key, value) = key_and_value(&whole);
        properties.insert(key, value);
    }
    properties
}

fn continues(line: &str) -> bool {
    line.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

fn key_and_value(line: &str) -> (String, String) {
    let mut escaped = false;
    let end = line.find(|c: char| {
        let ends = !escaped && (c == '=' || c == ':' || c.is_whitespace());
        escaped = c == '\\' && !escaped;
        ends
    });
    let (key, rest) = line.split_at(end.unwrap_or(line.len()));
    let rest = rest.trim_start();
    let value = rest.strip_prefix(['=', ':']).unwrap_or(rest).trim_start();
    (unescape(key), unescape(value).trim_end().to_owned())
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => plain.push('\n'),
            Some('t') => plain.push('\t'),
            Some('r') => plain.push('\r'),
            Some('f') => plain.push('\u{c}'),
            Some('u') => {
                let digits: String = chars.by_ref().take(4).collect();
                let code = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
                plain.push(code.unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            Some(other) => plain.push(other),
            None => {}
        }
    }
    plain
}

impl Config {
    /// Takes Kafka's own settings on top of these. Answers the keys that have no effect here, sorted.
    pub fn apply(
        &mut self,
        mut properties: BTreeMap<String, String>,
    ) -> Result<Vec<String>, PropertiesError> {
        for (key, value) in &mut properties {
            if let Some(known) = broker_keys::find(split(key).1) {
                known
                    .definition
                    .validate(value)
                    .map_err(PropertiesError::Invalid)?;
                *value = known.definition.canonical(value);
            }
        }
        let given = Given(&properties);
        let overrides = given.text(OVERRIDES).unwrap_or_default();
        let per_ip = given.text("max.connections.per.ip").unwrap_or_default();
        check_overrides(overrides)
            .and_then(|()| check_per_ip(per_ip, overrides))
            .map_err(PropertiesError::Invalid)?;
        given.set("broker.id", &mut self.node_id)?;
        given.set("node.id", &mut self.node_id)?;
        given.set("num.partitions", &mut self.num_partitions)?;
        given.set("auto.create.topics.enable", &mut self.auto_create_topics)?;
        given.set("log.dir", &mut self.log_dir)?;
        given.set("log.dirs", &mut self.log_dir)?;
        let limits = &mut self.limits;
        given.set("max.connections", &mut limits.connections_max)?;
        given.set("max.connections.per.ip", &mut limits.connections_per_ip_max)?;
        given.set("socket.request.max.bytes", &mut limits.request_bytes_max)?;
        if let Some(bytes) = given.get::<i64>("queued.max.request.bytes")? {
            limits.in_flight_bytes_max = usize::try_from(bytes).unwrap_or(limits.in_flight_bytes_max);
        }
        if let Some(ms) = given.get::<i64>("connections.max.idle.ms")? {
            limits.connections_idle_max = u64::try_from(ms).ok().map(Duration::from_millis);
        }
        if properties.contains_key("listeners") {
            self.listeners = given.listeners(&[])?;
        }
        given.advertise(&mut self.listeners)?;
        let unknown = properties.keys().filter(|key| !honoured(key)).cloned().collect();
        self.properties.extend(properties);
        Ok(unknown)
    }
}

/// Whether `key` has an effect here, for all listeners or for the one that it names.
fn honoured(key: &str) -> bool {
    let (listener, of_any) = split(key);
    let is_of_listener = of_any.starts_with("ssl.") || OF_LISTENERS.contains(&of_any);
    HONOURED.binary_search(&of_any).is_ok() && (listener.is_none() || is_of_listener)
}

/// What was given, with words for what is wrong with it.
pub(super) struct Given<'a>(pub(super) &'a BTreeMap<String, String>);

impl Given<'_> {
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.0
            .get(key)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
    }

    fn get<T: FromStr>(&self, key: &str) -> Result<Option<T>, PropertiesError> {
        let parse = |value: &str| {
            definition::read(value).ok_or_else(|| {
                let wanted = std::any::type_name::<T>().rsplit("::").next().unwrap_or("value");
                PropertiesError::new(key, value, format!("not a value of type {wanted}"))
            })
        };
        self.text(key).map(parse).transpose()
    }

    fn set<T: FromStr>(&self, key: &str, field: &mut T) -> Result<(), PropertiesError> {
        if let Some(value) = self.get(key)? {
            *field = value;
        }
        Ok(())
    }
}
