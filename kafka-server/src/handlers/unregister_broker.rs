//! UnregisterBroker (64): the only broker cannot leave its cluster.

use super::Context;
use crate::wire::{
    ResponseError,
    messages::{UnregisterBrokerRequest, UnregisterBrokerResponse},
    text,
};

pub(crate) async fn handle(cx: Context, request: UnregisterBrokerRequest) -> UnregisterBrokerResponse {
    let id = request.broker_id.0;
    let (error, why) = if id == cx.broker.config.node_id {
        (
            ResponseError::InvalidRequest,
            format!("Broker ID {id} is the only one of its cluster and serves it"),
        )
    } else {
        (
            ResponseError::BrokerIdNotRegistered,
            format!("Broker ID {id} is not currently registered"),
        )
    };
    UnregisterBrokerResponse::default()
        .with_error_code(error.code())
        .with_error_message(Some(text(why)))
}
