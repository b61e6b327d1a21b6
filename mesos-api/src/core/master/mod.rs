//! The master: who is subscribed, which agents there are, what is offered to whom, and which tasks run.
//!
//! Rooms: `frameworks` (subscribe, fail over, tear down), `agents` (register, lose, remove), `offers` (accept, decline),
//! `launch` (checks of tasks), `operations` (reserve, create and their like), `tasks` (updates, kill, acknowledge,
//! reconcile), `executors` (messages, shutdown), `allocation`, `sorter`, `filters` (who is offered what), `waits` (why nothing was launched),
//! `operators` (weights, quotas), `maintenance`, `drain`, `registry` (what outlives the master), `counts`, `told` (what
//! operators watch), `model` (what all of them hold).
//! Never: HTTP, encodings, sockets, storage. Time comes with each input.

mod agents;
mod allocation;
mod counts;
mod drain;
mod executors;
mod filters;
mod frameworks;
mod launch;
mod maintenance;
mod model;
mod offers;
mod operations;
mod operators;
mod registry;
mod roles;
mod sorter;
mod tasks;
#[cfg(test)]
mod tests;
mod told;
mod waits;

pub(crate) use model::{Agent, Framework, Offer, state_of};
pub(crate) use operators::{Command, Quota};
pub(crate) use registry::{Change, Kept, Registered};
pub(crate) use told::{CAPABILITIES, VERSION, agent_shown, framework_shown};
pub(crate) use waits::{RefusedTask, Waits};

use super::{
    Now,
    link::{ToAgent, ToMaster},
};
use indexmap::IndexMap;
use mesos_proto::v1::{
    AgentInfo, MasterInfo, Operation, TimeInfo,
    maintenance::Schedule,
    master,
    scheduler::{self, Event, call, event},
};
use model::InverseOffer;
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    time::Duration,
};

/// Which event stream of a framework: the header `Mesos-Stream-Id`.
pub(crate) type StreamId = String;

/// Which way to an agent: a new one whenever it connects.
pub(crate) type Link = u64;

/// How often event streams show that they are alive.
pub(crate) const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(15);

/// How a master behaves; names follow its flags.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    pub(crate) agent_ping_timeout: Duration,
    pub(crate) max_agent_ping_timeouts: u32,
    /// How long agents of an earlier master may take to come back.
    pub(crate) agent_reregister_timeout: Duration,
    pub(crate) max_completed_frameworks: usize,
    pub(crate) max_completed_tasks_per_framework: usize,
    pub(crate) max_unreachable_tasks_per_framework: usize,
    /// Agents out of reach or gone that are remembered.
    pub(crate) registry_max_agent_count: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            agent_ping_timeout: Duration::from_secs(15),
            max_agent_ping_timeouts: 5,
            agent_reregister_timeout: Duration::from_secs(600),
            max_completed_frameworks: 50,
            max_completed_tasks_per_framework: 1000,
            max_unreachable_tasks_per_framework: 1000,
            registry_max_agent_count: 102_400,
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
    /// An agent says something.
    Agent { link: Link, message: ToMaster },
    /// The way to an agent is no more.
    Unlinked { link: Link },
    /// An operator wants something done.
    Operator(Command),
    /// Whether any operator watches events.
    Watched(bool),
    /// Time went by.
    Tick,
}

/// What a master wants done, in order.
#[derive(Debug)]
pub(crate) enum Effect {
    /// Make a change durable before anything that follows.
    Store(Change),
    /// Send an event.
    Event { stream: StreamId, event: Box<Event> },
    /// End an event stream.
    Close { stream: StreamId },
    /// Tell an agent.
    Agent { link: Link, message: ToAgent },
    /// End the way to an agent.
    Unlink { link: Link },
    /// Tell the operators that watch.
    Told(Box<master::Event>),
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
    /// What is asked goes against what there is.
    #[error("{0}")]
    Conflict(String),
    #[error("{0}")]
    NotFound(String),
}

/// A master.
#[derive(Debug)]
pub(crate) struct Master {
    pub(crate) info: MasterInfo,
    /// When it began to lead, since 1970.
    pub(crate) elected: Duration,
    policy: Policy,
    pub(crate) frameworks: IndexMap<String, Framework>,
    pub(crate) completed: VecDeque<Framework>,
    pub(crate) agents: IndexMap<String, Agent>,
    /// Registered with an earlier master, and not yet with this one.
    pub(crate) recovered: IndexMap<String, AgentInfo>,
    /// When those are given up, in elapsed time.
    recovered_until: Duration,
    /// Out of reach, since when (since 1970).
    pub(crate) unreachable: IndexMap<String, Duration>,
    pub(crate) gone: IndexMap<String, Duration>,
    links: HashMap<Link, String>,
    pub(crate) offers: IndexMap<String, Offer>,
    pub(crate) inverse_offers: IndexMap<String, InverseOffer>,
    /// Operations that came from offers or operators and are not yet acknowledged, by uuid.
    pub(crate) operations: IndexMap<Vec<u8>, Operation>,
    pub(crate) weights: BTreeMap<String, f64>,
    pub(crate) quotas: BTreeMap<String, Quota>,
    pub(crate) schedule: Schedule,
    pub(crate) down: Vec<mesos_proto::v1::MachineId>,
    pub(crate) inverse_statuses: maintenance::Statuses,
    /// What drains and deactivations are to be kept for agents that have not come back yet.
    kept: HashMap<String, registry::Kept>,
    watched: bool,
    pub(crate) counts: counts::Counts,
    next_framework: u64,
    next_agent: u64,
    next_offer: u64,
    next_operation: u64,
    /// Where the next allocation begins, so that no agent is always the first.
    turn: usize,
    effects: Vec<Effect>,
}

