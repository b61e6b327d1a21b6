//! Metadata (3): brokers, topics, partitions and their leaders.

use super::{Context, Room, operations};
use crate::{
    core::topics::{Wanted, check_name, is_internal},
    partition::Partition,
    topics::{Image, Topic},
    wire::{
        ResponseError,
        messages::{
            BrokerId, MetadataRequest, MetadataResponse, TopicName,
            metadata_request::MetadataRequestTopic,
            metadata_response::{MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic},
        },
        text,
    },
};
use std::{collections::HashSet, sync::Arc};

pub(crate) async fn handle(cx: Context, request: MetadataRequest) -> MetadataResponse {
    let me = BrokerId(cx.broker.config.node_id);
    let (host, port) = cx.broker.address(&cx.listener);
    let mut response = MetadataResponse::default()
        .with_brokers(vec![
            MetadataResponseBroker::default()
                .with_node_id(me)
                .with_host(text(host))
                .with_port(i32::from(port))
                .with_rack(cx.broker.rack().filter(|_| cx.version() > 0).map(text)),
        ])
        .with_cluster_id(Some(text(&cx.broker.cluster_id)))
        .with_controller_id(me)
        .with_topics(topics(&cx, &request).await);
    if (8..=10).contains(&cx.version()) && request.include_cluster_authorized_operations {
        response.cluster_authorized_operations = operations::CLUSTER;
    }
    response
}

async fn topics(cx: &Context, request: &MetadataRequest) -> Vec<MetadataResponseTopic> {
    let operations = request.include_topic_authorized_operations;
    let asked = match &request.topics {
        // In the first version an empty list is what null is later: all of them.
        Some(topics) if cx.version() > 0 || !topics.is_empty() => topics,
        _ => {
            let image = cx.broker.topics.image();
            return lines(cx, image.iter().map(|topic| Ok(topic.as_ref())), operations).await;
        }
    };
    if let Some(error) = malformed(cx.version(), asked) {
        return asked.iter().map(|topic| failed(topic, error)).collect();
    }
    let by_id = asked.iter().any(|topic| !topic.topic_id.is_nil());
    let auto_create = request.allow_auto_topic_creation && cx.broker.config.auto_create_topics;
    if auto_create && !by_id {
        create_absent(cx, asked).await;
    }
    let image = cx.broker.topics.image();
    // However often a topic is named, it is told once.
    let mut named = HashSet::new();
    let once = asked
        .iter()
        .filter(|topic| named.insert((&topic.name, topic.topic_id)));
    let found = once.map(|topic| find(&image, topic).map_err(|error| failed(topic, error)));
    lines(cx, found, operations).await
}

/// A line for each topic, as far as the answer has room for all of its partitions.
async fn lines<'a>(
    cx: &Context,
    topics: impl Iterator<Item = Result<&'a Topic, MetadataResponseTopic>>,
    operations: bool,
) -> Vec<MetadataResponseTopic> {
    let mut room = Room::new(cx);
    let mut lines = Vec::new();
    for topic in topics {
        let has_room = room.next().await;
        let line = match (topic, has_room) {
            (Ok(topic), Ok(())) => line(cx, topic, operations),
            (Ok(topic), Err(error)) => head(topic).with_error_code(error.wire()),
            (Err(failed), _) => failed,
        };
        room.add(&line);
        lines.push(line);
    }
    lines
}

/// What makes the whole list of `asked` topics unreadable.
fn malformed(version: i16, asked: &[MetadataRequestTopic]) -> Option<ResponseError> {
    let ids = |topic: &MetadataRequestTopic| topic.name.is_none() || !topic.topic_id.is_nil();
    (version < 12 && asked.iter().any(ids)).then_some(ResponseError::InvalidRequest)
}

fn find<'a>(image: &'a Image, asked: &MetadataRequestTopic) -> Result<&'a Topic, ResponseError> {
    match &asked.name {
        _ if !asked.topic_id.is_nil() => image.by_id(&asked.topic_id).ok_or(ResponseError::UnknownTopicId),
        Some(name) => match image.get(&name.0) {
            Some(topic) => Ok(topic),
            None if check_name(&name.0).is_err() => Err(ResponseError::InvalidTopicException),
            None => Err(ResponseError::UnknownTopicOrPartition),
        },
        None => Err(ResponseError::InvalidRequest),
    }
    .map(|topic| topic.as_ref())
}

/// Makes the topics that are asked for and not there, as far as their names allow.
async fn create_absent(cx: &Context, asked: &[MetadataRequestTopic]) {
    let image = cx.broker.topics.image();
    let absent = asked
        .iter()
        .filter_map(|topic| topic.name.as_ref())
        .filter(|name| image.get(&name.0).is_none());
    let wanted: Vec<Wanted> = absent.map(|name| cx.broker.internal_topic(&name.0)).collect();
    for (wanted, made) in wanted.iter().zip(cx.broker.create_topics(&wanted, false).await) {
        match made {
            Ok(record) => tracing::info!(
                topic = record.name,
                partitions = record.partitions,
                "topic created by its use"
            ),
            Err(error) => tracing::debug!(topic = wanted.name, %error, "topic not created by its use"),
        }
    }
}

fn line(cx: &Context, topic: &Topic, operations: bool) -> MetadataResponseTopic {
    let me = BrokerId(cx.broker.config.node_id);
    let partition = |partition: &Arc<Partition>| {
        MetadataResponsePartition::default()
            .with_partition_index(partition.index)
            .with_leader_id(me)
            .with_leader_epoch(partition.leader_epoch)
            .with_replica_nodes(vec![me])
            .with_isr_nodes(vec![me])
    };
    let line = head(topic).with_partitions(topic.partitions.iter().map(partition).collect());
    if operations && cx.version() >= 8 {
        line.with_topic_authorized_operations(operations::TOPIC)
    } else {
        line
    }
}

/// Which topic it is.
fn head(topic: &Topic) -> MetadataResponseTopic {
    MetadataResponseTopic::default()
        .with_name(Some(TopicName(text(&topic.record.name))))
        .with_topic_id(topic.record.uuid())
        .with_is_internal(is_internal(&topic.record.name))
}

fn failed(asked: &MetadataRequestTopic, error: ResponseError) -> MetadataResponseTopic {
    MetadataResponseTopic::default()
        .with_name(asked.name.clone())
        .with_topic_id(asked.topic_id)
        .with_is_internal(asked.name.as_ref().is_some_and(|name| is_internal(&name.0)))
        .with_error_code(error.code())
}
