//! ElectLeaders (43): every partition's only replica leads it, so no election is ever needed.

use super::Context;
use crate::{
    error::ApiError,
    wire::{
        ResponseError,
        messages::{
            ElectLeadersRequest, ElectLeadersResponse,
            elect_leaders_request::TopicPartitions,
            elect_leaders_response::{PartitionResult, ReplicaElectionResult},
        },
        text,
    },
};

/// Preferred and unclean.
const ELECTION_TYPES: std::ops::RangeInclusive<i8> = 0..=1;

pub(crate) async fn handle(cx: Context, request: ElectLeadersRequest) -> ElectLeadersResponse {
    let response = ElectLeadersResponse::default();
    if cx.version() >= 1 && !ELECTION_TYPES.contains(&request.election_type) {
        return response.with_error_code(ResponseError::InvalidRequest.code());
    }
    // Asked for all, Kafka leaves out those that need none.
    let asked = request.topic_partitions.unwrap_or_default();
    let image = cx.broker.topics.image();
    let topic = |asked: &TopicPartitions| {
        let name = &asked.topic.0;
        let check = |index: i32| -> ApiError {
            let unknown = |why: String| ApiError::new(ResponseError::UnknownTopicOrPartition, why);
            match image.get(name) {
                None => unknown(format!("No such topic as {name}")),
                Some(topic) if topic.partition(index).is_none() => {
                    unknown(format!("No such partition as {name}-{index}"))
                }
                Some(_) => ResponseError::ElectionNotNeeded.into(),
            }
        };
        let result = |index: &i32| {
            let error = check(*index);
            PartitionResult::default()
                .with_partition_id(*index)
                .with_error_code(error.wire())
                .with_error_message(error.message.map(text))
        };
        ReplicaElectionResult::default()
            .with_topic(asked.topic.clone())
            .with_partition_result(asked.partitions.iter().map(result).collect())
    };
    response.with_replica_election_results(asked.iter().map(topic).collect())
}
