use super::{Agent, Effect, Framework, Master, Offer, time_info};
use crate::core::resources::Resources;
use mesos_proto::v1::{
    AgentId, FrameworkId, FrameworkInfo, Task, TaskState, TaskStatus,
    agent_info::{Capability, capability::Type as Can},
    master::{
        Event,
        event::{self, Type},
        response::{get_agents, get_frameworks},
    },
    scheduler::OfferConstraints,
};

/// What every agent of this version says it can do; what of it works here, docs/compat tells.
pub(crate) const CAPABILITIES: [Can; 8] = [
    Can::MultiRole,
    Can::HierarchicalRole,
    Can::ReservationRefinement,
    Can::ResourceProvider,
    Can::ResizeVolume,
    Can::AgentOperationFeedback,
    Can::AgentDraining,
    Can::TaskResourceLimits,
];

/// The version whose behaviour is followed.
pub(crate) const VERSION: &str = "1.11.0";

impl Master {
    /// Tells operators that watch; where none does, nothing is made.
    pub(super) fn tell(&mut self, event: impl FnOnce(&Master) -> Event) {
        if self.watched {
            let event = Box::new(event(self));
            self.effects.push(Effect::Told(event));
        }
    }

    pub(super) fn tell_framework(&mut self, id: &str, event: fn(get_frameworks::Framework) -> Event) {
        if !self.watched {
            return;
        }
        if let Some(framework) = self.frameworks.get(id) {
            let mut shown = framework_shown(framework, self.offers.values());
            // As recorded from the original.
            shown.unregistered_time = Some(time_info(framework.unregistered.unwrap_or_default()));
            shown.offer_constraints = None;
            self.effects.push(Effect::Told(Box::new(event(shown))));
        }
    }

    pub(super) fn tell_update(&mut self, framework: &str, status: &TaskStatus, state: TaskState) {
        self.tell(|_| Event {
            task_updated: Some(event::TaskUpdated {
                framework_id: FrameworkId {
                    value: framework.to_owned(),
                },
                status: TaskStatus {
                    data: None,
                    ..status.clone()
                },
                state: state as i32,
            }),
            ..of(Type::TaskUpdated)
        });
    }
}

fn of(kind: Type) -> Event {
    Event {
        r#type: Some(kind as i32),
        ..Event::default()
    }
}

pub(super) fn task_added(task: &Task) -> Event {
    Event {
        task_added: Some(event::TaskAdded { task: task.clone() }),
        ..of(Type::TaskAdded)
    }
}

pub(super) fn agent_added(agent: &Agent) -> Event {
    Event {
        agent_added: Some(event::AgentAdded {
            agent: agent_shown(agent, &Resources::default(), &Resources::default()),
        }),
        ..of(Type::AgentAdded)
    }
}

pub(super) fn agent_removed(id: &str) -> Event {
    Event {
        agent_removed: Some(event::AgentRemoved {
            agent_id: AgentId { value: id.to_owned() },
        }),
        ..of(Type::AgentRemoved)
    }
}

pub(super) fn framework_added(framework: get_frameworks::Framework) -> Event {
    Event {
        framework_added: Some(event::FrameworkAdded { framework }),
        ..of(Type::FrameworkAdded)
    }
}

pub(super) fn framework_updated(framework: get_frameworks::Framework) -> Event {
    Event {
        framework_updated: Some(event::FrameworkUpdated { framework }),
        ..of(Type::FrameworkUpdated)
    }
}

pub(super) fn framework_removed(info: &FrameworkInfo) -> Event {
    Event {
        framework_removed: Some(event::FrameworkRemoved {
            framework_info: info.clone(),
        }),
        ..of(Type::FrameworkRemoved)
    }
}

/// A framework as operators see it.
pub(crate) fn framework_shown<'a>(
    one: &Framework,
    offers: impl Iterator<Item = &'a Offer>,
) -> get_frameworks::Framework {
    let mut offered = Resources::default();
    let mut shown = Vec::new();
    for offer in offers.filter(|offer| offer.framework == one.id()) {
        offered.add(&offer.resources);
        shown.push(offer.shown.clone());
    }
    get_frameworks::Framework {
        framework_info: one.info.clone(),
        active: one.stream.is_some(),
        connected: one.stream.is_some(),
        recovered: one.recovered,
        registered_time: Some(time_info(one.registered)),
        reregistered_time: Some(time_info(one.reregistered)),
        unregistered_time: one.unregistered.map(time_info),
        offers: shown,
        allocated_resources: one.used(None).to_list(),
        offered_resources: offered.to_list(),
        offer_constraints: Some(OfferConstraints::default()),
        ..get_frameworks::Framework::default()
    }
}

/// An agent as operators see it, with what of it is used and offered.
pub(crate) fn agent_shown(one: &Agent, used: &Resources, offered: &Resources) -> get_agents::Agent {
    let capability = |can: Can| Capability {
        r#type: Some(can as i32),
    };
    get_agents::Agent {
        agent_info: one.info.clone(),
        active: one.link.is_some(),
        deactivated: Some(one.deactivated),
        version: VERSION.to_owned(),
        pid: Some(format!("slave(1)@{}:{}", one.info.hostname, one.info.port())),
        registered_time: Some(time_info(one.registered)),
        reregistered_time: one.reregistered.map(time_info),
        total_resources: one.total.to_list(),
        allocated_resources: used.to_list(),
        offered_resources: offered.to_list(),
        capabilities: CAPABILITIES.into_iter().map(capability).collect(),
        drain_info: one.drain.as_ref().map(super::drain::Drain::info),
        estimated_drain_start_time: one.drain.as_ref().map(|drain| time_info(drain.started)),
        ..get_agents::Agent::default()
    }
}
