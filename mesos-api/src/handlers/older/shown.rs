use crate::{
    core::{
        master::{Agent, CAPABILITIES, Framework, Master, RefusedTask, VERSION, Waits},
        resources::{Resources, Scalars, decimal},
    },
    handlers::operator::{Bag, Sum, Sums},
};
use mesos_proto::v1::{FrameworkInfo, Resource, Task, TaskState, TaskStatus, value};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, time::Duration};

/// Counted for each agent and framework.
const STATES: [TaskState; 10] = [
    TaskState::TaskStaging,
    TaskState::TaskStarting,
    TaskState::TaskRunning,
    TaskState::TaskKilling,
    TaskState::TaskFinished,
    TaskState::TaskKilled,
    TaskState::TaskFailed,
    TaskState::TaskLost,
    TaskState::TaskError,
    TaskState::TaskUnreachable,
];

/// Amounts by name: what people are shown always, and whatever else there is.
pub(in crate::handlers) fn amounts(resources: &[Resource]) -> Value {
    let mut shown: Map<String, Value> = Map::new();
    for name in ["disk", "mem", "gpus", "cpus"] {
        shown.insert(name.to_owned(), json!(0.0));
    }
    let mut sums: BTreeMap<&str, f64> = BTreeMap::new();
    for resource in resources {
        if let Some(scalar) = &resource.scalar {
            *sums.entry(&resource.name).or_default() += scalar.value;
        }
        if let Some(ranges) = &resource.ranges {
            let pairs = ranges
                .range
                .iter()
                .map(|range| format!("{}-{}", range.begin, range.end));
            let text = format!("[{}]", pairs.collect::<Vec<_>>().join(", "));
            shown.insert(resource.name.clone(), json!(text));
        }
        if let Some(set) = &resource.set {
            shown.insert(
                resource.name.clone(),
                json!(format!("{{{}}}", set.item.join(", "))),
            );
        }
    }
    shown.extend(sums.into_iter().map(|(name, sum)| (name.to_owned(), json!(sum))));
    Value::Object(shown)
}

/// The same of what was added up.
fn amounts_of(bag: &Bag) -> Value {
    let mut shown = amounts(&bag.others.to_list());
    if let Value::Object(map) = &mut shown {
        let sums = bag.scalars.iter();
        map.extend(sums.map(|(name, sum)| (name.to_owned(), json!(decimal(sum)))));
    }
    shown
}

/// Whether a resource is anybody's.
fn is_unreserved(resource: &&Resource) -> bool {
    resource.role() == "*" && resource.reservations.is_empty()
}

fn role_of(resource: &Resource) -> &str {
    resource
        .reservations
        .last()
        .map_or(resource.role(), |reservation| reservation.role())
}

fn reserved(resources: &[Resource]) -> BTreeMap<&str, Vec<Resource>> {
    let mut by_role: BTreeMap<&str, Vec<Resource>> = BTreeMap::new();
    for resource in resources.iter().filter(|one| !is_unreserved(one)) {
        by_role
            .entry(role_of(resource))
            .or_default()
            .push(resource.clone());
    }
    by_role
}

fn attributes(agent: &Agent) -> Value {
    let shown = agent.info.attributes.iter().map(|one| {
        let value = match (&one.scalar, &one.text) {
            (Some(scalar), _) => json!(scalar.value),
            (None, Some(text)) => json!(text.value),
            (None, None) => Value::Null,
        };
        (one.name.clone(), value)
    });
    Value::Object(shown.collect())
}

