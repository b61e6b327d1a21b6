//! TxnOffsetCommit (28): how far a group will have read once a transaction is committed. From version 5 on (V2) the
//! group is added to the transaction on the way.

use super::{Context, owned, owned_option};
use crate::{
    core::transactions::Producer,
    error::ApiError,
    groups::{CommitPartition, CommitRequest, CommitTopic},
    wire::{
        ResponseError,
        messages::{
            TxnOffsetCommitRequest, TxnOffsetCommitResponse,
            txn_offset_commit_request::{TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic},
            txn_offset_commit_response::{TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic},
        },
    },
};
use std::collections::HashMap;

/// The first version that means V2.
const V2_SINCE: i16 = 5;
/// The first version whose clients know TRANSACTION_ABORTABLE.
const ABORTABLE_SINCE: i16 = 4;

pub(crate) async fn handle(cx: Context, request: TxnOffsetCommitRequest) -> TxnOffsetCommitResponse {
    let image = cx.broker.topics.image();
    let known = |topic: &TxnOffsetCommitRequestTopic, index: i32| {
        let found = image.get(&topic.name);
        found.is_some_and(|topic| topic.partition(index).is_some())
    };
    // What there is goes to the group; the rest is answered beside it.
    let committed = commit(&cx, &request, &known).await;
    let topics = request.topics.iter().map(|topic| {
        let line = |partition: &TxnOffsetCommitRequestPartition| {
            let index = partition.partition_index;
            let code = match &committed {
                _ if !known(topic, index) => ResponseError::UnknownTopicOrPartition.code(),
                Err(error) => error.wire(),
                Ok(results) => results.get(&(topic.name.as_str(), index)).copied().unwrap_or(0),
            };
            TxnOffsetCommitResponsePartition::default()
                .with_partition_index(index)
                .with_error_code(code)
        };
        TxnOffsetCommitResponseTopic::default()
            .with_name(topic.name.clone())
            .with_partitions(topic.partitions.iter().map(line).collect())
    });
    TxnOffsetCommitResponse::default().with_topics(topics.collect())
}

/// Hands the offsets of known partitions to the group; answers the error code of each.
async fn commit<'a>(
    cx: &Context,
    request: &'a TxnOffsetCommitRequest,
    known: &impl Fn(&TxnOffsetCommitRequestTopic, i32) -> bool,
) -> Result<HashMap<(&'a str, i32), i16>, ApiError> {
    let topics = offsets(request, known);
    if topics.is_empty() {
        return Ok(HashMap::new());
    }
    if request.group_id.is_empty() {
        return Err(ResponseError::InvalidGroupId.into());
    }
    let producer = Producer {
        id: request.producer_id.0,
        epoch: request.producer_epoch,
    };
    let (id, group) = (&request.transactional_id, &request.group_id);
    if cx.version() >= V2_SINCE {
        cx.broker.transactions.group_added(id, producer, group).await?;
    } else {
        let abortable = cx.version() >= ABORTABLE_SINCE;
        cx.broker
            .transactions
            .verify_group(id, producer, group, abortable)?;
    }
    let names: Vec<&str> = request
        .topics
        .iter()
        .filter(|topic| topics.iter().any(|sent| *sent.name == *topic.name.as_str()))
        .map(|topic| topic.name.as_str())
        .collect();
    let asked = CommitRequest {
        member_id: owned(&request.member_id),
        instance_id: owned_option(request.group_instance_id.as_ref()),
        generation: request.generation_id,
        retention_ms: None,
        topics,
        missing: ResponseError::IllegalGeneration,
        version: cx.version(),
    };
    let groups = &cx.broker.groups;
    let committed = groups
        .commit_in_transaction(group, producer.id, producer.epoch, asked)
        .await;
    let results = committed.map_err(|error| match error.code {
        ResponseError::StaleMemberEpoch => ResponseError::IllegalGeneration.into(),
        _ => error,
    })?;
    let code = |result: Result<(), ResponseError>| result.err().map_or(0, |error| error.code());
    let lines = names.into_iter().zip(results);
    Ok(lines
        .flat_map(|(name, line)| {
            line.into_iter()
                .map(move |(index, result)| ((name, index), code(result)))
        })
        .collect())
}

fn offsets(
    request: &TxnOffsetCommitRequest,
    known: &impl Fn(&TxnOffsetCommitRequestTopic, i32) -> bool,
) -> Vec<CommitTopic> {
    let offset = |partition: &TxnOffsetCommitRequestPartition| CommitPartition {
        partition: partition.partition_index,
        offset: partition.committed_offset,
        leader_epoch: partition.committed_leader_epoch,
        metadata: partition.committed_metadata.as_deref().unwrap_or_default().into(),
    };
    let of_topic = |topic: &TxnOffsetCommitRequestTopic| CommitTopic {
        name: owned(&topic.name),
        partitions: topic
            .partitions
            .iter()
            .filter(|partition| known(topic, partition.partition_index))
            .map(offset)
            .collect(),
    };
    let topics = request.topics.iter().map(of_topic);
    topics.filter(|topic| !topic.partitions.is_empty()).collect()
}
