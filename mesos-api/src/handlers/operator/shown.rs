use crate::core::{
    link::is_terminal,
    master::{Master, agent_shown, framework_shown, state_of},
    resources::{Resources, Scalars},
};
use mesos_proto::v1::{
    FrameworkId, Resource, Role, Task, TaskState,
    maintenance::{ClusterStatus, cluster_status::DrainingMachine},
    master::response::{GetAgents, GetExecutors, GetFrameworks, GetRoles, GetState, GetTasks, get_executors},
    resource::AllocationInfo,
    value,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What somebody has of the cluster.
#[derive(Default)]
pub(in crate::handlers) struct Sum<'a> {
    /// Of what runs.
    pub(in crate::handlers) used: Bag,
    pub(in crate::handlers) offered: Bag,
    /// Tasks by state, those that ended included.
    pub(in crate::handlers) states: BTreeMap<TaskState, u64>,
    /// The frameworks of an agent's tasks, the agents of a framework's.
    pub(in crate::handlers) peers: BTreeSet<&'a str>,
}

/// Amounts: scalars, which there are many of, are added up by name alone.
#[derive(Default)]
pub(in crate::handlers) struct Bag {
    pub(in crate::handlers) scalars: Scalars,
    pub(in crate::handlers) others: Resources,
}

impl Bag {
    fn add(&mut self, resources: &[Resource]) {
        for one in resources {
            match one.r#type == value::Type::Scalar as i32 {
                true => self.scalars.add(&one.name, thousandths(one)),
                false => self
                    .others
                    .add(&Resources::of(std::slice::from_ref(one)).unwrap_or_default()),
            }
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "what is known was checked")]
fn thousandths(resource: &Resource) -> i64 {
    (resource.scalar.map_or(0.0, |scalar| scalar.value) * 1000.0).round() as i64
}

/// What every agent and framework has, counted in one pass.
pub(in crate::handlers) struct Sums<'a> {
    agents: HashMap<&'a str, Sum<'a>>,
    frameworks: HashMap<&'a str, Sum<'a>>,
    none: Sum<'a>,
}

impl<'a> Sums<'a> {
    pub(in crate::handlers) fn new(master: &'a Master) -> Self {
        let mut sums = Sums {
            agents: HashMap::with_capacity(master.agents.len()),
            frameworks: HashMap::new(),
            none: Sum::default(),
        };
        for (id, framework) in &master.frameworks {
            let mut own = Sum::default();
            for task in framework.tasks.values() {
                let agent = sums.agents.entry(&task.agent_id.value).or_default();
                count(agent, task, id);
                count(&mut own, task, &task.agent_id.value);
            }
            let ended = framework
                .completed_tasks
                .iter()
                .chain(framework.unreachable_tasks.values());
            for task in ended {
                *own.states.entry(state_of(task.state)).or_default() += 1;
                let agent = sums.agents.entry(&task.agent_id.value).or_default();
                *agent.states.entry(state_of(task.state)).or_default() += 1;
            }
            sums.frameworks.insert(id, own);
        }
        for offer in master.offers.values() {
            let agent = sums.agents.entry(&offer.agent).or_default();
            agent.offered.add(&offer.shown.resources);
            let framework = sums.frameworks.entry(&offer.framework).or_default();
            framework.offered.add(&offer.shown.resources);
        }
        for agent in master.agents.values() {
            for ((framework, _), info) in &agent.executors {
                sums.agents
                    .entry(agent.id())
                    .or_default()
                    .used
                    .add(&info.resources);
                sums.frameworks
                    .entry(framework)
                    .or_default()
                    .used
                    .add(&info.resources);
            }
        }
        sums
    }

    pub(in crate::handlers) fn of_agent(&self, id: &str) -> &Sum<'a> {
        self.agents.get(id).unwrap_or(&self.none)
    }

    pub(in crate::handlers) fn of_framework(&self, id: &str) -> &Sum<'a> {
        self.frameworks.get(id).unwrap_or(&self.none)
    }
}

fn count<'a>(sum: &mut Sum<'a>, task: &'a Task, peer: &'a str) {
    let state = state_of(task.state);
    *sum.states.entry(state).or_default() += 1;
    sum.peers.insert(peer);
    if !is_terminal(state) {
        sum.used.add(&task.resources);
    }
}

pub(super) fn state(master: &Master) -> GetState {
    GetState {
        get_tasks: Some(tasks(master)),
        get_executors: Some(executors(master)),
        get_frameworks: Some(frameworks(master)),
        get_agents: Some(agents(master)),
    }
}

