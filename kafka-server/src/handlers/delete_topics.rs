//! DeleteTopics (20): by name, or since version 6 by id.

use super::Context;
use crate::{
    error::ApiError,
    wire::{
        ResponseError,
        messages::{
            DeleteTopicsRequest, DeleteTopicsResponse, TopicName, delete_topics_request::DeleteTopicState,
            delete_topics_response::DeletableTopicResult,
        },
        text,
    },
};
use uuid::Uuid;

pub(crate) async fn handle(cx: Context, request: DeleteTopicsRequest) -> DeleteTopicsResponse {
    let by_name = |name: TopicName| DeleteTopicState::default().with_name(Some(name));
    let asked = request
        .topics
        .into_iter()
        .chain(request.topic_names.into_iter().map(by_name));
    let mut responses = Vec::new();
    for topic in asked {
        responses.push(match delete(&cx, &topic).await {
            Ok((name, id)) => DeletableTopicResult::default()
                .with_name(Some(name))
                .with_topic_id(id),
            Err(error) => DeletableTopicResult::default()
                .with_name(topic.name.clone())
                .with_topic_id(topic.topic_id)
                .with_error_code(error.wire())
                .with_error_message(error.message.map(text)),
        });
    }
    DeleteTopicsResponse::default().with_responses(responses)
}

async fn delete(cx: &Context, asked: &DeleteTopicState) -> Result<(TopicName, Uuid), ApiError> {
    if !cx.broker.dynamic.load().get("delete.topic.enable", true) {
        return Err(match cx.version() {
            ..3 => ResponseError::InvalidRequest,
            _ => ResponseError::TopicDeletionDisabled,
        }
        .into());
    }
    let image = cx.broker.topics.image();
    let topic = match (&asked.name, asked.topic_id.is_nil()) {
        (Some(name), true) => image.get(&name.0).ok_or(ApiError::new(
            ResponseError::UnknownTopicOrPartition,
            "This server does not host this topic-partition.",
        )),
        (None, false) => image.by_id(&asked.topic_id).ok_or(ApiError::new(
            ResponseError::UnknownTopicId,
            "This server does not host this topic ID.",
        )),
        (Some(_), false) => Err(ApiError::new(
            ResponseError::InvalidRequest,
            "You may not specify both topic name and topic id.",
        )),
        (None, true) => Err(ApiError::new(
            ResponseError::InvalidRequest,
            "Neither topic name nor id were specified.",
        )),
    }?;
    let name = &topic.record.name;
    cx.broker.delete_topic(name).await?;
    Ok((TopicName(text(name)), topic.record.uuid()))
}
