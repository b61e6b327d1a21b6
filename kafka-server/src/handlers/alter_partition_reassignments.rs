//! AlterPartitionReassignments (45): a partition can only be moved to where it already is.

use super::Context;
use crate::{
    core::topics::check_assignment,
    error::ApiError,
    wire::{
        ResponseError,
        messages::{
            AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse,
            alter_partition_reassignments_request::{ReassignablePartition, ReassignableTopic},
            alter_partition_reassignments_response::{
                ReassignablePartitionResponse, ReassignableTopicResponse,
            },
        },
        text,
    },
};

pub(crate) async fn handle(
    cx: Context,
    request: AlterPartitionReassignmentsRequest,
) -> AlterPartitionReassignmentsResponse {
    let topic = |topic: &ReassignableTopic| {
        let partition = |partition: &ReassignablePartition| {
            let response =
                ReassignablePartitionResponse::default().with_partition_index(partition.partition_index);
            match check(&cx, &topic.name.0, partition) {
                Ok(()) => response.with_error_message(None),
                Err(error) => response
                    .with_error_code(error.wire())
                    .with_error_message(error.message.map(text)),
            }
        };
        ReassignableTopicResponse::default()
            .with_name(topic.name.clone())
            .with_partitions(topic.partitions.iter().map(partition).collect())
    };
    AlterPartitionReassignmentsResponse::default()
        .with_error_message(None)
        .with_allow_replication_factor_change(request.allow_replication_factor_change)
        .with_responses(request.topics.iter().map(topic).collect())
}

fn check(cx: &Context, name: &str, asked: &ReassignablePartition) -> Result<(), ApiError> {
    let unknown = |why: String| ApiError::new(ResponseError::UnknownTopicOrPartition, why);
    let image = cx.broker.topics.image();
    let topic = image
        .get(name)
        .ok_or_else(|| unknown(format!("Unable to find a topic named {name}.")))?;
    let index = asked.partition_index;
    if topic.partition(index).is_none() {
        return Err(unknown(format!("Unable to find partition {name}:{index}.")));
    }
    let Some(replicas) = &asked.replicas else {
        return Err(ResponseError::NoReassignmentInProgress.into());
    };
    let brokers: Vec<i32> = replicas.iter().map(|broker| broker.0).collect();
    Ok(check_assignment(&brokers, cx.broker.config.node_id)?)
}
