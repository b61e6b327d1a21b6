//! CreatePartitions (37): more partitions for topics there are.

use super::Context;
use crate::{
    core::topics,
    error::ApiError,
    wire::{
        ResponseError,
        messages::{
            CreatePartitionsRequest, CreatePartitionsResponse,
            create_partitions_request::CreatePartitionsTopic,
            create_partitions_response::CreatePartitionsTopicResult,
        },
        text,
    },
};

pub(crate) async fn handle(cx: Context, request: CreatePartitionsRequest) -> CreatePartitionsResponse {
    let mut results = Vec::new();
    for (at, topic) in request.topics.iter().enumerate() {
        let named = |other: &CreatePartitionsTopic| other.name == topic.name;
        if request.topics[..at].iter().any(named) {
            continue;
        }
        let made = if request.topics[at + 1..].iter().any(named) {
            Err(ApiError::new(
                ResponseError::InvalidRequest,
                "Duplicate topic name.",
            ))
        } else {
            extend(&cx, topic, request.validate_only).await
        };
        let result = CreatePartitionsTopicResult::default().with_name(topic.name.clone());
        results.push(match made {
            Ok(()) => result,
            Err(error) => result
                .with_error_code(error.wire())
                .with_error_message(error.message.map(text)),
        });
    }
    CreatePartitionsResponse::default().with_results(results)
}

async fn extend(cx: &Context, asked: &CreatePartitionsTopic, validate_only: bool) -> Result<(), ApiError> {
    let brokers =
        |assignment: &crate::wire::messages::create_partitions_request::CreatePartitionsAssignment| {
            assignment.broker_ids.iter().map(|broker| broker.0).collect()
        };
    let assignments: Option<Vec<Vec<i32>>> = asked
        .assignments
        .as_ref()
        .map(|assignments| assignments.iter().map(brokers).collect());
    let me = cx.broker.config.node_id;
    let mut answer = Err(ResponseError::UnknownTopicOrPartition.into());
    let change = |record: &mut crate::state::topics::TopicRecord| {
        let added = topics::added_partitions(
            &record.name,
            record.partitions,
            asked.count,
            assignments.as_deref(),
            me,
        );
        answer = added
            .map(|added| record.partitions += added)
            .map_err(ApiError::from);
        answer.is_ok() && !validate_only
    };
    cx.broker.topics.update(&asked.name.0, change).await?;
    answer
}
