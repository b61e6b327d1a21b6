//! The rules of `V0Mesos` and `V1Mesos`: a framework that speaks in calls and events itself.

use super::{Core, Received, Refusal, Status};
use mesos_proto::v1::{
    FrameworkId, FrameworkInfo,
    scheduler::{
        Call, Event,
        call::Type,
        event::{self, Error},
    },
};
use prost::{DecodeError, Message};
use std::time::Duration;

/// What the framework is told, one at a time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Callback {
    Connected,
    Disconnected,
    Received(Box<Event>),
}

/// How far the framework is with the master.
#[derive(Debug, Clone, PartialEq)]
enum State {
    Disconnected,
    Connected,
    Subscribing(Box<Call>),
    Subscribed,
}

/// Why a call is not sent.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Dropped {
    #[error("Scheduler is in state {0}")]
    State(&'static str),
    #[error("Expecting 'type' to be present")]
    Untyped,
    #[error("Expecting '{0}' to be present")]
    Missing(String),
    #[error("'framework_id' differs from 'subscribe.framework_info.id'")]
    OtherFramework,
    #[error("Received an unexpected {0} call")]
    Unexpected(&'static str),
}

/// A framework's line to the master.
#[derive(Debug)]
pub(crate) struct Library {
    status: Status,
    state: State,
    /// Who `V0Mesos` was made for: it subscribes as no other, and says no more than a driver can.
    driver_of: Option<FrameworkInfo>,
}

impl Library {
    pub(crate) fn new(driver_of: Option<FrameworkInfo>) -> Self {
        Library {
            status: Status::NotStarted,
            state: State::Disconnected,
            driver_of,
        }
    }

    /// Whether there is a connection that could be given up.
    pub(crate) fn is_connected(&self) -> bool {
        self.state != State::Disconnected
    }

    /// The framework says something: what goes out at once. A subscription goes when the driver asks for it.
    pub(crate) fn send(&mut self, call: Call) -> Result<Option<Call>, Dropped> {
        let kind = checked(&call)?;
        match (&self.state, kind) {
            (State::Connected, Type::Subscribe) => {
                let call = self.subscription(call);
                self.state = State::Subscribing(Box::new(call));
                return Ok(None);
            }
            (State::Subscribed, kind) if kind != Type::Subscribe => {}
            (state, _) => return Err(Dropped::State(name(state))),
        }
        if self.driver_of.is_none() {
            return Ok(Some(call));
        }
        match kind {
            Type::AcceptInverseOffers
            | Type::DeclineInverseOffers
            | Type::Shutdown
            | Type::UpdateFramework
            | Type::AcknowledgeOperationStatus
            | Type::ReconcileOperations => return Err(Dropped::Unexpected(kind.as_str_name())),
            // A driver that is stopped does not come back.
            Type::Teardown => drop(self.end()),
            _ => {}
        }
        Ok(Some(call))
    }

    fn subscription(&self, mut call: Call) -> Call {
        if let (Some(mine), Some(subscribe)) = (&self.driver_of, &mut call.subscribe) {
            subscribe.framework_info = mine.clone();
            call.framework_id = mine.id.clone();
        }
        call
    }

    fn happened(&mut self, event: Event) -> Option<Callback> {
        if !self.runs() {
            return None;
        }
        match (event_type(&event), &mut self.driver_of) {
            (event::Type::Subscribed, of) => {
                self.state = State::Subscribed;
                if let (Some(mine), Some(subscribed)) = (of, &event.subscribed) {
                    mine.id = Some(subscribed.framework_id.clone());
                }
            }
            // What a driver does not tell of.
            (
                event::Type::InverseOffers
                | event::Type::RescindInverseOffer
                | event::Type::UpdateOperationStatus
                | event::Type::Unknown,
                Some(_),
            ) => return None,
            _ => {}
        }
        Some(Callback::Received(Box::new(event)))
    }

    /// What the master said to a call, as an event.
    fn unexpected(&self, kind: Type, why: &Refusal) -> Option<Callback> {
        let Refusal { status, text } = why;
        let message = format!(
            "Received unexpected '{status}' ({text}) for {}",
            kind.as_str_name()
        );
        self.runs().then(|| Self::error(message))
    }
}

fn event_type(event: &Event) -> event::Type {
    event
        .r#type
        .and_then(|kind| event::Type::try_from(kind).ok())
        .unwrap_or(event::Type::Unknown)
}

fn call_type(call: &Call) -> Option<Type> {
    call.r#type.and_then(|kind| Type::try_from(kind).ok())
}

fn name(state: &State) -> &'static str {
    match state {
        State::Disconnected => "DISCONNECTED",
        State::Connected => "CONNECTED",
        State::Subscribing(_) => "SUBSCRIBING",
        State::Subscribed => "SUBSCRIBED",
    }
}

