use super::{
    Cluster,
    called::{Called, invalid, missing},
};
use crate::{
    core::master::Refused,
    shell::CallError,
    wire::{Refusal, accepted, empty, events, refusal},
};
use axum::{extract::State, http::StatusCode, response::Response};
use mesos_proto::v1::scheduler::{Call, call::Type};
use std::sync::Arc;

/// One call of the scheduler API.
pub(crate) struct Line {
    pub(crate) kind: Type,
    /// The field that must come with it; none where it may do without.
    field: Option<&'static str>,
    present: fn(&Call) -> bool,
    /// Whether it does what the original does; what does not is refused by the core.
    #[cfg_attr(not(test), expect(dead_code, reason = "docs/compat is written from it"))]
    pub(crate) supported: bool,
}

const fn line(kind: Type, field: Option<&'static str>, present: fn(&Call) -> bool, supported: bool) -> Line {
    Line {
        kind,
        field,
        present,
        supported,
    }
}

/// THE TABLE: every call, in the order of their numbers.
pub(crate) const TABLE: &[Line] = &[
    line(
        Type::Subscribe,
        Some("subscribe"),
        |call| call.subscribe.is_some(),
        true,
    ),
    line(Type::Teardown, None, |_| true, true),
    line(Type::Accept, Some("accept"), |call| call.accept.is_some(), true),
    line(
        Type::Decline,
        Some("decline"),
        |call| call.decline.is_some(),
        true,
    ),
    line(Type::Revive, None, |_| true, true),
    line(Type::Kill, Some("kill"), |call| call.kill.is_some(), true),
    line(
        Type::Shutdown,
        Some("shutdown"),
        |call| call.shutdown.is_some(),
        true,
    ),
    line(
        Type::Acknowledge,
        Some("acknowledge"),
        |call| call.acknowledge.is_some(),
        true,
    ),
    line(
        Type::Reconcile,
        Some("reconcile"),
        |call| call.reconcile.is_some(),
        true,
    ),
    line(
        Type::Message,
        Some("message"),
        |call| call.message.is_some(),
        true,
    ),
    line(
        Type::Request,
        Some("request"),
        |call| call.request.is_some(),
        true,
    ),
    line(Type::Suppress, None, |_| true, true),
    line(
        Type::AcceptInverseOffers,
        Some("accept_inverse_offers"),
        |call| call.accept_inverse_offers.is_some(),
        true,
    ),
    line(
        Type::DeclineInverseOffers,
        Some("decline_inverse_offers"),
        |call| call.decline_inverse_offers.is_some(),
        true,
    ),
    line(
        Type::AcknowledgeOperationStatus,
        Some("acknowledge_operation_status"),
        |call| call.acknowledge_operation_status.is_some(),
        true,
    ),
    line(
        Type::ReconcileOperations,
        Some("reconcile_operations"),
        |call| call.reconcile_operations.is_some(),
        true,
    ),
    line(
        Type::UpdateFramework,
        Some("update_framework"),
        |call| call.update_framework.is_some(),
        true,
    ),
];

/// `POST /api/v1/scheduler`.
pub(super) async fn handle(
    State(cluster): State<Arc<Cluster>>,
    Called { call, headers }: Called<Call>,
) -> Result<Response, Refusal> {
    let kind = check(&call).map_err(|why| invalid("scheduler", why))?;
    let stream = headers
        .get("mesos-stream-id")
        .and_then(|value| value.to_str().ok());
    if kind != Type::Subscribe {
        let called = cluster.master.call(stream.map(str::to_owned), call).await;
        let status = match kind {
            Type::UpdateFramework => StatusCode::OK,
            _ => StatusCode::ACCEPTED,
        };
        return called.map(|()| empty(status)).map_err(refused);
    }
    if stream.is_some() {
        let why = "Subscribe calls should not include the 'Mesos-Stream-Id' header";
        return Err(refusal(StatusCode::BAD_REQUEST, why));
    }
    let encoding = accepted(&headers)?;
    let subscription = cluster.master.subscribe(call).await.map_err(refused)?;
    Ok(events(subscription, encoding))
}

/// What every call must have.
fn check(call: &Call) -> Result<Type, String> {
    let kind = call.r#type.and_then(|kind| Type::try_from(kind).ok());
    let line = TABLE.iter().find(|line| Some(line.kind) == kind);
    let line = line.ok_or_else(|| missing("type"))?;
    if line.kind != Type::Subscribe && call.framework_id.is_none() {
        return Err(missing("framework_id"));
    }
    match line.field {
        Some(field) if !(line.present)(call) => Err(missing(field)),
        _ => Ok(line.kind),
    }
}

/// The only place that gives refusals their status.
fn refused(error: CallError) -> Refusal {
    let status = match &error {
        CallError::Stopping | CallError::NotLeading => StatusCode::SERVICE_UNAVAILABLE,
        CallError::Refused(Refused::NotSubscribed) => StatusCode::FORBIDDEN,
        CallError::Refused(_) => StatusCode::BAD_REQUEST,
    };
    refusal(status, error.to_string())
}
