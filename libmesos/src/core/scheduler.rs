//! The rules of `MesosSchedulerDriver`.

use super::{Core, Received, Status};
use mesos_proto::v1::{
    AgentId, ExecutorId, FrameworkId, FrameworkInfo, MasterInfo, Offer, OfferId, TaskInfo, TaskState,
    TaskStatus,
    offer::operation,
    scheduler::{
        Call, Event, OfferConstraints,
        call::{self, Type},
        event,
    },
    task_status::{Reason, Source},
};
use prost::{DecodeError, Message};
use std::{collections::BTreeSet, time::Duration};

/// What the framework is told, one at a time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Callback {
    Registered(FrameworkId, MasterInfo),
    Reregistered(MasterInfo),
    Disconnected,
    Offers(Vec<Offer>),
    Rescinded(OfferId),
    Status(TaskStatus),
    Message(ExecutorId, AgentId, Vec<u8>),
    AgentLost(AgentId),
    ExecutorLost(ExecutorId, AgentId, i32),
    Error(String),
}

/// What a framework starts its driver with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Subscription {
    pub(crate) framework: FrameworkInfo,
    pub(crate) suppressed: BTreeSet<String>,
    pub(crate) constraints: Option<OfferConstraints>,
    /// Whether a status update is acknowledged once its callback is done.
    pub(crate) implicit_acknowledgements: bool,
}

/// A driver of a framework's scheduler.
#[derive(Debug)]
pub(crate) struct Scheduler {
    status: Status,
    subscription: Subscription,
    connected: bool,
    registered: bool,
}

/// What became of a call that the framework wants sent.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Asked {
    /// What goes to the master.
    pub(crate) call: Option<Call>,
    /// What the framework is told without it.
    pub(crate) callbacks: Vec<Callback>,
}

impl Scheduler {
    pub(crate) fn new(subscription: Subscription) -> Self {
        Scheduler {
            status: Status::NotStarted,
            subscription,
            connected: false,
            registered: false,
        }
    }

    /// Ends the driver; without `failover` the framework with it.
    pub(crate) fn stop(&mut self, failover: bool) -> (Status, Option<Call>) {
        let teardown = self.connected && !failover && self.runs();
        let call = teardown.then(|| self.call(Type::Teardown));
        (self.end(), call)
    }

    /// The call that opens a stream.
    pub(super) fn subscription(&self) -> Call {
        Call {
            framework_id: self.subscription.framework.id.clone(),
            r#type: Some(Type::Subscribe as i32),
            subscribe: Some(call::Subscribe {
                framework_info: self.subscription.framework.clone(),
                suppressed_roles: self.subscription.suppressed.iter().cloned().collect(),
                offer_constraints: self.subscription.constraints.clone(),
            }),
            ..Call::default()
        }
    }

    /// An event came from the master at an address.
    pub(super) fn happened(&mut self, event: Event, master: &str) -> Option<Callback> {
        if !self.runs() {
            return None;
        }
        match event::Type::try_from(event.r#type.unwrap_or_default()).ok()? {
            event::Type::Subscribed => self.subscribed(event.subscribed?, master),
            event::Type::Offers => Some(Callback::Offers(event.offers?.offers)),
            event::Type::Rescind => Some(Callback::Rescinded(event.rescind?.offer_id)),
            event::Type::Update => Some(Callback::Status(event.update?.status)),
            event::Type::Message => {
                let message = event.message?;
                Some(Callback::Message(
                    message.executor_id,
                    message.agent_id,
                    message.data,
                ))
            }
            event::Type::Failure => {
                let failure = event.failure?;
                match (failure.executor_id, failure.agent_id) {
                    (Some(executor), Some(agent)) => Some(Callback::ExecutorLost(
                        executor,
                        agent,
                        failure.status.unwrap_or_default(),
                    )),
                    (_, agent) => agent.map(Callback::AgentLost),
                }
            }
            event::Type::Error => self.failed(event.error?.message),
            // Drivers know nothing of maintenance or of operations' feedback, and need no heartbeat.
            event::Type::InverseOffers
            | event::Type::RescindInverseOffer
            | event::Type::UpdateOperationStatus
            | event::Type::Heartbeat
            | event::Type::Unknown => None,
        }
    }

    fn subscribed(&mut self, subscribed: event::Subscribed, master: &str) -> Option<Callback> {
        // One that tells nothing of itself is known by its address alone.
        let master = subscribed.master_info.unwrap_or_else(|| MasterInfo {
            id: master.to_owned(),
            ..MasterInfo::default()
        });
        self.connected = true;
        self.subscription.framework.id = Some(subscribed.framework_id.clone());
        match std::mem::replace(&mut self.registered, true) {
            false => Some(Callback::Registered(subscribed.framework_id, master)),
            true => Some(Callback::Reregistered(master)),
        }
    }

    /// What is sent after the callback of a status.
    pub(super) fn acknowledge(&self, status: &TaskStatus) -> Option<Call> {
        let may = self.runs() && self.connected && self.subscription.implicit_acknowledgements;
        may.then(|| acknowledgement(status))
            .flatten()
            .map(|call| self.framed(call))
    }

