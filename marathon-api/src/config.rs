//! What the server is started with.

use std::ops::RangeInclusive;
use storage::Durability;

/// What Marathon is started with. Names follow the original's flags.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it listens: `host:port`; port 0 takes a free one.
    pub bind: String,
    /// Where the master is: `host:port`, `zk://host:port,.../path` or `file://...`.
    pub master: String,
    /// What the framework is called.
    pub framework_name: String,
    /// Whom its tasks run as; who runs the agent, where it is empty.
    pub mesos_user: String,
    /// Seconds that its tasks outlive a framework that does not come back.
    pub failover_timeout: u64,
    /// What service ports are taken from.
    pub local_ports: RangeInclusive<u16>,
    /// What it promises before it tells of what it did.
    pub durability: Durability,
    /// What clients may ask of it.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            bind: "127.0.0.1:8080".to_owned(),
            master: "127.0.0.1:5050".to_owned(),
            framework_name: "marathon".to_owned(),
            mesos_user: String::new(),
            failover_timeout: 604_800,
            local_ports: 10_000..=20_000,
            durability: Durability::Written,
            limits: Limits::default(),
        }
    }
}

/// What clients may ask of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request's body at the most.
    pub request_bytes_max: usize,
    /// Connections in total.
    pub connections_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            request_bytes_max: 8 << 20,
            connections_max: 10_000,
        }
    }
}
