//! OffsetCommit (8): how far a group has read.

use super::{Context, owned, owned_option};
use crate::{
    groups::{CommitPartition, CommitRequest, CommitTopic},
    wire::{
        ResponseError,
        messages::{
            OffsetCommitRequest, OffsetCommitResponse, TopicName,
            offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic},
            offset_commit_response::{OffsetCommitResponsePartition, OffsetCommitResponseTopic},
        },
    },
};

pub(crate) async fn handle(cx: Context, request: OffsetCommitRequest) -> OffsetCommitResponse {
    let image = cx.broker.topics.image();
    let exists = |topic: &OffsetCommitRequestTopic, index: i32| {
        let found = image.get(&topic.name);
        found.is_some_and(|topic| (0..topic.record.partitions).contains(&index))
    };
    // What there is goes to the group; the rest is answered beside it.
    let mut known = Vec::new();
    for topic in &request.topics {
        let partitions = topic
            .partitions
            .iter()
            .filter(|partition| exists(topic, partition.partition_index));
        let partitions: Vec<_> = partitions.map(commit).collect();
        if !partitions.is_empty() {
            known.push(CommitTopic {
                name: owned(&topic.name),
                partitions,
            });
        }
    }
    let asked = CommitRequest {
        member_id: owned(&request.member_id),
        instance_id: owned_option(request.group_instance_id.as_ref()),
        generation: request.generation_id_or_member_epoch,
        retention_ms: (request.retention_time_ms >= 0).then_some(request.retention_time_ms),
        topics: known,
        missing: match cx.version() {
            ..=8 => ResponseError::IllegalGeneration,
            _ => ResponseError::GroupIdNotFound,
        },
        version: cx.version(),
    };
    let results = match asked.topics.is_empty() {
        true => Ok(Vec::new()),
        false => cx.broker.groups.commit(&request.group_id, asked).await,
    };
    let refused = results.as_ref().err().map_or(0, |error| error.wire());
    let mut committed = results.unwrap_or_default().into_iter().flatten();
    let topics = request.topics.iter().map(|topic| {
        let line = |partition: &OffsetCommitRequestPartition| {
            let index = partition.partition_index;
            let code = match exists(topic, index) {
                false => ResponseError::UnknownTopicOrPartition.code(),
                true if refused != 0 => refused,
                true => committed
                    .next()
                    .and_then(|(_, result)| result.err())
                    .map_or(0, |error| error.code()),
            };
            OffsetCommitResponsePartition::default()
                .with_partition_index(index)
                .with_error_code(code)
        };
        OffsetCommitResponseTopic::default()
            .with_name(TopicName(topic.name.0.clone()))
            .with_partitions(topic.partitions.iter().map(line).collect())
    });
    OffsetCommitResponse::default().with_topics(topics.collect())
}

fn commit(partition: &OffsetCommitRequestPartition) -> CommitPartition {
    CommitPartition {
        partition: partition.partition_index,
        offset: partition.committed_offset,
        leader_epoch: partition.committed_leader_epoch,
        metadata: partition.committed_metadata.as_deref().unwrap_or_default().into(),
    }
}
