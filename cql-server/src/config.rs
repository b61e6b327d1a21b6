//! What the server is started with.

use crate::core::guardrails::Guardrails;
use serde::de::IntoDeserializer;
use server_kit::TlsOptions;
use std::{net::IpAddr, str::FromStr, time::Duration};

/// What the server is started with. Names follow `cassandra.yaml` where it has one.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where clients connect; the first one is what the cluster tells of itself.
    pub listeners: Vec<Listener>,
    /// Where clients are told to find it (`broadcast_rpc_address`), where that is not where it listens.
    pub broadcast_rpc_address: Option<IpAddr>,
    /// Who may connect.
    pub authenticator: Authenticator,
    /// Who may do what.
    pub authorizer: Authorizer,
    /// What the cluster calls itself.
    pub cluster_name: String,
    /// Where this node says it stands.
    pub data_center: String,
    /// Where in it.
    pub rack: String,
    /// How many replicas a keyspace has that does not say (`default_keyspace_rf`).
    pub default_keyspace_rf: u32,
    /// What statements may be like.
    pub guardrails: Guardrails,
    /// Whether materialized views may be created.
    pub materialized_views_enabled: bool,
    /// What a write promises once it is answered.
    pub durability: storage::Durability,
    /// How long statements may take.
    pub timeouts: Timeouts,
    /// What clients may ask of the server.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            listeners: vec![Listener {
                bind: "127.0.0.1:9042".to_owned(),
                tls: None,
                proxy_protocol: false,
            }],
            broadcast_rpc_address: None,
            authenticator: Authenticator::AllowAll,
            authorizer: Authorizer::AllowAll,
            cluster_name: "Test Cluster".to_owned(),
            data_center: "datacenter1".to_owned(),
            rack: "rack1".to_owned(),
            default_keyspace_rf: 1,
            guardrails: Guardrails::default(),
            materialized_views_enabled: false,
            durability: storage::Durability::Written,
            timeouts: Timeouts::default(),
            limits: Limits::default(),
        }
    }
}

/// Who may connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
pub enum Authenticator {
    /// Everybody, without a name.
    #[default]
    #[serde(rename = "AllowAllAuthenticator")]
    AllowAll,
    /// Who has a role that may log in, and its password.
    #[serde(rename = "PasswordAuthenticator")]
    Password,
}

impl FromStr for Authenticator {
    type Err = serde::de::value::Error;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        serde::Deserialize::deserialize(name.into_deserializer())
    }
}

impl Authenticator {
    /// Its name in a configuration.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Authenticator::AllowAll => "AllowAllAuthenticator",
            Authenticator::Password => "PasswordAuthenticator",
        }
    }

    /// The Java class by which drivers know what to answer.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Authenticator::AllowAll => "org.apache.cassandra.auth.AllowAllAuthenticator",
            Authenticator::Password => "org.apache.cassandra.auth.PasswordAuthenticator",
        }
    }
}

/// Who may do what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
pub enum Authorizer {
    /// Everybody everything.
    #[default]
    #[serde(rename = "AllowAllAuthorizer")]
    AllowAll,
    /// Each role what it was granted.
    #[serde(rename = "CassandraAuthorizer")]
    Cassandra,
}

impl Authorizer {
    /// Its name in a configuration.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Authorizer::AllowAll => "AllowAllAuthorizer",
            Authorizer::Cassandra => "CassandraAuthorizer",
        }
    }
}

impl FromStr for Authorizer {
    type Err = serde::de::value::Error;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        serde::Deserialize::deserialize(name.into_deserializer())
    }
}

/// A listener.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// Where it listens: `host:port`; port 0 takes a free one.
    pub bind: String,
    /// Speaks TLS where set.
    #[serde(default)]
    pub tls: Option<TlsOptions>,
    /// Whether each connection starts with a PROXY protocol header.
    #[serde(default)]
    pub proxy_protocol: bool,
}

/// How long statements may take before their client is told that they took too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Reads of partitions by their keys (`read_request_timeout`).
    pub read: Duration,
    /// Other reads (`range_request_timeout`).
    pub range: Duration,
    /// Writes that wait for others (`write_request_timeout`).
    pub write: Duration,
}

impl Timeouts {
    pub(crate) fn of_read(&self, by_key: bool) -> Duration {
        match by_key {
            true => self.read,
            false => self.range,
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts {
            read: Duration::from_secs(5),
            range: Duration::from_secs(10),
            write: Duration::from_secs(2),
        }
    }
}

/// What clients may ask of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request at the most, its header included (`native_transport_max_frame_size`).
    pub request_bytes_max: usize,
    /// Bytes of large requests that all connections may hold together.
    pub in_flight_bytes_max: usize,
    /// Requests of one connection that may be under way; more are not read until some are answered.
    pub requests_in_flight_max: usize,
    /// Bytes of what is prepared, about (`prepared_statements_cache_size`): what was not used lately is forgotten.
    pub prepared_statements_cache_size: usize,
    /// Connections in total.
    pub connections_max: usize,
    /// Connections from one address.
    pub connections_per_ip_max: usize,
    /// How long a connection may be silent; for ever where absent.
    pub connections_idle_max: Option<Duration>,
    /// How long a client may take no answer.
    pub write_stall_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            request_bytes_max: 16 << 20,
            in_flight_bytes_max: 128 << 20,
            requests_in_flight_max: 1024,
            prepared_statements_cache_size: 32 << 20,
            connections_max: 20_000,
            connections_per_ip_max: usize::MAX,
            connections_idle_max: None,
            write_stall_max: Duration::from_secs(60),
        }
    }
}
