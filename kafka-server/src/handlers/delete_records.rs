//! DeleteRecords (21): moves the beginning of partitions forward.

use super::{Context, produce::INTERNAL_TOPICS};
use crate::{
    error::ApiError,
    topics::Topic,
    wire::{
        ResponseError,
        messages::{
            DeleteRecordsRequest, DeleteRecordsResponse,
            delete_records_response::{DeleteRecordsPartitionResult, DeleteRecordsTopicResult},
        },
    },
};
use std::sync::Arc;

/// Stands for the high watermark.
const ALL: i64 = -1;

pub(crate) async fn handle(cx: Context, request: DeleteRecordsRequest) -> DeleteRecordsResponse {
    let image = cx.broker.topics.image();
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in request.topics {
        let known = image.get(&topic.name);
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for wanted in topic.partitions {
            let deleted = delete(known, wanted.partition_index, wanted.offset).await;
            let response =
                DeleteRecordsPartitionResult::default().with_partition_index(wanted.partition_index);
            partitions.push(match deleted {
                Ok(start) => response.with_low_watermark(i64::try_from(start).unwrap_or(i64::MAX)),
                Err(error) => response.with_low_watermark(-1).with_error_code(error.wire()),
            });
        }
        topics.push(
            DeleteRecordsTopicResult::default()
                .with_name(topic.name)
                .with_partitions(partitions),
        );
    }
    DeleteRecordsResponse::default().with_topics(topics)
}

/// Deletes what is below `before`; answers where the log starts now.
async fn delete(topic: Option<&Arc<Topic>>, index: i32, before: i64) -> Result<u64, ApiError> {
    let topic = topic.ok_or(ResponseError::UnknownTopicOrPartition)?;
    if INTERNAL_TOPICS.contains(&topic.record.name.as_str()) {
        return Err(ResponseError::InvalidTopicException.into());
    }
    let partition = topic
        .partition(index)
        .ok_or(ResponseError::UnknownTopicOrPartition)?;
    if !topic.config.delete {
        return Err(ResponseError::PolicyViolation.into());
    }
    let high_watermark = partition.open().await?.high_watermark();
    let before = match before {
        ALL => high_watermark,
        before => u64::try_from(before).map_err(|_| ResponseError::OffsetOutOfRange)?,
    };
    if before > high_watermark {
        return Err(ResponseError::OffsetOutOfRange.into());
    }
    partition.trim(before).await
}
