use crate::{
    core::{
        master::{Agent, Framework, Master},
        resources::Resources,
    },
    handlers::operator::CAPABILITIES,
    server::VERSION,
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
fn amounts(resources: &[Resource]) -> Value {
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

fn used_on(master: &Master, agent: &str) -> Resources {
    let mut used = Resources::default();
    master
        .frameworks
        .values()
        .for_each(|one| used.add(&one.used(Some(agent))));
    used
}

fn offered(master: &Master, wanted: impl Fn(&crate::core::master::Offer) -> bool) -> Resources {
    let mut sum = Resources::default();
    let own = master.offers.values().filter(|offer| wanted(offer));
    own.for_each(|offer| sum.add(&offer.resources));
    sum
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

fn agent_basics(master: &Master, one: &Agent) -> Map<String, Value> {
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
        "used_resources": amounts(&used_on(master, one.id()).to_list()),
        "offered_resources": amounts(&offered(master, |offer| offer.agent == one.id()).to_list()),
        "reserved_resources": reserved,
        "unreserved_resources": amounts(&open),
        "active": true,
        "deactivated": false,
        "version": VERSION,
        "capabilities": CAPABILITIES.map(|can| can.as_str_name()),
    });
    object(value)
}

pub(super) fn agent(master: &Master, one: &Agent) -> Value {
    let total = one.total.to_list();
    let mut shown = agent_basics(master, one);
    shown.extend(object(json!({
        "reserved_resources_full": reserved(&total),
        "unreserved_resources_full": total.iter().filter(is_unreserved).collect::<Vec<_>>(),
        "used_resources_full": used_on(master, one.id()).to_list(),
        "offered_resources_full": offered(master, |offer| offer.agent == one.id()).to_list(),
    })));
    Value::Object(shown)
}

pub(super) fn agent_summary(master: &Master, one: &Agent) -> Value {
    let here = |task: &&Task| task.agent_id.value == one.id();
    let all = master.frameworks.values();
    let tasks = all
        .clone()
        .flat_map(|one| one.tasks.values().chain(&one.completed_tasks));
    let mut shown = agent_basics(master, one);
    shown.extend(counts(tasks.filter(here)));
    let with_tasks = all.filter(|framework| framework.tasks.values().any(|task| here(&task)));
    let ids: Vec<&str> = with_tasks.map(Framework::id).collect();
    shown.insert("framework_ids".to_owned(), json!(ids));
    Value::Object(shown)
}

fn framework_basics(master: &Master, one: &Framework) -> Map<String, Value> {
    let capabilities: Vec<&str> = one
        .info
        .capabilities
        .iter()
        .map(|capability| capability.r#type().as_str_name())
        .collect();
    object(json!({
        "id": one.id(),
        "name": one.info.name,
        "used_resources": amounts(&one.used(None).to_list()),
        "offered_resources": amounts(&offered(master, |offer| offer.framework == one.id()).to_list()),
        "capabilities": capabilities,
        "hostname": one.info.hostname(),
        "webui_url": one.info.webui_url(),
        "active": one.stream.is_some(),
        "connected": one.stream.is_some(),
        "recovered": false,
    }))
}

pub(super) fn framework_summary(master: &Master, one: &Framework) -> Value {
    let mut shown = framework_basics(master, one);
    shown.extend(counts(one.tasks.values().chain(&one.completed_tasks)));
    let agents = one.tasks.values().map(|task| task.agent_id.value.as_str());
    let agents: std::collections::BTreeSet<&str> = agents.collect();
    shown.insert("slave_ids".to_owned(), json!(agents));
    Value::Object(shown)
}

pub(super) fn framework(master: &Master, one: &Framework) -> Value {
    let mut all = one.used(None);
    all.add(&offered(master, |offer| offer.framework == one.id()));
    let own = master.offers.values().filter(|offer| offer.framework == one.id());
    let offers: Vec<Value> = own.map(offer).collect();
    let mut shown = framework_basics(master, one);
    shown.extend(object(json!({
        "user": one.info.user,
        "failover_timeout": one.info.failover_timeout(),
        "checkpoint": one.info.checkpoint(),
        "registered_time": one.registered.as_secs_f64(),
        "unregistered_time": one.unregistered.unwrap_or(Duration::ZERO).as_secs_f64(),
        "resources": amounts(&all.to_list()),
        "tasks": one.tasks.values().map(task).collect::<Vec<_>>(),
        "unreachable_tasks": [],
        "completed_tasks": one.completed_tasks.iter().map(task).collect::<Vec<_>>(),
        "offers": offers,
        "executors": [],
        "offer_constraints": {},
    })));
    shown.extend(role_or_roles(&one.info));
    if let Some(principal) = &one.info.principal {
        shown.insert("principal".to_owned(), json!(principal));
    }
    Value::Object(shown)
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

fn status(status: &TaskStatus) -> Value {
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
    for framework in master.frameworks.values() {
        for role in framework.roles() {
            by_role.entry(role).or_default().push(framework);
        }
    }
    let shown = by_role.into_iter().map(|(role, frameworks)| {
        let mut used = Vec::new();
        for framework in &frameworks {
            used.extend(framework.used(None).to_list().into_iter().filter(|one| {
                one.allocation_info
                    .as_ref()
                    .is_some_and(|info| info.role() == role)
            }));
        }
        let offered = offered(master, |offer| offer.role == role).to_list();
        let sums = |list: &[Resource]| match list {
            [] => json!({}),
            list => scalars(list),
        };
        let all: Vec<Resource> = used.iter().chain(&offered).cloned().collect();
        json!({
            "name": role,
            "weight": 1.0,
            "quota": { "role": role, "guarantee": {}, "limit": {}, "consumed": sums(&used) },
            "resources": sums(&all),
            "allocated": sums(&used),
            "offered": sums(&offered),
            "reserved": {},
            "frameworks": frameworks.iter().map(|one| one.id()).collect::<Vec<_>>(),
        })
    });
    shown.collect()
}

fn scalars(resources: &[Resource]) -> Value {
    let scalar = |one: &&Resource| one.r#type == value::Type::Scalar as i32;
    let mut sums: BTreeMap<&str, f64> = BTreeMap::new();
    for resource in resources.iter().filter(scalar) {
        *sums.entry(&resource.name).or_default() += resource.scalar.map_or(0.0, |scalar| scalar.value);
    }
    json!(sums)
}

fn counts<'a>(tasks: impl Iterator<Item = &'a Task>) -> Map<String, Value> {
    let mut by_state: BTreeMap<TaskState, u64> = BTreeMap::new();
    tasks.for_each(|task| *by_state.entry(task.state()).or_default() += 1);
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