fn agent_basics(one: &Agent, sum: &Sum<'_>) -> Map<String, Value> {
    let total = one.total.to_list();
    let open: Vec<Resource> = total.iter().filter(is_unreserved).cloned().collect();
    let reserved: Map<String, Value> = reserved(&total)
        .into_iter()
        .map(|(role, resources)| (role.to_owned(), amounts(&resources)))
        .collect();
    let value = json!({
        "id": one.id(),
        "hostname": one.info.hostname,
        "port": one.info.port(),
        "attributes": attributes(one),
        "pid": format!("slave(1)@{}:{}", one.info.hostname, one.info.port()),
        "registered_time": one.registered.as_secs_f64(),
        "resources": amounts(&total),
        "used_resources": amounts_of(&sum.used),
        "offered_resources": amounts_of(&sum.offered),
        "reserved_resources": reserved,
        "unreserved_resources": amounts(&open),
        "active": one.link.is_some(),
        "deactivated": one.deactivated,
        "version": VERSION,
        "capabilities": CAPABILITIES.map(|can| can.as_str_name()),
    });
    let mut shown = object(value);
    if let Some(again) = one.reregistered {
        shown.insert("reregistered_time".to_owned(), json!(again.as_secs_f64()));
    }
    if let Some(drain) = &one.drain {
        shown.insert("drain_info".to_owned(), json!(drain.info()));
        let started = json!(drain.started.as_secs_f64());
        shown.insert("estimated_drain_start_time_seconds".to_owned(), started);
    }
    shown
}

pub(super) fn agent(master: &Master, one: &Agent, sums: &Sums<'_>) -> Value {
    let total = one.total.to_list();
    let mut used = Resources::default();
    for framework in master.frameworks.values() {
        used.add(&framework.used(Some(one.id())));
        used.add(&one.executors_use(framework.id()));
    }
    let mut offered = Resources::default();
    let own = master.offers.values().filter(|offer| offer.agent == one.id());
    own.for_each(|offer| offered.add(&offer.resources));
    let mut shown = agent_basics(one, sums.of_agent(one.id()));
    shown.extend(object(json!({
        "reserved_resources_full": reserved(&total),
        "unreserved_resources_full": total.iter().filter(is_unreserved).collect::<Vec<_>>(),
        "used_resources_full": used.to_list(),
        "offered_resources_full": offered.to_list(),
    })));
    Value::Object(shown)
}

pub(super) fn agent_summary(one: &Agent, sums: &Sums<'_>) -> Value {
    let sum = sums.of_agent(one.id());
    let mut shown = agent_basics(one, sum);
    shown.extend(counts(&sum.states));
    shown.insert("framework_ids".to_owned(), json!(sum.peers));
    Value::Object(shown)
}

