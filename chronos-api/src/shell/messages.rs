//! Mesos' messages, to types of the core and back.

use super::build;
use crate::core::{Attribute, Effect, Input, Offer, Status, TaskState, Value};
use mesos_proto::v1::{
    self, AgentId, Filters, OfferId, TaskId,
    offer::{Operation, operation},
    scheduler::{Call, Event, call, event},
    task_status::{Reason, Source},
    value,
};

/// What an event means to the core.
pub(super) fn inputs(event: Event) -> Vec<Input> {
    match event.r#type() {
        event::Type::Offers => {
            let offers = event.offers.unwrap_or_default().offers;
            vec![Input::Offers(offers.into_iter().map(offer).collect())]
        }
        event::Type::Rescind => {
            let rescinded = event
                .rescind
                .map(|rescind| Input::Rescinded(rescind.offer_id.value));
            rescinded.into_iter().collect()
        }
        event::Type::Update => {
            let told = event.update.map(|update| Input::Status(status(update.status)));
            told.into_iter().collect()
        }
        // Of a lost agent's tasks each is told.
        _ => Vec::new(),
    }
}

/// As far as nobody has reserved it.
fn offer(offer: v1::Offer) -> Offer {
    let free = |one: &&v1::Resource| {
        one.reservations.is_empty()
            && one.reservation.is_none()
            && one.role.as_deref().unwrap_or("*") == "*"
            && one.disk.is_none()
            && one.revocable.is_none()
            && one.provider_id.is_none()
    };
    let sum = |name: &str| -> f64 {
        let own = offer.resources.iter().filter(|one| one.name == name);
        own.filter(free)
            .filter_map(|one| one.scalar.as_ref())
            .map(|scalar| scalar.value)
            .sum()
    };
    Offer {
        cpus: sum("cpus"),
        mem: sum("mem"),
        disk: sum("disk"),
        gpus: sum("gpus"),
        attributes: offer.attributes.into_iter().map(attribute).collect(),
        id: offer.id.value,
        agent: offer.agent_id.value,
        host: offer.hostname,
    }
}

fn attribute(one: v1::Attribute) -> Attribute {
    let value = match value::Type::try_from(one.r#type) {
        Ok(value::Type::Text) => Value::Text(one.text.unwrap_or_default().value),
        Ok(value::Type::Scalar) => Value::Scalar(one.scalar.unwrap_or_default().value),
        Ok(value::Type::Set) => Value::Set(one.set.unwrap_or_default().item),
        _ => Value::Other,
    };
    Attribute {
        name: one.name,
        value,
    }
}

fn status(status: v1::TaskStatus) -> Status {
    Status {
        state: state(&status),
        task: status.task_id.value,
        agent: status.agent_id.map(|agent| agent.value),
        uuid: status.uuid.filter(|uuid| !uuid.is_empty()),
        message: status.message.unwrap_or_default(),
    }
}

/// Masters of old say of everything that it is lost; why tells the difference.
fn state(status: &v1::TaskStatus) -> TaskState {
    use v1::TaskState as State;
    let by_master = status.source == Some(Source::Master as i32);
    let because = |reason: Reason| by_master && status.reason == Some(reason as i32);
    match status.state() {
        State::TaskStaging | State::TaskStarting => TaskState::Staging,
        State::TaskRunning | State::TaskKilling => TaskState::Running,
        State::TaskFinished => TaskState::Finished,
        State::TaskFailed | State::TaskError => TaskState::Failed,
        State::TaskKilled => TaskState::Killed,
        State::TaskDropped => TaskState::Dropped,
        State::TaskLost if because(Reason::InvalidOffers) => TaskState::Dropped,
        State::TaskGone if because(Reason::Reconciliation) => TaskState::Unknown,
        State::TaskLost
        | State::TaskGone
        | State::TaskGoneByOperator
        | State::TaskUnreachable
        | State::TaskUnknown => TaskState::Lost,
    }
}

/// How an effect is said to the master.
pub(super) fn call(effect: Effect) -> Call {
    match effect {
        Effect::Accept { offer, launches } => {
            let task_infos = launches.iter().map(|launch| build::task(launch, &offer));
            let operation = Operation {
                r#type: Some(operation::Type::Launch as i32),
                launch: Some(operation::Launch {
                    task_infos: task_infos.collect(),
                }),
                ..Operation::default()
            };
            let mut call = of(call::Type::Accept);
            call.accept = Some(call::Accept {
                offer_ids: vec![OfferId { value: offer.id }],
                operations: vec![operation],
                // What is left is wanted, perhaps soon.
                filters: Some(refuse(0.0)),
            });
            call
        }
        Effect::Decline { offers, seconds } => {
            let mut call = of(call::Type::Decline);
            call.decline = Some(call::Decline {
                offer_ids: offers.into_iter().map(|value| OfferId { value }).collect(),
                filters: Some(refuse(seconds)),
            });
            call
        }
        Effect::Revive => of(call::Type::Revive),
        Effect::Suppress => of(call::Type::Suppress),
        Effect::Kill { task, agent } => {
            let mut call = of(call::Type::Kill);
            call.kill = Some(call::Kill {
                task_id: TaskId { value: task },
                agent_id: agent.map(|value| AgentId { value }),
                kill_policy: None,
            });
            call
        }
        Effect::Acknowledge { task, agent, uuid } => {
            let mut call = of(call::Type::Acknowledge);
            call.acknowledge = Some(call::Acknowledge {
                agent_id: AgentId { value: agent },
                task_id: TaskId { value: task },
                uuid,
            });
            call
        }
        Effect::Reconcile(tasks) => {
            let tasks = tasks.into_iter().map(|(task, agent)| call::reconcile::Task {
                task_id: TaskId { value: task },
                agent_id: Some(AgentId { value: agent }),
            });
            let mut call = of(call::Type::Reconcile);
            call.reconcile = Some(call::Reconcile {
                tasks: tasks.collect(),
            });
            call
        }
    }
}

fn of(kind: call::Type) -> Call {
    Call {
        r#type: Some(kind as i32),
        ..Call::default()
    }
}

fn refuse(seconds: f64) -> Filters {
    Filters {
        refuse_seconds: Some(seconds),
    }
}
