//! What an app is: its definition, as it is kept and shown.
//!
//! Rooms: `update` (changes of one), `check` (what is wrong with one), `constraint` (where its instances may be).
//! Knows: defaults and names of the API. Never: how a request is read, or what runs.

mod check;
pub(crate) mod constraint;
mod update;

pub(crate) use check::{Wrong, check, check_update};
pub(crate) use update::AppUpdate;

use super::{path::PathId, time::Timestamp};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use std::collections::BTreeMap;

/// What a task may be called by who labels it.
pub(crate) type Labels = BTreeMap<String, String>;

/// An app, in one of its versions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct App {
    pub(crate) id: PathId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cmd: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) args: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub(crate) env: Labels,
    pub(crate) instances: u32,
    #[serde(serialize_with = "number")]
    pub(crate) cpus: f64,
    #[serde(serialize_with = "number")]
    pub(crate) mem: f64,
    #[serde(serialize_with = "number")]
    pub(crate) disk: f64,
    pub(crate) gpus: u32,
    pub(crate) executor: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) constraints: Vec<Vec<String>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) fetch: Vec<Artifact>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) store_urls: Vec<String>,
    pub(crate) port_definitions: Vec<PortDefinition>,
    pub(crate) require_ports: bool,
    pub(crate) backoff_seconds: u32,
    #[serde(serialize_with = "number")]
    pub(crate) backoff_factor: f64,
    pub(crate) max_launch_delay_seconds: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) container: Option<Container>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) health_checks: Vec<HealthCheck>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) task_kill_grace_period_seconds: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) dependencies: Vec<PathId>,
    pub(crate) upgrade_strategy: UpgradeStrategy,
    pub(crate) labels: Labels,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) accepted_resource_roles: Option<Vec<String>>,
    pub(crate) networks: Vec<Network>,
    pub(crate) unreachable_strategy: UnreachableStrategy,
    pub(crate) kill_selection: KillSelection,
    pub(crate) version: Timestamp,
    pub(crate) version_info: VersionInfo,
}

/// When an app changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VersionInfo {
    pub(crate) last_scaling_at: Timestamp,
    pub(crate) last_config_change_at: Timestamp,
}

/// What is brought into a sandbox before a task starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Artifact {
    pub(crate) uri: String,
    pub(crate) extract: bool,
    pub(crate) executable: bool,
    pub(crate) cache: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) dest_path: Option<String>,
}

/// A port of an agent that each instance is given. The number is the service port, unless ports are required.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PortDefinition {
    pub(crate) port: u32,
    pub(crate) protocol: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    pub(crate) labels: Labels,
}

impl PortDefinition {
    pub(crate) fn of(port: u32) -> Self {
        PortDefinition {
            port,
            protocol: "tcp".to_owned(),
            name: None,
            labels: Labels::new(),
        }
    }
}

/// What a task runs in: here, Mesos' own containers without an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Container {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) volumes: Vec<Volume>,
}

/// A folder of the host that a task sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Volume {
    pub(crate) container_path: String,
    pub(crate) host_path: String,
    pub(crate) mode: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Network {
    pub(crate) mode: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UpgradeStrategy {
    #[serde(serialize_with = "number")]
    pub(crate) maximum_over_capacity: f64,
    #[serde(serialize_with = "number")]
    pub(crate) minimum_health_capacity: f64,
}

/// What is done about an instance whose agent cannot be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum UnreachableStrategy {
    #[serde(rename_all = "camelCase")]
    After {
        /// From when on another one takes its place.
        inactive_after_seconds: u32,
        /// From when on it is forgotten.
        expunge_after_seconds: u32,
    },
    Disabled(Disabled),
}

/// The word that stands for no strategy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Disabled {
    #[serde(rename = "disabled")]
    Disabled,
}

/// Which instances go first where there are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum KillSelection {
    YoungestFirst,
    OldestFirst,
}