pub(super) fn executors(master: &Master) -> GetExecutors {
    let all = master.agents.values().flat_map(|agent| {
        agent.executors.values().map(|info| get_executors::Executor {
            executor_info: info.clone(),
            agent_id: agent.info.id.clone().unwrap_or_default(),
        })
    });
    GetExecutors {
        executors: all.collect(),
        ..GetExecutors::default()
    }
}

pub(super) fn tasks(master: &Master) -> GetTasks {
    let running = master.frameworks.values();
    let completed = running.clone().chain(&master.completed);
    GetTasks {
        tasks: running
            .clone()
            .flat_map(|one| one.tasks.values().cloned())
            .collect(),
        unreachable_tasks: running
            .flat_map(|one| one.unreachable_tasks.values().cloned())
            .collect(),
        completed_tasks: completed
            .flat_map(|one| one.completed_tasks.iter().cloned())
            .collect(),
        ..GetTasks::default()
    }
}

pub(super) fn frameworks(master: &Master) -> GetFrameworks {
    let shown = |one| framework_shown(one, master.offers.values());
    GetFrameworks {
        frameworks: master.frameworks.values().map(shown).collect(),
        completed_frameworks: master.completed.iter().map(shown).collect(),
        ..GetFrameworks::default()
    }
}

pub(super) fn agents(master: &Master) -> GetAgents {
    let mut used: HashMap<&str, Resources> = HashMap::new();
    for task in master.frameworks.values().flat_map(|one| one.tasks.values()) {
        if !is_terminal(state_of(task.state)) {
            let uses = Resources::of(&task.resources).unwrap_or_default();
            used.entry(&task.agent_id.value).or_default().add(&uses);
        }
    }
    let mut offered: HashMap<&str, Resources> = HashMap::new();
    for offer in master.offers.values() {
        offered.entry(&offer.agent).or_default().add(&offer.resources);
    }
    let none = Resources::default();
    let agents = master.agents.values().map(|one| {
        let mut uses = used.get(one.id()).unwrap_or(&none).clone();
        for info in one.executors.values() {
            uses.add(&Resources::of(&info.resources).unwrap_or_default());
        }
        agent_shown(one, &uses, offered.get(one.id()).unwrap_or(&none))
    });
    GetAgents {
        agents: agents.collect(),
        recovered_agents: master.recovered.values().cloned().collect(),
    }
}

pub(super) fn roles(master: &Master) -> GetRoles {
    let mut by_role: BTreeMap<&str, (Vec<FrameworkId>, Resources)> = BTreeMap::new();
    let named = master.weights.keys().chain(master.quotas.keys());
    for role in named {
        by_role.entry(role).or_default();
    }
    let roles: Vec<(Vec<String>, &FrameworkId)> = master
        .frameworks
        .values()
        .filter_map(|one| Some((one.roles(), one.info.id.as_ref()?)))
        .collect();
    for (all, id) in &roles {
        for role in all {
            by_role.entry(role).or_default().0.push((*id).clone());
        }
    }
    for task in master.frameworks.values().flat_map(|one| one.tasks.values()) {
        let role = task
            .resources
            .first()
            .and_then(|one| one.allocation_info.as_ref());
        let (_, used) = by_role.entry(role.map_or("*", AllocationInfo::role)).or_default();
        used.add(&Resources::of(&task.resources).unwrap_or_default());
    }
    let shown = by_role.into_iter().map(|(name, (frameworks, used))| Role {
        name: name.to_owned(),
        weight: master.weights.get(name).copied().unwrap_or(1.0),
        frameworks,
        resources: used.to_list(),
    });
    GetRoles {
        roles: shown.collect(),
    }
}

/// Which machines are to be down, and which are.
pub(in crate::handlers) fn maintenance_status(master: &Master) -> ClusterStatus {
    let scheduled = master
        .schedule
        .windows
        .iter()
        .flat_map(|window| &window.machine_ids);
    let draining = scheduled.filter(|machine| !master.down.contains(machine));
    ClusterStatus {
        draining_machines: draining
            .map(|machine| DrainingMachine {
                id: machine.clone(),
                statuses: master
                    .inverse_statuses
                    .iter()
                    .filter(|((agent, _), _)| master.agents.get(agent).is_some_and(|one| one.is_on(machine)))
                    .map(|(_, status)| status.clone())
                    .collect(),
            })
            .collect(),
        down_machines: master.down.clone(),
    }
}
