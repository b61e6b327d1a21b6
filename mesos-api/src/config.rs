//! What master and agent are started with.

use std::path::PathBuf;
use storage::Durability;

/// This very program.
pub(crate) const SUPERVISOR: &str = "/proc/self/exe";

/// What master and agent are started with. Names follow the original's flags.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the master listens: `host:port`; port 0 takes a free one.
    pub master_bind: String,
    /// Where the agent listens.
    pub agent_bind: String,
    /// Below which sandboxes are made.
    pub work_dir: PathBuf,
    /// What the agent offers: `name:value` pairs apart by `;`. What is not named is taken from the machine.
    pub resources: String,
    /// What the master promises before it tells of what it registered.
    pub durability: Durability,
    /// The program that watches over each container: one that calls [`crate::supervise`] when its argument is
    /// `supervise`.
    pub supervisor: PathBuf,
    /// What clients may ask of the servers.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            master_bind: "127.0.0.1:5050".to_owned(),
            agent_bind: "127.0.0.1:5051".to_owned(),
            work_dir: PathBuf::from("./smack-data/mesos"),
            resources: String::new(),
            durability: Durability::Written,
            supervisor: PathBuf::from(SUPERVISOR),
            limits: Limits::default(),
        }
    }
}

/// What clients may ask of the servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request's body at the most.
    pub request_bytes_max: usize,
    /// Connections of each server in total.
    pub connections_max: usize,
    /// Events that a scheduler may be behind before its stream is closed.
    pub events_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            request_bytes_max: 8 << 20,
            connections_max: 10_000,
            events_max: 4096,
        }
    }
}
