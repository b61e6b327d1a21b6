use super::Cluster;
use crate::handlers::logging;
use crate::{
    core::master::{Command, Refused},
    shell::CallError,
    wire::{Refusal, refusal},
};
use axum::{http::StatusCode, response::Response};
use mesos_proto::v1::{
    AgentId,
    master::Call,
    offer::{Operation, operation, operation::Type},
};

/// The only place that gives refusals of operators' calls their status.
pub(in crate::handlers) fn refused(error: CallError) -> Refusal {
    let status = match &error {
        CallError::Stopping | CallError::NotLeading => StatusCode::SERVICE_UNAVAILABLE,
        CallError::Refused(Refused::Conflict(_)) => StatusCode::CONFLICT,
        CallError::Refused(Refused::NotFound(_)) => StatusCode::NOT_FOUND,
        CallError::Refused(_) => StatusCode::BAD_REQUEST,
    };
    refusal(status, error.to_string())
}

pub(super) fn set_level(cluster: &Cluster, call: &Call) -> Result<Response, Refusal> {
    let wanted = call.set_logging_level.unwrap_or_default();
    logging::set(cluster, wanted.level, wanted.duration.nanoseconds)
}

fn operate(agent: Option<AgentId>, kind: Type, fill: impl FnOnce(&mut Operation)) -> Command {
    let mut operation = Operation {
        r#type: Some(kind as i32),
        ..Operation::default()
    };
    fill(&mut operation);
    Command::Operate {
        agent: agent.unwrap_or_default().value,
        operation: Box::new(operation),
    }
}

pub(super) fn reserve(call: Call) -> Command {
    let call = call.reserve_resources.unwrap_or_default();
    operate(Some(call.agent_id), Type::Reserve, |operation| {
        operation.reserve = Some(operation::Reserve {
            source: call.source,
            resources: call.resources,
        });
    })
}

pub(super) fn unreserve(call: Call) -> Command {
    let call = call.unreserve_resources.unwrap_or_default();
    operate(Some(call.agent_id), Type::Unreserve, |operation| {
        operation.unreserve = Some(operation::Unreserve {
            resources: call.resources,
        });
    })
}

pub(super) fn create(call: Call) -> Command {
    let call = call.create_volumes.unwrap_or_default();
    operate(Some(call.agent_id), Type::Create, |operation| {
        operation.create = Some(operation::Create {
            volumes: call.volumes,
        });
    })
}

pub(super) fn destroy(call: Call) -> Command {
    let call = call.destroy_volumes.unwrap_or_default();
    operate(Some(call.agent_id), Type::Destroy, |operation| {
        operation.destroy = Some(operation::Destroy {
            volumes: call.volumes,
        });
    })
}

pub(super) fn grow(call: Call) -> Command {
    let call = call.grow_volume.unwrap_or_default();
    operate(call.agent_id, Type::GrowVolume, |operation| {
        operation.grow_volume = Some(operation::GrowVolume {
            volume: call.volume,
            addition: call.addition,
        });
    })
}

pub(super) fn shrink(call: Call) -> Command {
    let call = call.shrink_volume.unwrap_or_default();
    operate(call.agent_id, Type::ShrinkVolume, |operation| {
        operation.shrink_volume = Some(operation::ShrinkVolume {
            volume: call.volume,
            subtract: call.subtract,
        });
    })
}

pub(super) fn weights(call: Call) -> Command {
    Command::Weights(call.update_weights.unwrap_or_default().weight_infos)
}

pub(super) fn schedule(call: Call) -> Command {
    Command::Schedule(call.update_maintenance_schedule.unwrap_or_default().schedule)
}

pub(super) fn down(call: Call) -> Command {
    Command::Down(call.start_maintenance.unwrap_or_default().machines)
}

pub(super) fn up(call: Call) -> Command {
    Command::Up(call.stop_maintenance.unwrap_or_default().machines)
}

pub(super) fn update_quota(call: Call) -> Command {
    let call = call.update_quota.unwrap_or_default();
    Command::Quotas {
        force: call.force(),
        configs: call.quota_configs,
    }
}

pub(super) fn set_quota(call: Call) -> Command {
    let request = call.set_quota.unwrap_or_default().quota_request;
    Command::SetQuota {
        force: request.force(),
        role: request.role.unwrap_or_default(),
        guarantee: request.guarantee,
    }
}

pub(super) fn remove_quota(call: Call) -> Command {
    Command::RemoveQuota {
        role: call.remove_quota.unwrap_or_default().role,
    }
}

pub(super) fn teardown(call: Call) -> Command {
    Command::Teardown {
        framework: call.teardown.unwrap_or_default().framework_id.value,
    }
}

pub(super) fn gone(call: Call) -> Command {
    Command::MarkGone {
        agent: call.mark_agent_gone.unwrap_or_default().agent_id.value,
    }
}

pub(super) fn drain(call: Call) -> Command {
    Command::Drain(call.drain_agent.unwrap_or_default())
}

pub(super) fn deactivate(call: Call) -> Command {
    Command::Deactivate {
        agent: call.deactivate_agent.unwrap_or_default().agent_id.value,
    }
}

pub(super) fn reactivate(call: Call) -> Command {
    Command::Reactivate {
        agent: call.reactivate_agent.unwrap_or_default().agent_id.value,
    }
}
