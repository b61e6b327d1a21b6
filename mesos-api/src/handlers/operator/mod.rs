//! The master's operator API: `POST /api/v1`. THE TABLE of its calls is [`TABLE`].
//!
//! Rooms: `shown` (what the master has, as the API tells it). Never: changes a core but by a call.

mod shown;

pub(super) use shown::CAPABILITIES;

use super::Cluster;
use crate::{
    core::master::Master,
    server::VERSION,
    wire::{Refusal, accepted, call, message, only_post, refusal},
};
use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, Method, StatusCode},
    response::Response,
};
use mesos_proto::v1::{
    VersionInfo,
    master::{
        Call,
        call::Type,
        response::{self, Type as Kind},
    },
};
use std::{sync::Arc, time::Duration};

/// What answers a call that only looks.
type Look = fn(&Master, Duration) -> mesos_proto::v1::master::Response;

/// One call of the operator API that is answered.
pub(crate) struct Line {
    pub(crate) kind: Type,
    look: Look,
}

const fn line(kind: Type, look: Look) -> Line {
    Line { kind, look }
}

/// THE TABLE, in the order of the calls' numbers. What is not in it is refused.
pub(crate) const TABLE: &[Line] = &[
    line(Type::GetHealth, |_, _| mesos_proto::v1::master::Response {
        get_health: Some(response::GetHealth { healthy: true }),
        ..of(Kind::GetHealth)
    }),
    line(Type::GetVersion, |_, _| mesos_proto::v1::master::Response {
        get_version: Some(response::GetVersion {
            version_info: VersionInfo {
                version: VERSION.to_owned(),
                ..VersionInfo::default()
            },
        }),
        ..of(Kind::GetVersion)
    }),
    line(Type::GetLoggingLevel, |_, _| mesos_proto::v1::master::Response {
        get_logging_level: Some(response::GetLoggingLevel { level: 0 }),
        ..of(Kind::GetLoggingLevel)
    }),
    line(Type::GetState, |master, _| mesos_proto::v1::master::Response {
        get_state: Some(response::GetState {
            get_tasks: Some(shown::tasks(master)),
            get_executors: Some(response::GetExecutors::default()),
            get_frameworks: Some(shown::frameworks(master)),
            get_agents: Some(shown::agents(master)),
        }),
        ..of(Kind::GetState)
    }),
    line(Type::GetAgents, |master, _| mesos_proto::v1::master::Response {
        get_agents: Some(shown::agents(master)),
        ..of(Kind::GetAgents)
    }),
    line(Type::GetFrameworks, |master, _| {
        mesos_proto::v1::master::Response {
            get_frameworks: Some(shown::frameworks(master)),
            ..of(Kind::GetFrameworks)
        }
    }),
    line(Type::GetExecutors, |_, _| mesos_proto::v1::master::Response {
        get_executors: Some(response::GetExecutors::default()),
        ..of(Kind::GetExecutors)
    }),
    line(Type::GetTasks, |master, _| mesos_proto::v1::master::Response {
        get_tasks: Some(shown::tasks(master)),
        ..of(Kind::GetTasks)
    }),
    line(Type::GetRoles, |master, _| mesos_proto::v1::master::Response {
        get_roles: Some(shown::roles(master)),
        ..of(Kind::GetRoles)
    }),
    line(Type::GetWeights, |_, _| of(Kind::GetWeights)),
    line(Type::GetMaster, |master, started| {
        mesos_proto::v1::master::Response {
            get_master: Some(response::GetMaster {
                master_info: Some(master.info.clone()),
                start_time: Some(started.as_secs_f64()),
                elected_time: Some(started.as_secs_f64()),
            }),
            ..of(Kind::GetMaster)
        }
    }),
    line(Type::GetOperations, |_, _| mesos_proto::v1::master::Response {
        get_operations: Some(response::GetOperations::default()),
        ..of(Kind::GetOperations)
    }),
];

fn of(kind: Kind) -> mesos_proto::v1::master::Response {
    mesos_proto::v1::master::Response {
        r#type: Some(kind as i32),
        ..mesos_proto::v1::master::Response::default()
    }
}

/// `POST /api/v1`.
pub(super) async fn handle(
    State(cluster): State<Arc<Cluster>>,
    method: Method,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    only_post(&method)?;
    let call: Call = call(&headers, body, cluster.limits.request_bytes_max).await?;
    let kind = call
        .r#type
        .and_then(|kind| Type::try_from(kind).ok())
        .filter(|kind| *kind != Type::Unknown);
    let Some(kind) = kind else {
        let why = "Failed to validate master::Call: Expecting 'type' to be present";
        return Err(refusal(StatusCode::BAD_REQUEST, why));
    };
    let encoding = accepted(&headers)?;
    let Some(line) = TABLE.iter().find(|line| line.kind == kind) else {
        let why = format!("{} is not supported here", kind.as_str_name());
        return Err(refusal(StatusCode::NOT_IMPLEMENTED, why));
    };
    let (look, started) = (line.look, cluster.started);
    let seen = cluster.master.read(move |master| look(master, started)).await;
    let seen = seen.map_err(|error| refusal(StatusCode::SERVICE_UNAVAILABLE, error.to_string()))?;
    Ok(message(encoding, &seen))
}