/// What a call is, if all of it is there.
fn checked(call: &Call) -> Result<Type, Dropped> {
    let kind = call_type(call).ok_or(Dropped::Untyped)?;
    let there = match kind {
        Type::Unknown => return Err(Dropped::Untyped),
        Type::Subscribe => return checked_subscription(call).map(|()| kind),
        Type::Teardown | Type::Revive | Type::Suppress => true,
        Type::Accept => call.accept.is_some(),
        Type::Decline => call.decline.is_some(),
        Type::AcceptInverseOffers => call.accept_inverse_offers.is_some(),
        Type::DeclineInverseOffers => call.decline_inverse_offers.is_some(),
        Type::Kill => call.kill.is_some(),
        Type::Shutdown => call.shutdown.is_some(),
        Type::Acknowledge => call.acknowledge.is_some(),
        Type::AcknowledgeOperationStatus => call.acknowledge_operation_status.is_some(),
        Type::Reconcile => call.reconcile.is_some(),
        Type::ReconcileOperations => call.reconcile_operations.is_some(),
        Type::Message => call.message.is_some(),
        Type::Request => call.request.is_some(),
        Type::UpdateFramework => call.update_framework.is_some(),
    };
    if call.framework_id.is_none() {
        return Err(Dropped::Missing("framework_id".to_owned()));
    }
    match there {
        true => Ok(kind),
        false => Err(Dropped::Missing(kind.as_str_name().to_lowercase())),
    }
}

/// Who subscribes names itself once, or twice by the same name.
fn checked_subscription(call: &Call) -> Result<(), Dropped> {
    let missing = || Dropped::Missing("subscribe".to_owned());
    let subscribe = call.subscribe.as_ref().ok_or_else(missing)?;
    let named = |id: &Option<FrameworkId>| id.as_ref().map(|id| id.value.clone()).unwrap_or_default();
    match named(&subscribe.framework_info.id) == named(&call.framework_id) {
        true => Ok(()),
        false => Err(Dropped::OtherFramework),
    }
}

impl Core for Library {
    type Callback = Callback;
    const PATH: &'static str = "/api/v1/scheduler";
    const NAME: &'static str = "mesos-library";
    /// Whether the master still says something is for the framework to watch.
    const QUIET_MAX: Option<Duration> = None;

    fn status(&self) -> Status {
        self.status
    }

    fn set_status(&mut self, status: Status) {
        self.status = status;
    }

    fn error(why: String) -> Callback {
        Callback::Received(Box::new(Event {
            r#type: Some(event::Type::Error as i32),
            error: Some(Error { message: why }),
            ..Event::default()
        }))
    }

    fn connected(&mut self) -> Option<Callback> {
        self.state = State::Connected;
        Some(Callback::Connected)
    }

    fn subscribe(&self) -> Option<Vec<u8>> {
        match &self.state {
            State::Subscribing(call) => Some(call.encode_to_vec()),
            _ => None,
        }
    }

    fn received(&mut self, record: &[u8], _server: &str) -> Result<Received<Callback>, DecodeError> {
        Ok(Received {
            callbacks: self.happened(Event::decode(record)?).into_iter().collect(),
            heartbeat_seconds: None,
        })
    }

    fn disconnected(&mut self) -> Option<Callback> {
        let was = std::mem::replace(&mut self.state, State::Disconnected);
        (was != State::Disconnected && self.runs()).then_some(Callback::Disconnected)
    }

    /// The framework may subscribe again.
    fn subscription_refused(&mut self, why: Refusal) -> Option<Callback> {
        self.unexpected(Type::Subscribe, &why)
    }

    fn call_refused(&mut self, call: &[u8], why: Refusal) -> Option<Callback> {
        let kind = Call::decode(call).ok().as_ref().and_then(call_type);
        self.unexpected(kind.unwrap_or(Type::Unknown), &why)
    }
}
