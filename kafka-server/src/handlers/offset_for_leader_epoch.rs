//! OffsetForLeaderEpoch (23): where a leader's time ended; that of the one there is ends where the log does.

use super::Context;
use crate::{
    error::ApiError,
    topics::Topic,
    wire::{
        ResponseError,
        messages::{
            OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse,
            offset_for_leader_epoch_request::OffsetForLeaderPartition,
            offset_for_leader_epoch_response::{EpochEndOffset, OffsetForLeaderTopicResult},
        },
    },
};
use std::sync::Arc;

/// No such epoch, no such offset.
const UNDEFINED: (i32, i64) = (-1, -1);

pub(crate) async fn handle(
    cx: Context,
    request: OffsetForLeaderEpochRequest,
) -> OffsetForLeaderEpochResponse {
    let image = cx.broker.topics.image();
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in request.topics {
        let known = image.get(&topic.topic);
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for wanted in topic.partitions {
            let found = end_of(known, &wanted).await;
            let ((epoch, offset), error) = match found {
                Ok(found) => (found, 0),
                Err(error) => (UNDEFINED, error.wire()),
            };
            partitions.push(
                EpochEndOffset::default()
                    .with_partition(wanted.partition)
                    .with_error_code(error)
                    .with_leader_epoch(epoch)
                    .with_end_offset(offset),
            );
        }
        topics.push(
            OffsetForLeaderTopicResult::default()
                .with_topic(topic.topic)
                .with_partitions(partitions),
        );
    }
    OffsetForLeaderEpochResponse::default().with_topics(topics)
}

async fn end_of(
    topic: Option<&Arc<Topic>>,
    wanted: &OffsetForLeaderPartition,
) -> Result<(i32, i64), ApiError> {
    let partition = topic.and_then(|topic| topic.partition(wanted.partition));
    let partition = partition.ok_or(ResponseError::UnknownTopicOrPartition)?;
    partition.check_leader_epoch(wanted.current_leader_epoch)?;
    if wanted.leader_epoch < 0 {
        return Ok(UNDEFINED);
    }
    let found = partition.open().await?.end_of_epoch(wanted.leader_epoch);
    Ok(found.map_or(UNDEFINED, |(epoch, end)| {
        (epoch, i64::try_from(end).unwrap_or(i64::MAX))
    }))
}
