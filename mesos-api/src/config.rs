//! What master and agent are started with.

use crate::shell::Collection;
use std::{path::PathBuf, time::Duration};
use storage::Durability;

/// This very program.
const SUPERVISOR: &str = "/proc/self/exe";

/// What a master and the agent beside it are started with.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The master.
    pub master: MasterConfig,
    /// The agent in the same process, where there is to be one.
    pub agent: Option<AgentConfig>,
    /// What clients may ask of the servers.
    pub limits: Limits,
}

/// What a master is started with. Names follow the original's flags.
#[derive(Debug, Clone)]
pub struct MasterConfig {
    /// Where it listens: `host:port`; port 0 takes a free one.
    pub bind: String,
    /// Where masters elect the one that leads: `zk://host:port,.../path`. Without, there is no other master.
    pub zk: Option<String>,
    /// How many masters the original's registry needs. Here it is in ZooKeeper, whose own quorum counts.
    pub quorum: Option<u32>,
    /// What it promises before it tells of what it registered. ZooKeeper promises more.
    pub durability: Durability,
}

impl Default for MasterConfig {
    fn default() -> Self {
        MasterConfig {
            bind: "127.0.0.1:5050".to_owned(),
            zk: None,
            quorum: None,
            durability: Durability::Written,
        }
    }
}

/// What an agent is started with. Names follow the original's flags.
#[derive(Debug, Clone)]
pub struct AgentConfig {
    /// Where it listens: `host:port`; port 0 takes a free one.
    pub bind: String,
    /// Below which sandboxes are made.
    pub work_dir: PathBuf,
    /// What it offers: `name:value` pairs apart by `;`. What is not named is taken from the machine.
    pub resources: String,
    /// What frameworks may choose it by: `name:value` pairs apart by `;`.
    pub attributes: String,
    /// The program that those are who watch over containers: one that calls [`crate::supervise`] when its argument is
    /// `supervise`, before it has other threads.
    pub supervisor: PathBuf,
    /// How it keeps its machine in order.
    pub upkeep: Upkeep,
    /// What keeps containers to themselves, by the original's names; what the machine has where none is named.
    pub isolation: Option<String>,
}

impl Default for AgentConfig {
    fn default() -> Self {
        AgentConfig {
            bind: "127.0.0.1:5051".to_owned(),
            work_dir: PathBuf::from("./smack-data/mesos"),
            resources: String::new(),
            attributes: String::new(),
            supervisor: PathBuf::from(SUPERVISOR),
            upkeep: Upkeep::default(),
            isolation: None,
        }
    }
}

/// How an agent keeps its machine in order. Names follow the original's flags and those of its `logrotate` logger.
#[derive(Debug, Clone, PartialEq)]
pub struct Upkeep {
    /// When sandboxes are removed.
    pub collection: Collection,
    /// Bytes of a task's standard output before it is put aside as `stdout.1`, in place of the one before.
    pub max_stdout_size: u64,
    /// The same of its standard error.
    pub max_stderr_size: u64,
}

impl Default for Upkeep {
    fn default() -> Self {
        Upkeep {
            collection: Collection::default(),
            max_stdout_size: 10 << 20,
            max_stderr_size: 10 << 20,
        }
    }
}

impl Upkeep {
    /// Sets one by its name, as the original reads it: `1weeks`, `10MB`, `0.1`.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let wrong = || format!("Failed to load flag '{name}': '{value}' is not what it takes");
        match name {
            "gc_delay" => self.collection.gc_delay = duration(value).ok_or_else(wrong)?,
            "disk_watch_interval" => {
                self.collection.disk_watch_interval = duration(value).ok_or_else(wrong)?;
            }
            "gc_disk_headroom" => {
                let share = value.parse().ok().filter(|share| (0.0..=1.0).contains(share));
                self.collection.gc_disk_headroom = share.ok_or_else(wrong)?;
            }
            "max_stdout_size" => self.max_stdout_size = bytes(value).ok_or_else(wrong)?,
            "max_stderr_size" => self.max_stderr_size = bytes(value).ok_or_else(wrong)?,
            _ => return Err(format!("Failed to load unknown flag '{name}'")),
        }
        Ok(())
    }
}

/// A number and its unit.
fn parts(text: &str) -> Option<(f64, &str)> {
    let unit = text.find(|one: char| one.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(unit);
    Some((number.parse().ok()?, unit))
}

fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = parts(text)?;
    let seconds = match unit {
        "ns" => 1e-9,
        "us" => 1e-6,
        "ms" => 1e-3,
        "secs" => 1.0,
        "mins" => 60.0,
        "hrs" => 3600.0,
        "days" => 86_400.0,
        "weeks" => 604_800.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number * seconds).ok()
}

/// The original's units are powers of 1024.
fn bytes(text: &str) -> Option<u64> {
    let (number, unit) = parts(text)?;
    let unit = ["B", "KB", "MB", "GB", "TB"]
        .iter()
        .position(|known| *known == unit)?;
    let bytes = number * 1024_f64.powi(i32::try_from(unit).ok()?);
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "what is cut off is no whole byte"
    )]
    (0.0..1e18).contains(&bytes).then_some(bytes as u64)
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

#[cfg(test)]
mod tests;