    /// The framework wants something of the master. What cannot be said now is dropped, as the original does, but for
    /// tasks that are to be launched: those are told to be lost.
    pub(crate) fn ask(&mut self, call: Call) -> Asked {
        let mut asked = Asked::default();
        if !self.runs() {
            return asked;
        }
        self.remember(&call);
        if self.connected {
            asked.call = Some(self.framed(call));
        } else if let Some(accept) = call.accept {
            asked.callbacks = launched(accept).map(lost).map(Callback::Status).collect();
        }
        asked
    }

    /// Whether statuses are acknowledged for the framework.
    pub(crate) fn acknowledges_for_it(&self) -> bool {
        self.subscription.implicit_acknowledgements
    }

    /// Keeps what the next subscription is to say.
    fn remember(&mut self, call: &Call) {
        let mine = &mut self.subscription;
        let all = || match mine.framework.roles.is_empty() {
            true => vec![mine.framework.role.clone().unwrap_or_else(|| "*".to_owned())],
            false => mine.framework.roles.clone(),
        };
        match call.r#type.and_then(|kind| Type::try_from(kind).ok()) {
            Some(Type::Suppress) => {
                let named = call.suppress.as_ref().map_or(&[][..], |one| &one.roles);
                let roles = if named.is_empty() { all() } else { named.to_vec() };
                mine.suppressed.extend(roles);
            }
            Some(Type::Revive) => {
                let named = call.revive.as_ref().map_or(&[][..], |one| &one.roles);
                mine.suppressed
                    .retain(|role| !named.is_empty() && !named.contains(role));
            }
            Some(Type::UpdateFramework) => {
                if let Some(update) = &call.update_framework {
                    let id = mine.framework.id.clone();
                    mine.framework = update.framework_info.clone();
                    mine.framework.id = mine.framework.id.take().or(id);
                    mine.suppressed = update.suppressed_roles.iter().cloned().collect();
                    mine.constraints.clone_from(&update.offer_constraints);
                }
            }
            _ => {}
        }
    }

    fn call(&self, kind: Type) -> Call {
        self.framed(Call {
            r#type: Some(kind as i32),
            ..Call::default()
        })
    }

    fn framed(&self, call: Call) -> Call {
        Call {
            framework_id: self.subscription.framework.id.clone(),
            ..call
        }
    }
}

impl Core for Scheduler {
    type Callback = Callback;
    const PATH: &'static str = "/api/v1/scheduler";
    const NAME: &'static str = "mesos-scheduler";
    const QUIET_MAX: Option<Duration> = Some(Duration::from_secs(60));

    fn status(&self) -> Status {
        self.status
    }

    fn set_status(&mut self, status: Status) {
        self.status = status;
    }

    fn error(why: String) -> Callback {
        Callback::Error(why)
    }

    fn subscribe(&self) -> Option<Vec<u8>> {
        Some(self.subscription().encode_to_vec())
    }

    fn received(&mut self, record: &[u8], server: &str) -> Result<Received<Callback>, DecodeError> {
        let event = Event::decode(record)?;
        let subscribed = event.subscribed.as_ref();
        Ok(Received {
            heartbeat_seconds: subscribed.and_then(|one| one.heartbeat_interval_seconds),
            callbacks: self.happened(event, server).into_iter().collect(),
        })
    }

    /// Who was never connected is not told.
    fn disconnected(&mut self) -> Option<Callback> {
        let was = std::mem::take(&mut self.connected);
        (was && self.runs()).then_some(Callback::Disconnected)
    }

    fn told(&mut self, callback: &Callback) -> Option<Vec<u8>> {
        match callback {
            Callback::Status(status) => self.acknowledge(status).map(|call| call.encode_to_vec()),
            _ => None,
        }
    }
}

/// The acknowledgement of a status, where it wants one.
pub(crate) fn acknowledgement(status: &TaskStatus) -> Option<Call> {
    let uuid = status.uuid.clone().filter(|uuid| !uuid.is_empty())?;
    Some(Call {
        r#type: Some(Type::Acknowledge as i32),
        acknowledge: Some(call::Acknowledge {
            agent_id: status.agent_id.clone()?,
            task_id: status.task_id.clone(),
            uuid,
        }),
        ..Call::default()
    })
}

/// The tasks that an ACCEPT launches.
fn launched(accept: call::Accept) -> impl Iterator<Item = TaskInfo> {
    accept.operations.into_iter().flat_map(|one| {
        let alone = one.launch.map(|launch| launch.task_infos);
        let group = one
            .launch_group
            .map(|operation::LaunchGroup { task_group, .. }| task_group.tasks);
        alone.into_iter().chain(group).flatten()
    })
}

/// What is told of a task that was never sent.
fn lost(task: TaskInfo) -> TaskStatus {
    TaskStatus {
        task_id: task.task_id,
        agent_id: Some(task.agent_id),
        state: TaskState::TaskLost as i32,
        source: Some(Source::Master as i32),
        reason: Some(Reason::MasterDisconnected as i32),
        message: Some("Master disconnected".to_owned()),
        ..TaskStatus::default()
    }
}
