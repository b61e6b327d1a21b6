//! DescribeTopicPartitions (75): the partitions of topics, page by page.

use super::{Context, operations};
use crate::{
    core::topics::{check_name, is_internal},
    partition::Partition,
    topics::Topic,
    wire::{
        ResponseError,
        messages::{
            BrokerId, DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse, TopicName,
            describe_topic_partitions_response::{
                Cursor, DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic,
            },
        },
        text,
    },
};
use std::sync::Arc;

/// Kafka's `max.request.partition.size.limit`.
const PARTITIONS_MAX: i32 = 2000;

pub(crate) async fn handle(
    cx: Context,
    request: DescribeTopicPartitionsRequest,
) -> DescribeTopicPartitionsResponse {
    let image = cx.broker.topics.image();
    let from = request
        .cursor
        .as_ref()
        .map(|cursor| (&*cursor.topic_name.0, cursor.partition_index));
    let mut names: Vec<&str> = if request.topics.is_empty() {
        image.iter().map(|topic| topic.record.name.as_str()).collect()
    } else {
        request.topics.iter().map(|topic| &*topic.name.0).collect()
    };
    names.sort_unstable();
    names.dedup();
    names.retain(|name| from.is_none_or(|(first, _)| *name >= first));
    let configured = cx
        .broker
        .dynamic
        .load()
        .get("max.request.partition.size.limit", PARTITIONS_MAX);
    let mut left = request.response_partition_limit.min(configured).max(1);
    let mut response = DescribeTopicPartitionsResponse::default();
    for name in names {
        let Some(topic) = image.get(name) else {
            response.topics.push(absent(name));
            continue;
        };
        let first = from
            .filter(|(first, _)| *first == name)
            .map_or(0, |(_, index)| index.max(0));
        if left == 0 {
            response.next_cursor = Some(cursor(name, first));
            break;
        }
        let end = topic.record.partitions.min(first.saturating_add(left));
        left -= (end - first).max(0);
        response.topics.push(page(&cx, topic, first..end));
        if end < topic.record.partitions {
            response.next_cursor = Some(cursor(name, end));
            break;
        }
    }
    response
}

fn cursor(name: &str, index: i32) -> Cursor {
    Cursor::default()
        .with_topic_name(TopicName(text(name)))
        .with_partition_index(index)
}

fn absent(name: &str) -> DescribeTopicPartitionsResponseTopic {
    let error = match check_name(name) {
        Ok(()) => ResponseError::UnknownTopicOrPartition,
        Err(_) => ResponseError::InvalidTopicException,
    };
    DescribeTopicPartitionsResponseTopic::default()
        .with_error_code(error.code())
        .with_name(Some(TopicName(text(name))))
        .with_is_internal(is_internal(name))
}

fn page(cx: &Context, topic: &Topic, indexes: std::ops::Range<i32>) -> DescribeTopicPartitionsResponseTopic {
    let me = BrokerId(cx.broker.config.node_id);
    let partitions = indexes.filter_map(|index| topic.partition(index));
    let partition = |partition: &Arc<Partition>| {
        DescribeTopicPartitionsResponsePartition::default()
            .with_partition_index(partition.index)
            .with_leader_id(me)
            .with_leader_epoch(partition.leader_epoch)
            .with_replica_nodes(vec![me])
            .with_isr_nodes(vec![me])
            .with_eligible_leader_replicas(Some(Vec::new()))
            .with_last_known_elr(Some(Vec::new()))
    };
    DescribeTopicPartitionsResponseTopic::default()
        .with_name(Some(TopicName(text(&topic.record.name))))
        .with_topic_id(topic.record.uuid())
        .with_is_internal(is_internal(&topic.record.name))
        .with_partitions(partitions.map(partition).collect())
        .with_topic_authorized_operations(operations::TOPIC)
}
