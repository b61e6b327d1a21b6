//! EndTxn (26): commit or abort. Answered once the decision is stored; from version 5 on (V2) with the id and the
//! epoch of the next transaction.

use super::Context;
use crate::{
    core::transactions::{NO_EPOCH, NO_PRODUCER_ID, Producer, Version},
    transactions::{self, fenced},
    wire::messages::{EndTxnRequest, EndTxnResponse, ProducerId},
};

/// The first version that means V2.
const V2_SINCE: i16 = 5;
/// The first version whose clients know PRODUCER_FENCED.
const FENCED_SINCE: i16 = 2;

pub(crate) async fn handle(cx: Context, request: EndTxnRequest) -> EndTxnResponse {
    let producer = Producer {
        id: request.producer_id.0,
        epoch: request.producer_epoch,
    };
    let version = if cx.version() >= V2_SINCE {
        Version::V2
    } else {
        Version::V1
    };
    let ended = transactions::end(
        &cx.broker,
        &request.transactional_id,
        producer,
        request.committed,
        version,
    );
    match ended.await {
        Ok(next) if version == Version::V2 => EndTxnResponse::default()
            .with_producer_id(ProducerId(next.id))
            .with_producer_epoch(next.epoch),
        Ok(_) => EndTxnResponse::default(),
        Err(error) => {
            let error = fenced(error, cx.version() >= FENCED_SINCE);
            let refused = EndTxnResponse::default().with_error_code(error.wire());
            match version {
                Version::V1 => refused,
                Version::V2 => refused
                    .with_producer_id(ProducerId(NO_PRODUCER_ID))
                    .with_producer_epoch(NO_EPOCH),
            }
        }
    }
}