fn framework_basics(one: &Framework, sum: &Sum<'_>) -> Map<String, Value> {
    let capabilities: Vec<&str> = one
        .info
        .capabilities
        .iter()
        .map(|capability| capability.r#type().as_str_name())
        .collect();
    object(json!({
        "id": one.id(),
        "name": one.info.name,
        "used_resources": amounts_of(&sum.used),
        "offered_resources": amounts_of(&sum.offered),
        "capabilities": capabilities,
        "hostname": one.info.hostname(),
        "webui_url": one.info.webui_url(),
        "active": one.stream.is_some(),
        "connected": one.stream.is_some(),
        "recovered": one.recovered,
    }))
}

pub(super) fn framework_summary(one: &Framework, sums: &Sums<'_>) -> Value {
    let sum = sums.of_framework(one.id());
    let mut shown = framework_basics(one, sum);
    shown.extend(counts(&sum.states));
    shown.insert("slave_ids".to_owned(), json!(sum.peers));
    Value::Object(shown)
}

pub(super) fn framework(master: &Master, one: &Framework, sums: &Sums<'_>) -> Value {
    let sum = sums.of_framework(one.id());
    let own = master.offers.values().filter(|offer| offer.framework == one.id());
    let offers: Vec<Value> = own.map(offer).collect();
    let mut all = one.used(None);
    let own = master.offers.values().filter(|offer| offer.framework == one.id());
    own.for_each(|offer| all.add(&offer.resources));
    let mut shown = framework_basics(one, sum);
    shown.extend(object(json!({
        "user": one.info.user,
        "failover_timeout": one.info.failover_timeout(),
        "checkpoint": one.info.checkpoint(),
        "registered_time": one.registered.as_secs_f64(),
        "unregistered_time": one.unregistered.unwrap_or(Duration::ZERO).as_secs_f64(),
        "resources": amounts(&all.to_list()),
        "tasks": one.tasks.values().map(task).collect::<Vec<_>>(),
        "unreachable_tasks": one.unreachable_tasks.values().map(task).collect::<Vec<_>>(),
        "completed_tasks": one.completed_tasks.iter().map(task).collect::<Vec<_>>(),
        "offers": offers,
        "executors": executors(master, one),
        "offer_constraints": {},
    })));
    shown.extend(role_or_roles(&one.info));
    if !one.waits.is_empty() {
        // Not of the original: why it waits, by role.
        let waits: Map<String, Value> = one
            .waits
            .iter()
            .map(|(role, waits)| (role.clone(), waits_of(waits)))
            .collect();
        shown.insert("offers_by_role".to_owned(), Value::Object(waits));
    }
    if let Some(principal) = &one.info.principal {
        shown.insert("principal".to_owned(), json!(principal));
    }
    Value::Object(shown)
}

fn waits_of(waits: &Waits) -> Value {
    let refused = |one: &RefusedTask| {
        json!({
            "timestamp": one.at.as_secs_f64(),
            "task_id": one.task,
            "slave_id": one.agent,
            "reason": one.why,
        })
    };
    json!({
        "offered": waits.offered,
        "declined": waits.declined,
        "launched": waits.launched,
        "last_offered": waits.last_offer.map(|at| at.as_secs_f64()),
        "last_declined": waits.last_declined.as_ref().map(|(at, agent)| {
            json!({ "timestamp": at.as_secs_f64(), "slave_id": agent })
        }),
        "reason": waits.why.to_string(),
        "refused_tasks": waits.refused.iter().map(refused).collect::<Vec<_>>(),
    })
}

/// Executors of the framework's own.
fn executors(master: &Master, one: &Framework) -> Vec<Value> {
    let mut all = Vec::new();
    for agent in master.agents.values() {
        let own = agent.executors.iter().filter(|((of, _), _)| of == one.id());
        all.extend(own.map(|((_, id), info)| {
            json!({
                "executor_id": id,
                "name": info.name(),
                "framework_id": one.id(),
                "slave_id": agent.id(),
                "resources": amounts(&info.resources),
            })
        }));
    }
    all
}

/// A framework of several roles shows them; one of a single role shows that.
fn role_or_roles(info: &FrameworkInfo) -> Map<String, Value> {
    object(match info.roles.is_empty() {
        true => json!({ "role": info.role() }),
        false => json!({ "roles": info.roles }),
    })
}

fn offer(offer: &crate::core::master::Offer) -> Value {
    json!({
        "id": offer.shown.id.value,
        "framework_id": offer.framework,
        "allocation_info": { "role": offer.role },
        "slave_id": offer.agent,
        "resources": amounts(&offer.resources.to_list()),
    })
}

pub(super) fn task(task: &Task) -> Value {
    let role = task
        .resources
        .first()
        .and_then(|one| one.allocation_info.as_ref());
    let mut shown = object(json!({
        "id": task.task_id.value,
        "name": task.name,
        "framework_id": task.framework_id.value,
        "executor_id": task.executor_id.as_ref().map_or("", |id| &id.value),
        "slave_id": task.agent_id.value,
        "state": task.state().as_str_name(),
        "resources": amounts(&task.resources),
        "role": role.map_or("*", |info| info.role()),
        "statuses": task.statuses.iter().map(status).collect::<Vec<_>>(),
    }));
    if let Some(labels) = &task.labels {
        shown.insert("labels".to_owned(), json!(labels.labels));
    }
    if let Some(discovery) = &task.discovery {
        shown.insert("discovery".to_owned(), json!(discovery));
    }
    if let Some(container) = &task.container {
        shown.insert("container".to_owned(), json!(container));
    }
    Value::Object(shown)
}

pub(in crate::handlers) fn status(status: &TaskStatus) -> Value {
    let mut shown = object(json!({
        "state": status.state().as_str_name(),
        "timestamp": status.timestamp(),
    }));
    if let Some(container) = &status.container_status {
        let mut container = container.clone();
        container.executor_pid = None;
        shown.insert("container_status".to_owned(), json!(container));
    }
    if let Some(healthy) = status.healthy {
        shown.insert("healthy".to_owned(), json!(healthy));
    }
    Value::Object(shown)
}

pub(super) fn roles(master: &Master) -> Vec<Value> {
    let mut by_role: BTreeMap<String, Vec<&Framework>> = BTreeMap::new();
    let named = master.weights.keys().chain(master.quotas.keys());
    for role in named {
        by_role.entry(role.clone()).or_default();
    }
    for framework in master.frameworks.values() {
        let used = framework
            .allocated
            .iter()
            .filter(|(_, has)| has.iter().any(|(_, sum)| sum > 0));
        let used = used.map(|(role, _)| role.clone());
        let roles: std::collections::BTreeSet<String> = framework.roles().into_iter().chain(used).collect();
        for role in roles {
            by_role.entry(role).or_default().push(framework);
        }
    }
    let consumed = master.consumed();
    by_role
        .into_iter()
        .map(|(role, frameworks)| {
            let mut all = Scalars::default();
            for framework in master.frameworks.values() {
                framework
                    .allocated
                    .get(&role)
                    .into_iter()
                    .for_each(|has| all.add_all(has));
            }
            let mut offered = Scalars::default();
            let own = master.offers.values().filter(|offer| offer.role == role);
            own.for_each(|offer| offered.add_all(&offer.resources.scalars()));
            let mut used = all.clone();
            used.subtract_all(&offered);
            let quota = master
                .quotas
                .get(&role)
                .map(|quota| quota.config(&role))
                .unwrap_or_default();
            let plain = |all: &BTreeMap<String, value::Scalar>| {
                let pairs = all.iter().map(|(name, one)| (name.clone(), json!(one.value)));
                Value::Object(pairs.collect())
            };
            let used_up = match quota.guarantees.is_empty() && quota.limits.is_empty() {
                true => sums(&used),
                false => consumed.get(&role).map_or(json!({}), sums),
            };
            json!({
                "name": role,
                "weight": master.weights.get(&role).copied().unwrap_or(1.0),
                "quota": {
                    "role": role,
                    "guarantee": plain(&quota.guarantees),
                    "limit": plain(&quota.limits),
                    "consumed": used_up,
                },
                "resources": sums(&all),
                "allocated": sums(&used),
                "offered": sums(&offered),
                "reserved": sums(&reserved_for(master, &role)),
                "frameworks": frameworks.iter().map(|one| one.id()).collect::<Vec<_>>(),
            })
        })
        .collect()
}

fn reserved_for(master: &Master, role: &str) -> Scalars {
    let mut sum = Scalars::default();
    for agent in master.agents.values() {
        let own = |kind: &Resource| crate::core::resources::reserved_role(kind) == Some(role);
        sum.add_all(&agent.total.filter(own).scalars());
    }
    sum
}

fn sums(scalars: &Scalars) -> Value {
    let some = scalars.iter().filter(|(_, sum)| *sum != 0);
    Value::Object(
        some.map(|(name, sum)| (name.to_owned(), json!(decimal(sum))))
            .collect(),
    )
}

fn counts(by_state: &BTreeMap<TaskState, u64>) -> Map<String, Value> {
    let count = |state: TaskState| by_state.get(&state).copied().unwrap_or(0);
    STATES
        .iter()
        .map(|state| (state.as_str_name().to_owned(), json!(count(*state))))
        .collect()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
