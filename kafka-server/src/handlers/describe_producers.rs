//! DescribeProducers (61): what partitions know of their producers, for those who look for hanging transactions.

use super::{Context, Room};
use crate::{
    core::producers::Producer,
    error::ApiError,
    topics::Topic,
    wire::{
        ResponseError,
        messages::{
            DescribeProducersRequest, DescribeProducersResponse, ProducerId,
            describe_producers_response::{PartitionResponse, ProducerState, TopicResponse},
        },
        text,
    },
};
use std::sync::Arc;

pub(crate) async fn handle(cx: Context, request: DescribeProducersRequest) -> DescribeProducersResponse {
    let image = cx.broker.topics.image();
    let mut room = Room::new(&cx);
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in request.topics {
        let known = image.get(&topic.name);
        let mut partitions = Vec::with_capacity(topic.partition_indexes.len());
        for index in topic.partition_indexes {
            let response = PartitionResponse::default().with_partition_index(index);
            let found = match room.next().await {
                Ok(()) => producers(known, index).await,
                Err(error) => Err(error),
            };
            let response = match found {
                Ok(producers) => response.with_active_producers(producers),
                Err(error) => response
                    .with_error_code(error.wire())
                    .with_error_message(error.message.map(text)),
            };
            room.add(&response);
            partitions.push(response);
        }
        topics.push(
            TopicResponse::default()
                .with_name(topic.name)
                .with_partitions(partitions),
        );
    }
    DescribeProducersResponse::default().with_topics(topics)
}

async fn producers(topic: Option<&Arc<Topic>>, index: i32) -> Result<Vec<ProducerState>, ApiError> {
    let partition = topic.and_then(|topic| topic.partition(index));
    let partition = partition.ok_or(ResponseError::UnknownTopicOrPartition)?;
    let producers = partition.open().await?.producers();
    let mut states: Vec<_> = producers
        .iter()
        .map(|(id, producer)| state(id, producer))
        .collect();
    states.sort_by_key(|state| state.producer_id.0);
    Ok(states)
}

fn state(id: i64, producer: &Producer) -> ProducerState {
    let first = producer
        .transaction_first
        .and_then(|first| i64::try_from(first).ok());
    ProducerState::default()
        .with_producer_id(ProducerId(id))
        .with_producer_epoch(i32::from(producer.epoch))
        .with_last_sequence(producer.last_sequence())
        .with_last_timestamp(producer.timestamp_ms)
        .with_coordinator_epoch(producer.coordinator_epoch)
        .with_current_txn_start_offset(first.unwrap_or(-1))
}
