//! What runs: an instance of an app, which is one task of Mesos.

use super::{app::constraint::Place, path::PathId, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// `app_name.instance-UUID`.
pub(crate) type InstanceId = String;

/// What is between the names of an app and an instance in ids of tasks.
const MARK: &str = ".instance-";
/// The only container of an app, and the first time it is launched.
const TASK_SUFFIX: &str = "._app.1";

/// An instance. One that has ended is no more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Instance {
    pub(crate) id: InstanceId,
    pub(crate) app: PathId,
    /// Of the app, when it was launched.
    pub(crate) version: Timestamp,
    pub(crate) goal: Goal,
    pub(crate) condition: Condition,
    pub(crate) agent_id: String,
    pub(crate) place: Place,
    pub(crate) host_ports: Vec<u32>,
    /// Address and protocol.
    #[serde(default)]
    pub(crate) ip_addresses: Vec<(String, String)>,
    pub(crate) staged_at: Timestamp,
    #[serde(default)]
    pub(crate) started_at: Option<Timestamp>,
    /// Since when its agent cannot be reached.
    #[serde(default)]
    pub(crate) unreachable_since: Option<Timestamp>,
    #[serde(default)]
    pub(crate) health: Option<Health>,
    /// Whether its app had health checks: one without is well while it runs.
    pub(crate) is_checked: bool,
    /// Whether Mesos has said something of it since the last subscription.
    #[serde(skip)]
    pub(crate) heard: bool,
    /// When it was last asked to be killed.
    #[serde(skip)]
    pub(crate) kill_sent: Option<Duration>,
}

/// What is wanted of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Goal {
    Running,
    /// It is to end, and not to come back.
    Decommissioned,
}

/// What Mesos last said of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Condition {
    /// Nothing yet.
    Provisioned,
    Staging,
    Starting,
    Running,
    Killing,
    Unreachable,
}

/// How an instance was when it was last checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Health {
    pub(crate) alive: bool,
    pub(crate) consecutive_failures: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) first_success: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last_success: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last_failure: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last_failure_cause: Option<String>,
}

/// How the last instance of an app that failed did so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Failure {
    pub(crate) app_id: PathId,
    pub(crate) host: String,
    pub(crate) message: String,
    pub(crate) state: String,
    pub(crate) task_id: String,
    pub(crate) timestamp: Timestamp,
    pub(crate) version: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) slave_id: Option<String>,
}

impl Instance {
    pub(crate) fn id_of(app: &PathId, uuid: &str) -> InstanceId {
        format!("{}{MARK}{uuid}", app.safe())
    }

    pub(crate) fn task_id(&self) -> String {
        format!("{}{TASK_SUFFIX}", self.id)
    }

    /// The app and the instance that a task belongs to, if it is one of ours.
    pub(crate) fn of_task(task: &str) -> Option<(PathId, InstanceId)> {
        let at = task.rfind(MARK)?;
        let rest = task.get(at + MARK.len()..)?;
        let uuid = rest.split('.').next()?;
        let id = task.get(..at + MARK.len() + uuid.len())?;
        Some((PathId::from_safe(&task[..at]), id.to_owned()))
    }

    /// Whether it does what it is there for, or is about to.
    pub(crate) fn is_active(&self) -> bool {
        self.goal == Goal::Running
    }

    pub(crate) fn is_running(&self) -> bool {
        self.condition == Condition::Running
    }

    /// Whether it runs, and its checks say that it is well.
    pub(crate) fn is_healthy(&self) -> bool {
        self.is_running() && (!self.is_checked || self.is_alive() == Some(true))
    }

    /// What its checks say.
    pub(crate) fn is_alive(&self) -> Option<bool> {
        self.health.as_ref().map(|health| health.alive)
    }

    /// What it was last heard to be, by the name of Mesos.
    pub(crate) fn state(&self) -> &'static str {
        match self.condition {
            Condition::Provisioned | Condition::Staging => "TASK_STAGING",
            Condition::Starting => "TASK_STARTING",
            Condition::Running => "TASK_RUNNING",
            Condition::Killing => "TASK_KILLING",
            Condition::Unreachable => "TASK_UNREACHABLE",
        }
    }
}

#[cfg(test)]
mod tests;
