//! FindCoordinator (10): which broker coordinates a group or a transactional id. Here it is always this one.

use super::Context;
use crate::creation::{CONSUMER_OFFSETS, TRANSACTION_STATE};
use crate::wire::{
    ResponseError, StrBytes,
    messages::{
        BrokerId, FindCoordinatorRequest, FindCoordinatorResponse, find_coordinator_response::Coordinator,
    },
    text,
};

/// Key types: groups and transactional ids.
const KNOWN_TYPES: [i8; 2] = [0, 1];

/// What the original says of a key type that it does not know.
const REFUSED: &str = "This most likely occurs because of a request being malformed by the client library or the message \
                       was sent to an incompatible broker. See the broker logs for more details.";

pub(crate) async fn handle(cx: Context, request: FindCoordinatorRequest) -> FindCoordinatorResponse {
    let known = KNOWN_TYPES.contains(&request.key_type);
    show_internal_topic(&cx, request.key_type).await;
    if cx.version() >= 4 {
        let keys = request.coordinator_keys.into_iter();
        return FindCoordinatorResponse::default()
            .with_coordinators(keys.map(|key| coordinator(&cx, key, known)).collect());
    }
    let found = coordinator(&cx, request.key, known);
    FindCoordinatorResponse::default()
        .with_error_code(found.error_code)
        // The original's old layout always has a text; its new one never has.
        .with_error_message(Some(text(match known {
            true => "NONE",
            false => REFUSED,
        })))
        .with_node_id(found.node_id)
        .with_host(found.host)
        .with_port(found.port)
}

/// Whoever uses a coordinator sees its topic from then on, as with Kafka.
async fn show_internal_topic(cx: &Context, key_type: i8) {
    let name = match key_type {
        0 => CONSUMER_OFFSETS,
        1 => TRANSACTION_STATE,
        _ => return,
    };
    if let Err(error) = cx.broker.ensure_internal_topic(name).await {
        tracing::warn!(topic = name, %error, "internal topic not shown");
    }
}

fn coordinator(cx: &Context, key: StrBytes, known: bool) -> Coordinator {
    if !known {
        return Coordinator::default()
            .with_key(key)
            .with_error_code(ResponseError::InvalidRequest.code())
            .with_node_id(BrokerId(-1))
            .with_port(-1);
    }
    let (host, port) = cx.broker.address(&cx.listener);
    Coordinator::default()
        .with_key(key)
        .with_node_id(BrokerId(cx.broker.config.node_id))
        .with_host(text(host))
        .with_port(i32::from(port))
}
