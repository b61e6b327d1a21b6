//! The broker's configuration.
//!
//! Knows: what the broker is started with (`Config`), Kafka's `server.properties`, and which of its keys are honoured.
//! Never: command lines, files, or the stored dynamic values.

pub(crate) mod alter;
pub(crate) mod broker;
pub(crate) mod broker_keys;
pub(crate) mod definition;
pub(crate) mod describe;
pub(crate) mod group_keys;
pub(crate) mod limits;
pub(crate) mod listener_keys;
pub(crate) mod listeners;
mod properties;
pub(crate) mod tls;
pub(crate) mod topic;
pub(crate) mod topic_keys;

pub(crate) use broker::BrokerConfig;
pub use properties::{PropertiesError, parse_properties};
pub(crate) use topic::TopicConfig;

use serde::Deserialize;
use std::{collections::BTreeMap, str::FromStr, time::Duration};
use storage::Durability;

/// One listener: where it binds, and which address clients that came by it are told.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// Name, as in `listeners=NAME://host:port`.
    pub name: String,
    /// Address to bind, `host:port`; port 0 takes a free one.
    pub bind: String,
    /// Address told to clients; the bound one where absent.
    #[serde(default)]
    pub advertised: Option<String>,
    /// Whether each connection starts with a PROXY protocol header (version 1 or 2) that says who the client is.
    #[serde(default)]
    pub proxy_protocol: bool,
    /// Certificate and key, where the listener speaks TLS.
    #[serde(default)]
    pub tls: Option<server_kit::TlsOptions>,
}

/// What connections may take of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Kafka's `max.connections`.
    pub connections_max: usize,
    /// Kafka's `max.connections.per.ip`.
    pub connections_per_ip_max: usize,
    /// Kafka's `connections.max.idle.ms`: a connection that sends nothing for so long is closed. None: never.
    pub connections_idle_max: Option<Duration>,
    /// Kafka's `socket.request.max.bytes`.
    pub request_bytes_max: usize,
    /// Kafka's `queued.max.request.bytes`: bytes of large requests in memory at once. Readers wait beyond it.
    pub in_flight_bytes_max: usize,
    /// How long a client may refuse to take an answer.
    pub write_stall_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections_max: i32::MAX as usize,
            connections_per_ip_max: i32::MAX as usize,
            connections_idle_max: Some(Duration::from_secs(600)),
            request_bytes_max: 100 << 20,
            in_flight_bytes_max: 128 << 20,
            write_stall_max: Duration::from_secs(60),
        }
    }
}

/// Settings of the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Listeners; the first one is also where the broker finds itself.
    pub listeners: Vec<Listener>,
    /// Kafka's `node.id`.
    pub node_id: i32,
    /// Kafka's `num.partitions`: partitions of a topic that does not say.
    pub num_partitions: i32,
    /// Kafka's `auto.create.topics.enable`.
    pub auto_create_topics: bool,
    /// What an acknowledged produce promises.
    pub durability: Durability,
    /// Where the logs are, as DescribeLogDirs tells it.
    pub log_dir: String,
    /// What connections may take.
    pub limits: Limits,
    /// Every Kafka key that was set, by name: defaults of topics, bounds of groups, and what DescribeConfigs
    /// calls the static configuration.
    pub properties: BTreeMap<String, String>,
}

impl Config {
    /// The value of a Kafka key, where it was set and can be read as `T`.
    pub fn property<T: FromStr>(&self, key: &str) -> Option<T> {
        definition::read(self.properties.get(key)?)
    }

    /// The listener that brokers would use among each other: it stays open when the others are full.
    pub(crate) fn inter_broker_listener(&self) -> String {
        let named = self.property("inter.broker.listener.name");
        let of_protocol = || self.property("security.inter.broker.protocol");
        let name: String = named
            .or_else(of_protocol)
            .unwrap_or_else(|| "PLAINTEXT".to_owned());
        name.to_uppercase()
    }
}

impl Default for Config {
    fn default() -> Self {
        Config {
            listeners: vec![Listener {
                name: "PLAINTEXT".to_owned(),
                bind: "127.0.0.1:9092".to_owned(),
                ..Listener::default()
            }],
            node_id: 1,
            num_partitions: 1,
            auto_create_topics: true,
            durability: Durability::Written,
            log_dir: "smack-data".to_owned(),
            limits: Limits::default(),
            properties: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod key_tests;
#[cfg(test)]
mod tests;