/// How it is found out whether an instance is well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HealthCheck {
    pub(crate) protocol: Protocol,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) command: Option<CheckCommand>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) port: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) port_index: Option<u32>,
    pub(crate) grace_period_seconds: u32,
    pub(crate) interval_seconds: u32,
    pub(crate) timeout_seconds: u32,
    pub(crate) delay_seconds: u32,
    pub(crate) max_consecutive_failures: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ignore_http1xx: Option<bool>,
    pub(crate) ip_protocol: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CheckCommand {
    pub(crate) value: String,
}

/// Who checks, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Protocol {
    Http,
    Https,
    Tcp,
    Command,
    MesosHttp,
    MesosHttps,
    MesosTcp,
}

impl Protocol {
    pub(crate) const ALL: [(&'static str, Protocol); 7] = [
        ("HTTP", Protocol::Http),
        ("HTTPS", Protocol::Https),
        ("TCP", Protocol::Tcp),
        ("COMMAND", Protocol::Command),
        ("MESOS_TCP", Protocol::MesosTcp),
        ("MESOS_HTTP", Protocol::MesosHttp),
        ("MESOS_HTTPS", Protocol::MesosHttps),
    ];

    /// Whether Mesos checks, beside the task, and not Marathon.
    pub(crate) fn is_of_mesos(self) -> bool {
        !matches!(self, Protocol::Http | Protocol::Https | Protocol::Tcp)
    }
}

impl App {
    /// An app of which nothing but its name was said.
    pub(crate) fn named(id: PathId) -> Self {
        App {
            id,
            cmd: None,
            args: Vec::new(),
            user: None,
            env: Labels::new(),
            instances: 1,
            cpus: 1.0,
            mem: 128.0,
            disk: 0.0,
            gpus: 0,
            executor: String::new(),
            constraints: Vec::new(),
            fetch: Vec::new(),
            store_urls: Vec::new(),
            port_definitions: vec![PortDefinition {
                name: Some("default".to_owned()),
                ..PortDefinition::of(0)
            }],
            require_ports: false,
            backoff_seconds: 1,
            backoff_factor: 1.15,
            max_launch_delay_seconds: 300,
            container: None,
            health_checks: Vec::new(),
            task_kill_grace_period_seconds: None,
            dependencies: Vec::new(),
            upgrade_strategy: UpgradeStrategy {
                maximum_over_capacity: 1.0,
                minimum_health_capacity: 1.0,
            },
            labels: Labels::new(),
            accepted_resource_roles: None,
            networks: vec![Network {
                mode: "host".to_owned(),
            }],
            unreachable_strategy: UnreachableStrategy::After {
                inactive_after_seconds: 0,
                expunge_after_seconds: 0,
            },
            kill_selection: KillSelection::YoungestFirst,
            version: Timestamp::default(),
            version_info: VersionInfo::default(),
        }
    }

    /// Whether an instance of this app must be replaced for it to be one of another version.
    pub(crate) fn is_upgraded_by(&self, other: &App) -> bool {
        let like_this = App {
            instances: self.instances,
            version: self.version,
            version_info: self.version_info,
            ..other.clone()
        };
        like_this != *self
    }

    /// Whether what was launched as `version` is an instance of it as it is.
    pub(crate) fn is_current(&self, version: Timestamp) -> bool {
        version >= self.version_info.last_config_change_at
    }

    pub(crate) fn service_ports(&self) -> impl Iterator<Item = u32> {
        self.port_definitions.iter().map(|one| one.port)
    }

    /// Since when it is as it is, for who has waited longer than for a moment.
    pub(crate) fn shown(&self) -> Value {
        // Nothing of it has keys that are not text, which alone could fail.
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// Whole numbers have no fraction.
pub(crate) fn number<S: Serializer>(number: &f64, to: S) -> Result<S::Ok, S::Error> {
    #[allow(clippy::cast_possible_truncation, reason = "it is whole, and small")]
    match number.fract() == 0.0 && number.abs() < 1e15 {
        true => to.serialize_i64(*number as i64),
        false => to.serialize_f64(*number),
    }
}

#[cfg(test)]
mod tests;
