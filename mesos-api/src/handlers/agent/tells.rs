use super::operator::of;
use crate::{
    core::{
        agent::Agent,
        resources::{Resources, decimal},
    },
    handlers::Cluster,
    wire::{Refusal, refusal},
};
use axum::http::StatusCode;
use mesos_proto::v1::{
    Flag, Metric, TaskState,
    agent::{
        Call, Response as Answer,
        response::{self, Type as Kinds},
    },
};
use std::{collections::BTreeMap, sync::atomic::Ordering};

/// Flags of the original that are the same for every agent here.
const FIXED: &[(&str, &str)] = &[
    ("authenticate_http_executors", "false"),
    ("authenticate_http_readonly", "false"),
    ("authenticate_http_readwrite", "false"),
    ("containerizers", "mesos"),
    ("default_role", "*"),
    ("executor_registration_timeout", "1mins"),
    ("executor_reregistration_timeout", "15secs"),
    ("executor_shutdown_grace_period", "5secs"),
    ("launcher", "posix"),
    ("max_completed_executors_per_framework", "150"),
    ("recover", "reconnect"),
    ("recovery_timeout", "15mins"),
    ("strict", "true"),
    ("switch_user", "true"),
    ("version", "false"),
];

/// Every flag with its value, by name.
pub(super) fn flags(cluster: &Cluster, agent: &Agent) -> Answer {
    let level = cluster.logging_level.load(Ordering::Relaxed);
    let own = [
        ("hostname", agent.info.hostname.clone()),
        ("isolation", cluster.agent.isolation.named()),
        (
            "logging_level",
            if level > 0 { "DEBUG" } else { "INFO" }.to_owned(),
        ),
        ("port", agent.info.port().to_string()),
        ("work_dir", cluster.agent.work_dir.display().to_string()),
    ];
    let fixed = FIXED.iter().map(|(name, value)| (*name, (*value).to_owned()));
    let all: BTreeMap<&str, String> = fixed.chain(own).collect();
    let flags = all.into_iter().map(|(name, value)| Flag {
        name: name.to_owned(),
        value: Some(value),
    });
    Answer {
        get_flags: Some(response::GetFlags {
            flags: flags.collect(),
        }),
        ..of(Kinds::GetFlags)
    }
}

/// What is measured, by the original's names. Ends of tasks are counted as far as history goes.
#[allow(
    clippy::cast_precision_loss,
    reason = "counts are far below what a double holds"
)]
pub(super) fn metrics(cluster: &Cluster, agent: &Agent) -> Answer {
    let mut all = BTreeMap::new();
    let mut put = |name: &str, value: f64| {
        all.insert(format!("slave/{name}"), value);
    };
    put("uptime_secs", cluster.around().uptime.as_secs_f64());
    put("registered", f64::from(u8::from(!agent.id().is_empty())));
    put("frameworks_active", agent.frameworks.len() as f64);
    let open = agent.executors.values().filter(|one| !one.ended);
    put("executors_running", open.count() as f64);
    put("executors_terminated", agent.completed.len() as f64);
    let executors = || agent.executors.values().chain(&agent.completed);
    for (state, name) in [
        (TaskState::TaskStaging, "staging"),
        (TaskState::TaskStarting, "starting"),
        (TaskState::TaskRunning, "running"),
        (TaskState::TaskKilling, "killing"),
        (TaskState::TaskFinished, "finished"),
        (TaskState::TaskFailed, "failed"),
        (TaskState::TaskKilled, "killed"),
        (TaskState::TaskLost, "lost"),
    ] {
        let tasks = executors().flat_map(|one| one.tasks.values().chain(&one.finished));
        put(
            &format!("tasks_{name}"),
            tasks.filter(|task| task.state() == state).count() as f64,
        );
    }
    let total = Resources::of(&agent.info.resources).unwrap_or_default();
    let mut used = Resources::default();
    for executor in agent.executors.values().filter(|one| !one.ended) {
        used.add(&Resources::of(&executor.info.resources).unwrap_or_default());
        for task in executor.tasks.values().filter(|task| !task.has_ended()) {
            used.add(&Resources::of(&task.info.resources).unwrap_or_default());
        }
    }
    for name in ["cpus", "mem", "disk", "gpus"] {
        let (all, some) = (decimal(total.scalar(name)), decimal(used.scalar(name)));
        put(&format!("{name}_total"), all);
        put(&format!("{name}_used"), some);
        put(
            &format!("{name}_percent"),
            if all > 0.0 { some / all } else { 0.0 },
        );
    }
    let metrics = all.into_iter().map(|(name, value)| Metric {
        name,
        value: Some(value),
    });
    Answer {
        get_metrics: Some(response::GetMetrics {
            metrics: metrics.collect(),
        }),
        ..of(Kinds::GetMetrics)
    }
}

pub(super) fn logging_level(cluster: &Cluster, _: &Agent) -> Answer {
    Answer {
        get_logging_level: Some(response::GetLoggingLevel {
            level: cluster.logging_level.load(Ordering::Relaxed),
        }),
        ..of(Kinds::GetLoggingLevel)
    }
}

/// What the original answers where it is told of no folder for resource providers: there are none, and can be none.
pub(super) fn no_resource_providers(call: Call) -> Refusal {
    if let Some(gone) = call.mark_resource_provider_gone {
        let id = gone.resource_provider_id.value;
        let why = format!("Could not mark nonexistent resource provider '{id}' as gone");
        return refusal(StatusCode::INTERNAL_SERVER_ERROR, why);
    }
    let added = call.add_resource_provider_config.map(|one| one.info);
    let info = added.or(call.update_resource_provider_config.map(|one| one.info));
    if let Some(info) = info {
        let (kind, name) = (&info.r#type, &info.name);
        if kind != "org.apache.mesos.rp.local.storage" {
            let why = format!(
                "Failed to validate resource provider config with type '{kind}' and name '{name}': Unknown local \
                 resource provider type '{kind}'"
            );
            return refusal(StatusCode::BAD_REQUEST, why);
        }
    }
    let why = "Missing required flag --resource_provider_config_dir";
    refusal(StatusCode::INTERNAL_SERVER_ERROR, why)
}
