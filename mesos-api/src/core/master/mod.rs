//! The master: who is subscribed, which agents there are, what is offered to whom, and which tasks run.
//!
//! Rooms: `frameworks` (subscribe, fail over, tear down), `offers` (accept, decline), `launch` (checks of tasks),
//! `tasks` (updates, kill, acknowledge, reconcile), `allocation` (who is offered what), `model` (what all of them hold).
//! Never: HTTP, encodings, sockets, storage. Time comes with each input.

mod allocation;
mod frameworks;
mod launch;
mod model;
mod offers;
mod tasks;
#[cfg(test)]
mod tests;

pub(crate) use model::{Agent, Framework, Offer};

use super::{
    Now,
    link::{ToAgent, ToMaster},
};
use indexmap::IndexMap;
use mesos_proto::v1::{
    AgentInfo, MasterInfo, TimeInfo,
    scheduler::{self, Event, call, event},
};
use std::{collections::VecDeque, time::Duration};

/// Which event stream of a framework: the header `Mesos-Stream-Id`.
pub(crate) type StreamId = String;

/// How a master behaves; names follow its flags.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    pub(crate) heartbeat_interval: Duration,
    pub(crate) max_completed_frameworks: usize,
    pub(crate) max_completed_tasks_per_framework: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            heartbeat_interval: Duration::from_secs(15),
            max_completed_frameworks: 50,
            max_completed_tasks_per_framework: 1000,
        }
    }
}

/// What happens to a master.
#[derive(Debug)]
pub(crate) enum Input {
    /// A scheduler asks for an event stream, which will have this id.
    Subscribe {
        stream: StreamId,
        call: Box<scheduler::Call>,
    },
    /// A scheduler calls, naming its stream.
    Call {
        stream: Option<StreamId>,
        call: Box<scheduler::Call>,
    },
    /// An event stream ended.
    Closed { stream: StreamId },
    /// An agent says something; one that registers has no id yet.
    Agent {
        agent: Option<String>,
        message: ToMaster,
    },
    /// Time went by.
    Tick,
}

/// What a master wants done, in order.
#[derive(Debug)]
pub(crate) enum Effect {
    /// Send an event.
    Event { stream: StreamId, event: Box<Event> },
    /// End an event stream.
    Close { stream: StreamId },
    /// Tell an agent.
    Agent { agent: String, message: ToAgent },
}

/// Why a call is refused. Texts are the original's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("Framework cannot be found")]
    UnknownFramework,
    #[error("Framework is not subscribed")]
    NotSubscribed,
    #[error("All non-subscribe calls should include the 'Mesos-Stream-Id' header")]
    NoStream,
    #[error(
        "The stream ID '{stream}' included in this request didn't match the stream ID currently associated with framework ID '{framework}'"
    )]
    OtherStream { stream: String, framework: String },
    #[error("{0}")]
    Invalid(String),
    #[error("{0} is not supported here")]
    NotSupported(&'static str),
}

/// A master.
#[derive(Debug)]
pub(crate) struct Master {
    pub(crate) info: MasterInfo,
    policy: Policy,
    pub(crate) frameworks: IndexMap<String, Framework>,
    pub(crate) completed: VecDeque<Framework>,
    pub(crate) agents: IndexMap<String, Agent>,
    pub(crate) offers: IndexMap<String, Offer>,
    next_framework: u64,
    next_agent: u64,
    next_offer: u64,
    effects: Vec<Effect>,
}

impl Master {
    /// A master that nobody knows yet.
    pub(crate) fn new(info: MasterInfo, policy: Policy) -> Self {
        Master {
            info,
            policy,
            frameworks: IndexMap::new(),
            completed: VecDeque::new(),
            agents: IndexMap::new(),
            offers: IndexMap::new(),
            next_framework: 0,
            next_agent: 0,
            next_offer: 0,
            effects: Vec::new(),
        }
    }

    /// Takes one input, and answers what is to be done. A refused call changes nothing.
    pub(crate) fn step(&mut self, now: Now, input: Input) -> Result<Vec<Effect>, Refused> {
        match input {
            Input::Subscribe { stream, call } => self.subscribe(now, stream, *call)?,
            Input::Call { stream, call } => self.call(now, stream, *call)?,
            Input::Closed { stream } => self.closed(now, &stream),
            Input::Agent { agent, message } => self.agent_says(now, agent.as_deref(), message),
            Input::Tick => {
                self.expire(now);
                self.allocate(now);
            }
        }
        Ok(std::mem::take(&mut self.effects))
    }

