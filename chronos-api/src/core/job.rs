//! What a client asks for: a job with all that the original knows of one.

use super::constraints::Constraint;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Characters of a name at the most: it is part of a task's id, which Mesos bounds at 255.
const NAME_CHARS_MAX: usize = 200;

/// When a job runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Trigger {
    /// At its times.
    Schedule { schedule: String, zone: String },
    /// Once all of these have ended well.
    Parents(BTreeSet<String>),
}

/// A job. Names are the original's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) name: String,
    pub(crate) command: String,
    pub(crate) shell: bool,
    pub(crate) arguments: Vec<String>,
    /// A period.
    pub(crate) epsilon: String,
    pub(crate) executor: String,
    pub(crate) executor_flags: String,
    pub(crate) task_info_data: String,
    pub(crate) retries: u32,
    pub(crate) owner: String,
    pub(crate) owner_name: String,
    pub(crate) description: String,
    pub(crate) success_count: u64,
    pub(crate) error_count: u64,
    pub(crate) errors_since_last_success: u64,
    /// A time, or nothing.
    pub(crate) last_success: String,
    /// A time, or nothing.
    pub(crate) last_error: String,
    /// Its end is told by whoever it is, not by its task's.
    pub(crate) r#async: bool,
    pub(crate) cpus: f64,
    pub(crate) mem: f64,
    pub(crate) disk: f64,
    pub(crate) gpus: f64,
    pub(crate) disabled: bool,
    pub(crate) soft_error: bool,
    pub(crate) data_processing: bool,
    pub(crate) high_priority: bool,
    pub(crate) concurrent: bool,
    pub(crate) run_as_user: String,
    pub(crate) uris: Vec<String>,
    pub(crate) fetch: Vec<Fetch>,
    pub(crate) environment: Vec<Pair>,
    pub(crate) labels: Vec<Pair>,
    pub(crate) container: Option<Container>,
    pub(crate) constraints: Vec<Constraint>,
    pub(crate) trigger: Trigger,
}

/// What is brought to a task before it starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fetch {
    pub(crate) uri: String,
    pub(crate) executable: bool,
    pub(crate) cache: bool,
    pub(crate) extract: bool,
}

/// A name and its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pair {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// Who runs a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ContainerKind {
    Docker,
    Mesos,
}

/// Which network a container sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Network {
    Host,
    Bridge,
    User,
}

/// What a task is kept in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Container {
    pub(crate) kind: ContainerKind,
    pub(crate) image: String,
    pub(crate) network: Network,
    pub(crate) network_name: Option<String>,
    pub(crate) volumes: Vec<Volume>,
    pub(crate) parameters: Vec<Pair>,
    pub(crate) force_pull_image: bool,
}

/// A folder of a container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Volume {
    pub(crate) container_path: String,
    pub(crate) host_path: Option<String>,
    /// Whether it may be written, where that is told.
    pub(crate) writable: Option<bool>,
    /// MB of a volume that outlives its task.
    pub(crate) persistent: Option<i64>,
    pub(crate) external: Option<ExternalVolume>,
}

/// A volume that somebody else provides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExternalVolume {
    pub(crate) name: String,
    pub(crate) provider: String,
    pub(crate) options: Vec<Pair>,
}

impl Job {
    /// What it waits for, if that is other jobs.
    pub(crate) fn parents(&self) -> Option<&BTreeSet<String>> {
        match &self.trigger {
            Trigger::Parents(parents) => Some(parents),
            Trigger::Schedule { .. } => None,
        }
    }
}

/// Whether a job may be called so: letters, digits and `_`, white space, `.`, `#` and `-`, as Java's expression has it.
pub(crate) fn is_valid_name(name: &str) -> bool {
    let fine = |one: char| one.is_ascii_alphanumeric() || " \t\n\u{b}\u{c}\r._#-".contains(one);
    !name.is_empty() && name.len() <= NAME_CHARS_MAX && name.chars().all(fine)
}
