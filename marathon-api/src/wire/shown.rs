//! What is told of apps, tasks, deployments and what waits.

use crate::core::{
    Core, Now,
    app::App,
    deployment::{Action, Deployment},
    instance::Instance,
    path::PathId,
    queue::{Queued, Unused},
    time::Timestamp,
};
use mesos_proto::v1::{Attribute, Offer, Resource, value};
use serde_json::{Map, Value, json};

/// What is told of an app beside its definition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Embed {
    pub(crate) tasks: bool,
    pub(crate) counts: bool,
    pub(crate) deployments: bool,
    pub(crate) last_failure: bool,
    pub(crate) stats: bool,
}

impl Embed {
    /// Reads the names of the API; of apps in a list they begin with `apps.`, or with `app.`.
    pub(crate) fn parse<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut embed = Embed::default();
        for name in names.flat_map(|names| names.split(',')) {
            let name = ["apps.", "app.", "group.apps."]
                .iter()
                .find_map(|prefix| name.strip_prefix(prefix));
            match name {
                Some("tasks") => {
                    embed.tasks = true;
                    embed.deployments = true;
                }
                Some("counts") => embed.counts = true,
                Some("deployments") => embed.deployments = true,
                Some("lastTaskFailure") => embed.last_failure = true,
                Some("failures") => {
                    (embed.tasks, embed.deployments, embed.last_failure) = (true, true, true);
                }
                Some("taskStats") => embed.stats = true,
                _ => {}
            }
        }
        embed
    }
}

/// An app with what is told beside it.
pub(crate) fn app(core: &Core, app: &App, embed: Embed, now: Now) -> Value {
    let mut shown = app.shown();
    let Some(fields) = shown.as_object_mut() else {
        return shown;
    };
    let instances: Vec<&Instance> = core.instances_of(&app.id).collect();
    if embed.counts {
        for (name, count) in counts(&instances) {
            fields.insert(format!("tasks{name}"), json!(count));
        }
    }
    if embed.deployments {
        let of_app = core.deployments.iter().filter(|one| one.locks(&app.id));
        let ids: Vec<Value> = of_app.map(|one| json!({ "id": one.id })).collect();
        fields.insert("deployments".to_owned(), Value::Array(ids));
    }
    if embed.tasks {
        let tasks: Vec<Value> = instances.iter().map(|one| task(core, one, true)).collect();
        fields.insert("tasks".to_owned(), Value::Array(tasks));
    }
    if embed.last_failure
        && let Some(failure) = core.failures.get(&app.id)
    {
        fields.insert("lastTaskFailure".to_owned(), json!(failure));
    }
    if embed.stats {
        fields.insert("taskStats".to_owned(), stats(app, &instances, now));
    }
    shown
}