    fn agent_says(&mut self, now: Now, agent: Option<&str>, message: ToMaster) {
        match (message, agent) {
            (ToMaster::Register(info), _) => self.register_agent(now, *info),
            (
                ToMaster::Update {
                    framework,
                    status,
                    latest,
                },
                Some(agent),
            ) => self.task_updated(agent, &framework, *status, latest),
            (ToMaster::Update { .. }, None) => {}
        }
    }

    fn register_agent(&mut self, now: Now, mut info: AgentInfo) {
        let id = format!("{}-S{}", self.info.id, self.next_agent);
        self.next_agent += 1;
        info.id = Some(mesos_proto::v1::AgentId { value: id.clone() });
        let Ok(agent) = Agent::new(info, now) else {
            tracing::warn!(
                agent = id,
                "an agent whose resources make no sense is not registered"
            );
            return;
        };
        self.agents.insert(id.clone(), agent);
        self.tell_agent(&id, ToAgent::Registered { agent: id.clone() });
        self.allocate(now);
    }

    fn call(&mut self, now: Now, stream: Option<StreamId>, call: scheduler::Call) -> Result<(), Refused> {
        let id = call.framework_id.map(|id| id.value).unwrap_or_default();
        let framework = self.frameworks.get(&id).ok_or(Refused::UnknownFramework)?;
        let current = framework.stream.as_ref().ok_or(Refused::NotSubscribed)?;
        let named = stream.ok_or(Refused::NoStream)?;
        if *current != named {
            return Err(Refused::OtherStream {
                stream: named,
                framework: id,
            });
        }
        use call::Type;
        let kind = call.r#type.and_then(|kind| Type::try_from(kind).ok());
        match kind.unwrap_or(Type::Unknown) {
            Type::Teardown => self.teardown(now, &id),
            Type::Accept => self.accept(now, &id, call.accept.unwrap_or_default()),
            Type::Decline => self.decline(now, &id, &call.decline.unwrap_or_default()),
            Type::Revive => self.revive(now, &id, &call.revive.unwrap_or_default().roles),
            Type::Suppress => self.suppress(&id, &call.suppress.unwrap_or_default().roles),
            Type::Kill => self.kill(&id, call.kill.unwrap_or_default(), now),
            Type::Acknowledge => self.acknowledge(&id, call.acknowledge.unwrap_or_default()),
            Type::Reconcile => self.reconcile(now, &id, &call.reconcile.unwrap_or_default().tasks),
            // The allocator does not look at what frameworks request; neither does the original's.
            Type::Request => {}
            Type::Subscribe | Type::Unknown => {}
            Type::AcceptInverseOffers | Type::DeclineInverseOffers => {
                return Err(Refused::NotSupported("Maintenance"));
            }
            Type::Shutdown | Type::Message => return Err(Refused::NotSupported("An executor of one's own")),
            Type::AcknowledgeOperationStatus | Type::ReconcileOperations => {
                return Err(Refused::NotSupported("Operation feedback"));
            }
            Type::UpdateFramework => return Err(Refused::NotSupported("UPDATE_FRAMEWORK")),
        }
        Ok(())
    }

    /// Sends an event to a framework that listens.
    fn send(&mut self, framework: &str, event: Event) {
        let Some(stream) = self.frameworks.get(framework).and_then(|one| one.stream.clone()) else {
            return;
        };
        self.effects.push(Effect::Event {
            stream,
            event: Box::new(event),
        });
    }

    fn tell_agent(&mut self, agent: &str, message: ToAgent) {
        self.effects.push(Effect::Agent {
            agent: agent.to_owned(),
            message,
        });
    }
}

/// An event of a kind, without anything in it.
pub(crate) fn event_of(kind: event::Type) -> Event {
    Event {
        r#type: Some(kind as i32),
        ..Event::default()
    }
}

/// A time as the API tells it.
pub(crate) fn time_info(wall: Duration) -> TimeInfo {
    TimeInfo {
        nanoseconds: i64::try_from(wall.as_nanos()).unwrap_or(i64::MAX),
    }
}
