//! Events as those who watch read them: server-sent, each with its kind.

use super::shown::steps;
use crate::core::{
    deployment::{Apps, Deployment},
    instance::Instance,
    time::Timestamp,
    told::{Stage, Told},
};
use serde_json::{Value, json};

/// An event, ready to be sent.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) kind: &'static str,
    pub(crate) text: String,
}

impl Sent {
    /// An event whose fields are those of `shown`.
    pub(crate) fn new(kind: &'static str, mut shown: Value, at: Timestamp) -> Self {
        shown["eventType"] = json!(kind);
        shown["timestamp"] = json!(at);
        Sent {
            kind,
            text: format!("event: {kind}\r\ndata: {shown}\r\n\r\n"),
        }
    }

    pub(crate) fn of(told: &Told, at: Timestamp) -> Self {
        let (kind, shown) = match told {
            Told::Status {
                instance,
                state,
                message,
            } => ("status_update_event", status(instance, state, message)),
            Told::Instance { instance, condition } => {
                let mut shown = of_instance(instance);
                shown["condition"] = json!(condition);
                shown["agentId"] = json!(instance.agent_id);
                shown["host"] = json!(instance.place.host);
                ("instance_changed_event", shown)
            }
            Told::Health { instance, healthy } => {
                let mut shown = of_instance(instance);
                shown["healthy"] = json!(healthy);
                ("instance_health_changed_event", shown)
            }
            Told::Deployment(stage, deployment) => of_deployment(*stage, deployment),
            Told::Group { id, version } => (
                "group_change_success",
                json!({ "groupId": id, "version": version }),
            ),
            Told::AppTerminated(app) => ("app_terminated_event", json!({ "appId": app })),
        };
        Sent::new(kind, shown, at)
    }
}

fn of_instance(instance: &Instance) -> Value {
    json!({
        "instanceId": instance.id,
        "runSpecId": instance.app,
        "runSpecVersion": instance.version,
    })
}

fn status(instance: &Instance, state: &str, message: &str) -> Value {
    let addresses = instance.ip_addresses.iter();
    let addresses: Vec<Value> = addresses
        .map(|(address, protocol)| json!({ "ipAddress": address, "protocol": protocol }))
        .collect();
    json!({
        "slaveId": instance.agent_id,
        "taskId": instance.task_id(),
        "taskStatus": state,
        "message": message,
        "appId": instance.app,
        "host": instance.place.host,
        "ipAddresses": addresses,
        "ports": instance.host_ports,
        "version": instance.version,
    })
}

fn of_deployment(stage: Stage, deployment: &Deployment) -> (&'static str, Value) {
    let plan = json!({
        "id": deployment.id,
        "version": deployment.version,
        "original": group(&deployment.original, deployment.version),
        "target": group(&deployment.target, deployment.version),
        "steps": steps(deployment),
    });
    let step = || {
        steps(deployment)
            .get(deployment.step)
            .cloned()
            .unwrap_or_else(|| json!({ "actions": [] }))
    };
    match stage {
        Stage::Begins => ("deployment_info", json!({ "plan": plan, "currentStep": step() })),
        Stage::StepDone => (
            "deployment_step_success",
            json!({ "plan": plan, "currentStep": step() }),
        ),
        Stage::Done => ("deployment_success", json!({ "id": deployment.id, "plan": plan })),
        Stage::GivenUp => ("deployment_failed", json!({ "id": deployment.id, "plan": plan })),
    }
}

/// The apps of a plan, as the root group that holds them.
fn group(apps: &Apps, version: Timestamp) -> Value {
    let apps: Vec<Value> = apps.values().flatten().map(|app| app.shown()).collect();
    json!({ "id": "/", "apps": apps, "groups": [], "pods": [], "dependencies": [], "version": version })
}
