//! InitProducerId (22): an id and an epoch for a producer, idempotent or transactional.

use super::Context;
use crate::{
    core::transactions::{NO_EPOCH, NO_PRODUCER_ID, Producer},
    error::ApiError,
    transactions::{self, fenced},
    wire::{
        ResponseError,
        messages::{InitProducerIdRequest, InitProducerIdResponse, ProducerId},
    },
};

/// The first version whose clients know PRODUCER_FENCED.
const FENCED_SINCE: i16 = 4;

pub(crate) async fn handle(cx: Context, request: InitProducerIdRequest) -> InitProducerIdResponse {
    match init(&cx, &request).await {
        Ok(producer) => InitProducerIdResponse::default()
            .with_producer_id(ProducerId(producer.id))
            .with_producer_epoch(producer.epoch),
        Err(error) => InitProducerIdResponse::default()
            .with_error_code(fenced(error, cx.version() >= FENCED_SINCE).wire())
            .with_producer_id(ProducerId(NO_PRODUCER_ID))
            .with_producer_epoch(NO_EPOCH),
    }
}

async fn init(cx: &Context, request: &InitProducerIdRequest) -> Result<Producer, ApiError> {
    let expected = match (request.producer_id.0, request.producer_epoch) {
        (NO_PRODUCER_ID, NO_EPOCH) => None,
        (NO_PRODUCER_ID, _) | (_, NO_EPOCH) => return Err(ResponseError::InvalidRequest.into()),
        (id, epoch) => Some(Producer { id, epoch }),
    };
    let Some(transactional_id) = &request.transactional_id else {
        let id = cx.broker.producer_ids.next().await;
        let unavailable = |_| ResponseError::CoordinatorNotAvailable;
        return Ok(Producer {
            id: id.map_err(unavailable)?,
            epoch: 0,
        });
    };
    transactions::init(
        &cx.broker,
        transactional_id,
        request.transaction_timeout_ms,
        expected,
    )
    .await
}
