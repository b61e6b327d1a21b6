//! What it is started with.

use std::time::Duration;
use storage::Durability;

/// What it is started with. Names follow the original's flags.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it listens: `host:port`; port 0 takes a free one.
    pub bind: String,
    /// Where the Mesos master is: `host:port`, `zk://...` or `file://...`.
    pub master: String,
    /// What it is called among the master's frameworks.
    pub framework_name: String,
    /// Whom tasks belong to that name nobody.
    pub user: String,
    /// How long a master keeps its tasks while it is away.
    pub failover_timeout: Duration,
    /// What it promises before it launches anything.
    pub durability: Durability,
    /// What jobs have that do not say.
    pub defaults: Defaults,
    /// What clients may ask of it.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            bind: "127.0.0.1:4400".to_owned(),
            master: "127.0.0.1:5050".to_owned(),
            framework_name: "chronos".to_owned(),
            user: "root".to_owned(),
            failover_timeout: Duration::from_secs(604_800),
            durability: Durability::Written,
            defaults: Defaults::default(),
            limits: Limits::default(),
        }
    }
}

/// What jobs have that do not say. Names follow the original's flags.
#[derive(Debug, Clone, PartialEq)]
pub struct Defaults {
    /// How long after a failure a job is tried again.
    pub failure_retry: Duration,
    /// After how many failures in a row a job is disabled; 0: never.
    pub disable_after_failures: u64,
    /// How late a job may be launched.
    pub task_epsilon: Duration,
    /// Processors of a task.
    pub mesos_task_cpu: f64,
    /// MB of memory of a task.
    pub mesos_task_mem: f64,
    /// MB of disk of a task.
    pub mesos_task_disk: f64,
}

impl Default for Defaults {
    fn default() -> Self {
        Defaults {
            failure_retry: Duration::from_secs(60),
            disable_after_failures: 0,
            task_epsilon: Duration::from_secs(60),
            mesos_task_cpu: 0.1,
            mesos_task_mem: 128.0,
            mesos_task_disk: 256.0,
        }
    }
}

/// What clients may ask of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request's body at the most.
    pub request_bytes_max: usize,
    /// Connections in total.
    pub connections_max: usize,
    /// Jobs in total.
    pub jobs_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            request_bytes_max: 1 << 20,
            connections_max: 4096,
            jobs_max: 100_000,
        }
    }
}
