//! The master's operator API: `POST /api/v1`. THE TABLE of its calls is [`TABLE`].
//!
//! Rooms: `looks` (calls that only look), `commands` (calls that change something), `shown` (what the master has, as the
//! API tells it), `watch` (the event stream), `metrics`, `flags`. Never: changes a core but by a command.

mod commands;
pub(super) mod flags;
mod looks;
pub(super) mod metrics;
mod shown;
mod watch;

pub(super) use commands::refused;
pub(super) use looks::quota_status;
pub(super) use shown::{Bag, Sum, Sums, maintenance_status};

use super::{
    Cluster,
    called::{Called, invalid, missing},
};
use crate::{
    core::master::{Command, Master},
    wire::{Refusal, accepted, empty, message, refusal},
};
use axum::{extract::State, http::StatusCode, response::Response};
use mesos_proto::v1::master::{Call, Response as Answer, call::Type};
use std::{sync::Arc, time::Duration};

/// What an answer may need of the server beside what its master knows.
#[derive(Debug, Clone, Default)]
pub(super) struct Around {
    /// When the server began, since 1970.
    pub(super) started: Duration,
    /// How long it has been up.
    pub(super) uptime: Duration,
    pub(super) address: String,
    /// Where masters are elected.
    pub(super) zk: Option<String>,
    pub(super) logging_level: u32,
}

/// How a call is answered.
pub(crate) enum Does {
    /// By a look at the master.
    Look(fn(&Master, &Around) -> Answer),
    /// By a command, whose success is told by this status alone.
    Command(fn(Call) -> Command, StatusCode),
    /// As long as it listens.
    Watch,
    /// By what is below in this room.
    Level,
    Files,
}

/// One call of the operator API.
pub(crate) struct Line {
    pub(crate) kind: Type,
    /// The field that must come with it; none where it may do without.
    field: Option<&'static str>,
    present: fn(&Call) -> bool,
    does: Does,
}

const fn look(kind: Type, look: fn(&Master, &Around) -> Answer) -> Line {
    Line {
        kind,
        field: None,
        present: |_| true,
        does: Does::Look(look),
    }
}

const fn command(
    kind: Type,
    field: &'static str,
    present: fn(&Call) -> bool,
    command: fn(Call) -> Command,
    status: StatusCode,
) -> Line {
    Line {
        kind,
        field: Some(field),
        present,
        does: Does::Command(command, status),
    }
}

const fn other(kind: Type, field: Option<&'static str>, present: fn(&Call) -> bool, does: Does) -> Line {
    Line {
        kind,
        field,
        present,
        does,
    }
}

const OK: StatusCode = StatusCode::OK;
const ACCEPTED: StatusCode = StatusCode::ACCEPTED;

