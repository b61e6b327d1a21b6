//! AddOffsetsToTxn (25): a group whose offsets a transaction is about to commit (V1 clients).

use super::Context;
use crate::{
    core::transactions::{Members, Producer, Version},
    transactions::fenced,
    wire::messages::{AddOffsetsToTxnRequest, AddOffsetsToTxnResponse},
};

/// The first version whose clients know PRODUCER_FENCED.
const FENCED_SINCE: i16 = 2;

pub(crate) async fn handle(cx: Context, request: AddOffsetsToTxnRequest) -> AddOffsetsToTxnResponse {
    let producer = Producer {
        id: request.producer_id.0,
        epoch: request.producer_epoch,
    };
    let group = Members::of_group(&request.group_id);
    let transactions = &cx.broker.transactions;
    let added = transactions
        .add(&request.transactional_id, producer, &group, Version::V1)
        .await;
    AddOffsetsToTxnResponse::default().with_error_code(match added {
        Ok(()) => 0,
        Err(error) => fenced(error, cx.version() >= FENCED_SINCE).wire(),
    })
}
