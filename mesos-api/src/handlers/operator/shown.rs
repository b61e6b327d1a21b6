use crate::{
    core::master::{Agent, Framework, Master, time_info},
    core::resources::Resources,
    server::VERSION,
};
use mesos_proto::v1::{
    FrameworkId, Role,
    agent_info::{Capability, capability::Type as Can},
    master::response::{GetAgents, GetFrameworks, GetRoles, GetTasks, get_agents, get_frameworks},
    scheduler::OfferConstraints,
};
use std::collections::BTreeMap;

/// What every agent of this version says it can do; what of it works here, docs/compat tells.
pub(in crate::handlers) const CAPABILITIES: [Can; 8] = [
    Can::MultiRole,
    Can::HierarchicalRole,
    Can::ReservationRefinement,
    Can::ResourceProvider,
    Can::ResizeVolume,
    Can::AgentOperationFeedback,
    Can::AgentDraining,
    Can::TaskResourceLimits,
];

pub(super) fn tasks(master: &Master) -> GetTasks {
    let running = master.frameworks.values();
    let completed = running.clone().chain(&master.completed);
    GetTasks {
        tasks: running.flat_map(|one| one.tasks.values().cloned()).collect(),
        completed_tasks: completed
            .flat_map(|one| one.completed_tasks.iter().cloned())
            .collect(),
        ..GetTasks::default()
    }
}

pub(super) fn frameworks(master: &Master) -> GetFrameworks {
    GetFrameworks {
        frameworks: master
            .frameworks
            .values()
            .map(|one| framework(master, one))
            .collect(),
        completed_frameworks: master
            .completed
            .iter()
            .map(|one| framework(master, one))
            .collect(),
        ..GetFrameworks::default()
    }
}

fn framework(master: &Master, one: &Framework) -> get_frameworks::Framework {
    let own = master.offers.values().filter(|offer| offer.framework == one.id());
    let mut offered = Resources::default();
    own.clone().for_each(|offer| offered.add(&offer.resources));
    get_frameworks::Framework {
        framework_info: one.info.clone(),
        active: one.stream.is_some(),
        connected: one.stream.is_some(),
        recovered: false,
        registered_time: Some(time_info(one.registered)),
        reregistered_time: Some(time_info(one.reregistered)),
        unregistered_time: one.unregistered.map(time_info),
        offers: own.map(|offer| offer.shown.clone()).collect(),
        allocated_resources: one.used(None).to_list(),
        offered_resources: offered.to_list(),
        offer_constraints: Some(OfferConstraints::default()),
        ..get_frameworks::Framework::default()
    }
}

pub(super) fn agents(master: &Master) -> GetAgents {
    GetAgents {
        agents: master.agents.values().map(|one| agent(master, one)).collect(),
        ..GetAgents::default()
    }
}

fn agent(master: &Master, one: &Agent) -> get_agents::Agent {
    let mut used = Resources::default();
    master
        .frameworks
        .values()
        .for_each(|framework| used.add(&framework.used(Some(one.id()))));
    let mut offered = Resources::default();
    let own = master.offers.values().filter(|offer| offer.agent == one.id());
    own.for_each(|offer| offered.add(&offer.resources));
    let capability = |can: Can| Capability {
        r#type: Some(can as i32),
    };
    get_agents::Agent {
        agent_info: one.info.clone(),
        active: true,
        deactivated: Some(false),
        version: VERSION.to_owned(),
        pid: Some(format!("slave(1)@{}:{}", one.info.hostname, one.info.port())),
        registered_time: Some(time_info(one.registered)),
        total_resources: one.total.to_list(),
        allocated_resources: used.to_list(),
        offered_resources: offered.to_list(),
        capabilities: CAPABILITIES.into_iter().map(capability).collect(),
        ..get_agents::Agent::default()
    }
}

pub(super) fn roles(master: &Master) -> GetRoles {
    let mut by_role: BTreeMap<String, (Vec<FrameworkId>, Resources)> = BTreeMap::new();
    for framework in master.frameworks.values() {
        for role in framework.roles() {
            let (ids, _) = by_role.entry(role).or_default();
            ids.extend(framework.info.id.clone());
        }
        for task in framework.tasks.values() {
            let role = task
                .resources
                .first()
                .and_then(|one| one.allocation_info.as_ref());
            let role = role.map_or("*", |info| info.role()).to_owned();
            let (_, used) = by_role.entry(role).or_default();
            used.add(&Resources::of(&task.resources).unwrap_or_default());
        }
    }
    let shown = by_role.into_iter().map(|(name, (frameworks, used))| Role {
        name,
        weight: 1.0,
        frameworks,
        resources: used.to_list(),
    });
    GetRoles {
        roles: shown.collect(),
    }
}