/// THE TABLE: every call, in the order of their numbers.
pub(crate) const TABLE: &[Line] = &[
    look(Type::GetHealth, looks::health),
    look(Type::GetFlags, looks::flags),
    look(Type::GetVersion, looks::version),
    other(
        Type::GetMetrics,
        Some("get_metrics"),
        |call| call.get_metrics.is_some(),
        Does::Look(looks::metrics),
    ),
    look(Type::GetLoggingLevel, looks::logging_level),
    other(
        Type::SetLoggingLevel,
        Some("set_logging_level"),
        |call| call.set_logging_level.is_some(),
        Does::Level,
    ),
    other(
        Type::ListFiles,
        Some("list_files"),
        |call| call.list_files.is_some(),
        Does::Files,
    ),
    other(
        Type::ReadFile,
        Some("read_file"),
        |call| call.read_file.is_some(),
        Does::Files,
    ),
    look(Type::GetState, looks::state),
    look(Type::GetAgents, looks::agents),
    look(Type::GetFrameworks, looks::frameworks),
    look(Type::GetExecutors, looks::executors),
    look(Type::GetTasks, looks::tasks),
    look(Type::GetRoles, looks::roles),
    look(Type::GetWeights, looks::weights),
    command(
        Type::UpdateWeights,
        "update_weights",
        |call| call.update_weights.is_some(),
        commands::weights,
        OK,
    ),
    look(Type::GetMaster, looks::master),
    other(Type::Subscribe, None, |_| true, Does::Watch),
    command(
        Type::ReserveResources,
        "reserve_resources",
        |call| call.reserve_resources.is_some(),
        commands::reserve,
        ACCEPTED,
    ),
    command(
        Type::UnreserveResources,
        "unreserve_resources",
        |call| call.unreserve_resources.is_some(),
        commands::unreserve,
        ACCEPTED,
    ),
    command(
        Type::CreateVolumes,
        "create_volumes",
        |call| call.create_volumes.is_some(),
        commands::create,
        ACCEPTED,
    ),
    command(
        Type::DestroyVolumes,
        "destroy_volumes",
        |call| call.destroy_volumes.is_some(),
        commands::destroy,
        ACCEPTED,
    ),
    look(Type::GetMaintenanceStatus, looks::maintenance_status),
    look(Type::GetMaintenanceSchedule, looks::maintenance_schedule),
    command(
        Type::UpdateMaintenanceSchedule,
        "update_maintenance_schedule",
        |call| call.update_maintenance_schedule.is_some(),
        commands::schedule,
        OK,
    ),
    command(
        Type::StartMaintenance,
        "start_maintenance",
        |call| call.start_maintenance.is_some(),
        commands::down,
        OK,
    ),
    command(
        Type::StopMaintenance,
        "stop_maintenance",
        |call| call.stop_maintenance.is_some(),
        commands::up,
        OK,
    ),
    look(Type::GetQuota, looks::quota),
    command(
        Type::SetQuota,
        "set_quota",
        |call| call.set_quota.is_some(),
        commands::set_quota,
        OK,
    ),
    command(
        Type::RemoveQuota,
        "remove_quota",
        |call| call.remove_quota.is_some(),
        commands::remove_quota,
        OK,
    ),
    command(
        Type::Teardown,
        "teardown",
        |call| call.teardown.is_some(),
        commands::teardown,
        OK,
    ),
    command(
        Type::MarkAgentGone,
        "mark_agent_gone",
        |call| call.mark_agent_gone.is_some(),
        commands::gone,
        OK,
    ),
    look(Type::GetOperations, looks::operations),
    command(
        Type::GrowVolume,
        "grow_volume",
        |call| call.grow_volume.is_some(),
        commands::grow,
        ACCEPTED,
    ),
    command(
        Type::ShrinkVolume,
        "shrink_volume",
        |call| call.shrink_volume.is_some(),
        commands::shrink,
        ACCEPTED,
    ),
    command(
        Type::UpdateQuota,
        "update_quota",
        |call| call.update_quota.is_some(),
        commands::update_quota,
        OK,
    ),
    command(
        Type::DrainAgent,
        "drain_agent",
        |call| call.drain_agent.is_some(),
        commands::drain,
        OK,
    ),
    command(
        Type::DeactivateAgent,
        "deactivate_agent",
        |call| call.deactivate_agent.is_some(),
        commands::deactivate,
        OK,
    ),
    command(
        Type::ReactivateAgent,
        "reactivate_agent",
        |call| call.reactivate_agent.is_some(),
        commands::reactivate,
        OK,
    ),
];

/// What every call must have.
fn check(call: &Call) -> Result<&'static Line, String> {
    let kind = call.r#type.and_then(|kind| Type::try_from(kind).ok());
    let line = TABLE.iter().find(|line| Some(line.kind) == kind);
    let line = line.ok_or_else(|| missing("type"))?;
    match line.field {
        Some(field) if !(line.present)(call) => Err(missing(field)),
        _ => Ok(line),
    }
}

/// `POST /api/v1`.
pub(super) async fn handle(
    State(cluster): State<Arc<Cluster>>,
    Called { call, headers }: Called<Call>,
) -> Result<Response, Refusal> {
    let line = check(&call).map_err(|why| invalid("master", why))?;
    let encoding = accepted(&headers)?;
    match line.does {
        Does::Look(look) => {
            let around = cluster.around();
            let seen = cluster.master.read(move |master| look(master, &around)).await;
            Ok(message(encoding, &seen.map_err(refused)?))
        }
        Does::Command(command, status) => {
            cluster.master.operate(command(call)).await.map_err(refused)?;
            Ok(empty(status))
        }
        Does::Watch => watch::watch(&cluster, encoding).await,
        Does::Level => commands::set_level(&cluster, &call),
        // The log of this server goes to its standard error; there are no files to be read through the master.
        Does::Files => Err(refusal(StatusCode::NOT_FOUND, "")),
    }
}
