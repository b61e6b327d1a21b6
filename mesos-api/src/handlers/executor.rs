use super::{
    Cluster,
    called::{Called, invalid, missing},
};
use crate::{
    core::agent::Refused,
    shell::ExecutorError,
    wire::{Refusal, accepted, empty, executor_events, refusal},
};
use axum::{extract::State, http::StatusCode, response::Response};
use mesos_proto::v1::{
    TaskState,
    executor::{Call, call::Type},
    task_status::Source,
};
use std::sync::Arc;

/// Bytes of a uuid.
const UUID_BYTES: usize = 16;

/// `POST /api/v1/executor` of the agent.
pub(super) async fn handle(
    State(cluster): State<Arc<Cluster>>,
    Called { call, headers }: Called<Call>,
) -> Result<Response, Refusal> {
    let kind = check(&call).map_err(|why| invalid("executor", why))?;
    if kind != Type::Subscribe {
        let called = cluster.agent.call(call).await;
        return called.map(|()| empty(StatusCode::ACCEPTED)).map_err(refused);
    }
    let encoding = accepted(&headers)?;
    let attached = cluster.agent.subscribe(call).await.map_err(refused)?;
    Ok(executor_events(attached, encoding))
}

/// What every call must have. Texts are the original's.
pub(super) fn check(call: &Call) -> Result<Type, String> {
    let kind = call.r#type.and_then(|kind| Type::try_from(kind).ok());
    let Some(kind) = kind.filter(|kind| *kind != Type::Unknown) else {
        return Err(missing("type"));
    };
    match kind {
        Type::Subscribe if call.subscribe.is_none() => Err(missing("subscribe")),
        Type::Message if call.message.is_none() => Err(missing("message")),
        Type::Update => check_update(call).map(|()| kind),
        _ => Ok(kind),
    }
}

fn check_update(call: &Call) -> Result<(), String> {
    let Some(update) = &call.update else {
        return Err(missing("update"));
    };
    let status = &update.status;
    let (executor, framework) = (&call.executor_id.value, &call.framework_id.value);
    let Some(uuid) = &status.uuid else {
        return Err(missing("uuid"));
    };
    if uuid.len() != UUID_BYTES {
        return Err("Not a valid UUID".to_owned());
    }
    if let Some(other) = status.executor_id.as_ref().filter(|id| id.value != *executor) {
        return Err(format!(
            "ExecutorID in Call: {executor} does not match ExecutorID in TaskStatus: {}",
            other.value
        ));
    }
    if status.source() != Source::Executor {
        return Err(format!(
            "Received Call from executor {executor} of framework {framework} with invalid source, expecting \
             'SOURCE_EXECUTOR'"
        ));
    }
    if status.state() == TaskState::TaskStaging {
        return Err(format!(
            "Received TASK_STAGING from executor {executor} of framework {framework} which is not allowed"
        ));
    }
    Ok(())
}

/// The only place that gives an executor's refusals their status.
fn refused(error: ExecutorError) -> Refusal {
    let status = match &error {
        ExecutorError::Stopping => StatusCode::SERVICE_UNAVAILABLE,
        ExecutorError::Refused(Refused::NotSubscribed) => StatusCode::FORBIDDEN,
        ExecutorError::Refused(_) => StatusCode::BAD_REQUEST,
    };
    refusal(status, error.to_string())
}
