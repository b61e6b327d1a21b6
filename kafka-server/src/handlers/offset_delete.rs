//! OffsetDelete (47): an administrator forgets offsets of topics that no member reads.

use super::{Context, owned};
use crate::wire::{
    ResponseError,
    messages::{
        OffsetDeleteRequest, OffsetDeleteResponse, TopicName,
        offset_delete_request::{OffsetDeleteRequestPartition, OffsetDeleteRequestTopic},
        offset_delete_response::{OffsetDeleteResponsePartition, OffsetDeleteResponseTopic},
    },
};

pub(crate) async fn handle(cx: Context, request: OffsetDeleteRequest) -> OffsetDeleteResponse {
    let image = cx.broker.topics.image();
    let exists = |topic: &OffsetDeleteRequestTopic, index: i32| {
        let found = image.get(&topic.name);
        found.is_some_and(|topic| (0..topic.record.partitions).contains(&index))
    };
    let asked = request.topics.iter().map(|topic| {
        let indexes = topic.partitions.iter().map(|partition| partition.partition_index);
        (
            owned(&topic.name),
            indexes.filter(|index| exists(topic, *index)).collect(),
        )
    });
    let results = match cx
        .broker
        .groups
        .delete_offsets(&request.group_id, asked.collect())
        .await
    {
        Ok(results) => results,
        Err(error) => return OffsetDeleteResponse::default().with_error_code(error.wire()),
    };
    let mut deleted = results.into_iter().flatten();
    let topics = request.topics.iter().map(|topic| {
        let line = |partition: &OffsetDeleteRequestPartition| {
            let index = partition.partition_index;
            let code = match exists(topic, index) {
                false => ResponseError::UnknownTopicOrPartition.code(),
                true => deleted
                    .next()
                    .and_then(|(_, result)| result.err())
                    .map_or(0, |error| error.code()),
            };
            OffsetDeleteResponsePartition::default()
                .with_partition_index(index)
                .with_error_code(code)
        };
        OffsetDeleteResponseTopic::default()
            .with_name(TopicName(topic.name.0.clone()))
            .with_partitions(topic.partitions.iter().map(line).collect())
    });
    OffsetDeleteResponse::default().with_topics(topics.collect())
}