impl Master {
    /// A master that knows what one before it registered.
    pub(crate) fn new(now: Now, info: MasterInfo, policy: Policy, registered: Registered) -> Self {
        let mut master = Master {
            info,
            elected: now.wall,
            recovered_until: now.elapsed + policy.agent_reregister_timeout,
            policy,
            frameworks: IndexMap::new(),
            completed: VecDeque::new(),
            agents: IndexMap::new(),
            recovered: IndexMap::new(),
            unreachable: IndexMap::new(),
            gone: IndexMap::new(),
            links: HashMap::new(),
            offers: IndexMap::new(),
            inverse_offers: IndexMap::new(),
            operations: IndexMap::new(),
            weights: BTreeMap::new(),
            quotas: BTreeMap::new(),
            schedule: Schedule::default(),
            down: Vec::new(),
            inverse_statuses: maintenance::Statuses::default(),
            kept: HashMap::new(),
            watched: false,
            counts: counts::Counts::default(),
            next_framework: 0,
            next_agent: 0,
            next_offer: 0,
            next_operation: 0,
            turn: 0,
            effects: Vec::new(),
        };
        master.recover(registered);
        master
    }

    /// Takes one input, and answers what is to be done. A refused call changes nothing.
    pub(crate) fn step(&mut self, now: Now, input: Input) -> Result<Vec<Effect>, Refused> {
        let mut done = Ok(());
        match input {
            Input::Subscribe { stream, call } => done = self.subscribe(now, stream, *call),
            Input::Call { stream, call } => done = self.call(now, stream, *call),
            Input::Operator(command) => done = self.command(now, command),
            Input::Closed { stream } => self.closed(now, &stream),
            Input::Agent { link, message } => self.agent_says(now, link, message),
            Input::Unlinked { link } => self.unlinked(link),
            Input::Watched(watched) => self.watched = watched,
            Input::Tick => self.tick(now),
        }
        if done.is_err() {
            self.counts.add(counts::DROPPED);
        }
        let effects = std::mem::take(&mut self.effects);
        done.map(|()| effects)
    }

    fn tick(&mut self, now: Now) {
        self.expire(now);
        self.ping(now);
        self.give_up_recovered(now);
        self.drained(now);
        self.invert(now);
        self.allocate(now);
    }

    fn agent_says(&mut self, now: Now, link: Link, message: ToMaster) {
        self.counts.add_message(&message);
        match message {
            ToMaster::Register(info) => return self.register_agent(now, link, *info),
            ToMaster::Reregister(all) => return self.reregister_agent(now, link, *all),
            _ => {}
        }
        let Some(agent) = self.links.get(&link).cloned() else {
            return;
        };
        match message {
            ToMaster::Register(_) | ToMaster::Reregister(_) => {}
            ToMaster::Pong => self.ponged(&agent),
            ToMaster::Update {
                framework,
                status,
                latest,
            } => self.task_updated(now, &agent, &framework, *status, latest),
            ToMaster::Message {
                framework,
                executor,
                data,
            } => self.executor_says(&agent, &framework, executor, data),
            ToMaster::ExecutorExited {
                framework,
                executor,
                status,
            } => self.executor_exited(&agent, &framework, executor, status),
            ToMaster::OperationUpdated { operation, status } => {
                self.operation_updated(&agent, &operation, *status);
            }
        }
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
        let kind = kind.unwrap_or(Type::Unknown);
        self.counts.add_call(kind);
        match kind {
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
            Type::AcceptInverseOffers => {
                let call = call.accept_inverse_offers.unwrap_or_default();
                self.answer_inverse(now, &id, &call.inverse_offer_ids, call.filters, true);
            }
            Type::DeclineInverseOffers => {
                let call = call.decline_inverse_offers.unwrap_or_default();
                self.answer_inverse(now, &id, &call.inverse_offer_ids, call.filters, false);
            }
            Type::Shutdown => self.shutdown_executor(&id, call.shutdown.unwrap_or_default()),
            Type::Message => self.tell_executor(&id, call.message.unwrap_or_default()),
            Type::AcknowledgeOperationStatus => {
                self.acknowledge_operation(&id, &call.acknowledge_operation_status.unwrap_or_default());
            }
            Type::ReconcileOperations => {
                self.reconcile_operations(&id, &call.reconcile_operations.unwrap_or_default().operations);
            }
            Type::UpdateFramework => {
                return self.update_framework(now, &id, call.update_framework.unwrap_or_default());
            }
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

    /// Tells an agent that is there.
    fn tell_agent(&mut self, agent: &str, message: ToAgent) {
        if let Some(link) = self.agents.get(agent).and_then(|one| one.link) {
            self.effects.push(Effect::Agent { link, message });
        }
    }

    fn store(&mut self, change: Change) {
        self.effects.push(Effect::Store(change));
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