fn counts(instances: &[&Instance]) -> [(&'static str, usize); 4] {
    let count = |is: &dyn Fn(&Instance) -> bool| instances.iter().filter(|one| is(one)).count();
    [
        (
            "Staged",
            count(&|one| matches!(one.state(), "TASK_STAGING" | "TASK_STARTING")),
        ),
        ("Running", count(&|one| one.is_running())),
        (
            "Healthy",
            count(&|one| one.is_running() && one.is_alive() == Some(true)),
        ),
        (
            "Unhealthy",
            count(&|one| one.is_running() && one.is_alive() == Some(false)),
        ),
    ]
}

/// Counts and ages of the instances of an app, by what they were launched as.
fn stats(app: &App, instances: &[&Instance], now: Now) -> Value {
    let of = |is: &dyn Fn(&Instance) -> bool| {
        let some: Vec<&Instance> = instances.iter().copied().filter(|one| is(one)).collect();
        let mut ages: Vec<f64> = some
            .iter()
            .filter_map(|one| one.started_at)
            .map(|at| now.wall.0.saturating_sub(at.0).max(0) as f64 / 1000.0)
            .collect();
        ages.sort_by(f64::total_cmp);
        let names = counts(&some).map(|(name, count)| (name.to_lowercase(), json!(count)));
        let mut stats = json!({ "counts": Map::from_iter(names) });
        if !ages.is_empty() {
            let average = ages.iter().sum::<f64>() / ages.len() as f64;
            let median = (ages[(ages.len() - 1) / 2] + ages[ages.len() / 2]) / 2.0;
            stats["lifeTime"] = json!({ "averageSeconds": average, "medianSeconds": median });
        }
        (!some.is_empty()).then(|| json!({ "stats": stats }))
    };
    let info = app.version_info;
    let all = [
        (
            "startedAfterLastScaling",
            of(&|one| one.version >= info.last_scaling_at),
        ),
        ("withLatestConfig", of(&|one| app.is_current(one.version))),
        ("withOutdatedConfig", of(&|one| !app.is_current(one.version))),
        ("totalSummary", of(&|_| true)),
    ];
    let some = all
        .into_iter()
        .filter_map(|(name, stats)| Some((name.to_owned(), stats?)));
    Value::Object(some.collect())
}

/// An instance, as a task; with how its checks went, where that is wanted.
pub(crate) fn task(core: &Core, instance: &Instance, with_health: bool) -> Value {
    let launched = core
        .launched_as(instance)
        .or_else(|| core.apps.get(&instance.app));
    let service_ports: Vec<u32> = launched
        .map(|app| app.service_ports().collect())
        .unwrap_or_default();
    let addresses = instance.ip_addresses.iter();
    let addresses: Vec<Value> = addresses
        .map(|(address, protocol)| json!({ "ipAddress": address, "protocol": protocol }))
        .collect();
    let mut shown = json!({
        "appId": instance.app,
        "host": instance.place.host,
        "id": instance.task_id(),
        "ipAddresses": addresses,
        "localVolumes": [],
        "ports": instance.host_ports,
        "servicePorts": service_ports,
        "slaveId": instance.agent_id,
        "stagedAt": instance.staged_at,
        "state": instance.state(),
        "version": instance.version,
    });
    if let Some(at) = instance.started_at {
        shown["startedAt"] = json!(at);
    }
    if let Some(region) = &instance.place.region {
        shown["region"] = json!(region);
    }
    if let Some(zone) = &instance.place.zone {
        shown["zone"] = json!(zone);
    }
    if let Some(health) = instance.health.as_ref().filter(|_| with_health) {
        let mut health = json!(health);
        health["instanceId"] = json!(instance.id);
        shown["healthCheckResults"] = json!([health]);
    }
    shown
}

fn action(action: &Action) -> Value {
    json!({ "action": action.kind.name(), "app": action.app })
}

/// The steps of a deployment.
pub(crate) fn steps(deployment: &Deployment) -> Vec<Value> {
    let steps = deployment.steps.iter();
    let steps = steps.map(|step| json!({ "actions": step.iter().map(action).collect::<Vec<_>>() }));
    steps.collect()
}

/// A deployment, and how far it is.
pub(crate) fn deployment(deployment: &Deployment) -> Value {
    let current = deployment
        .steps
        .get(deployment.step)
        .into_iter()
        .flatten()
        .map(|one| {
            let mut shown = action(one);
            shown["readinessCheckResults"] = json!([]);
            shown
        });
    let affected: Vec<&PathId> = deployment.apps().filter(|app| deployment.locks(app)).collect();
    json!({
        "id": deployment.id,
        "version": deployment.version,
        "affectedApps": affected,
        "affectedPods": [],
        "steps": steps(deployment),
        "currentActions": current.collect::<Vec<_>>(),
        "currentStep": deployment.step + 1,
        "totalSteps": deployment.steps.len(),
    })
}

/// What waits, and why.
pub(crate) fn queued(core: &Core, queued: &Queued, now: Now, with_offers: bool) -> Value {
    let delay = core.delay(&queued.app);
    let left = delay.map_or(0, |delay| delay.until.0.saturating_sub(now.wall.0));
    let steps = |steps: Vec<(&'static str, u64, u64)>| {
        let step = |(reason, declined, processed)| json!({ "reason": reason, "declined": declined, "processed": processed });
        steps.into_iter().map(step).collect::<Vec<Value>>()
    };
    let mut summary = json!({
        "processedOffersCount": queued.processed,
        "unusedOffersCount": queued.unused,
        "rejectSummaryLastOffers": steps(queued.last_offers()),
        "rejectSummaryLaunchAttempt": steps(queued.all_offers()),
    });
    if let Some(at) = queued.last_unused {
        summary["lastUnusedOfferAt"] = json!(at);
    }
    if let Some(at) = queued.last_used {
        summary["lastUsedOfferAt"] = json!(at);
    }
    let mut shown = json!({
        "app": queued.app.shown(),
        "count": queued.count,
        "delay": { "timeLeftSeconds": left.max(0) / 1000, "overdue": left <= 0 },
        "since": queued.since,
        "processedOffersSummary": summary,
    });
    if with_offers {
        shown["lastUnusedOffers"] = queued.unused_offers.values().map(unused).collect();
    }
    shown
}

fn unused(unused: &Unused) -> Value {
    json!({ "offer": offer(&unused.offer), "reason": unused.reasons, "timestamp": unused.at })
}

fn offer(offer: &Offer) -> Value {
    json!({
        "id": offer.id.value,
        "hostname": offer.hostname,
        "agentId": offer.agent_id.value,
        "resources": offer.resources.iter().map(resource).collect::<Vec<_>>(),
        "attributes": offer.attributes.iter().map(attribute).collect::<Vec<_>>(),
    })
}

fn ranges(ranges: &value::Ranges) -> Value {
    let range = |range: &value::Range| json!({ "begin": range.begin, "end": range.end });
    ranges.range.iter().map(range).collect()
}

fn resource(resource: &Resource) -> Value {
    let role = resource
        .reservations
        .last()
        .map_or(resource.role(), |last| last.role());
    let mut shown = json!({ "name": resource.name, "role": role });
    if let Some(scalar) = &resource.scalar {
        shown["scalar"] = json!(scalar.value);
    }
    if let Some(all) = &resource.ranges {
        shown["ranges"] = ranges(all);
    }
    if let Some(set) = &resource.set {
        shown["set"] = json!(set.item);
    }
    shown
}

fn attribute(attribute: &Attribute) -> Value {
    let mut shown = json!({ "name": attribute.name });
    if let Some(text) = &attribute.text {
        shown["text"] = json!(text.value);
    }
    if let Some(scalar) = &attribute.scalar {
        shown["scalar"] = json!(scalar.value);
    }
    if let Some(all) = &attribute.ranges {
        shown["ranges"] = ranges(all);
    }
    if let Some(set) = &attribute.set {
        shown["set"] = json!(set.item);
    }
    shown
}

/// A deployment that began.
pub(crate) fn deployed(id: &str, version: Timestamp) -> Value {
    json!({ "version": version, "deploymentId": id })
}
