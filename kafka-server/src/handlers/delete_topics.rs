//! DeleteTopics (20): by name, or since version 6 by id.

use super::Context;
use crate::{
    error::ApiError,
    topics::{Image, Topic},
    wire::{
        ResponseError,
        messages::{
            DeleteTopicsRequest, DeleteTopicsResponse, TopicName, delete_topics_request::DeleteTopicState,
            delete_topics_response::DeletableTopicResult,
        },
        text,
    },
};
use std::{collections::HashMap, sync::Arc};
use uuid::Uuid;

pub(crate) async fn handle(cx: Context, request: DeleteTopicsRequest) -> DeleteTopicsResponse {
    let by_name = |name: TopicName| DeleteTopicState::default().with_name(Some(name));
    let asked = request
        .topics
        .into_iter()
        .chain(request.topic_names.into_iter().map(by_name));
    let image = cx.broker.topics.image();
    let mut responses = Vec::new();
    for same in by_topic(asked, &image) {
        let [topic] = same.as_slice() else {
            responses.push(ambiguous(&same));
            continue;
        };
        responses.push(match find(&cx, topic, &image) {
            Ok(found) => DeletableTopicResult::default()
                .with_name(Some(TopicName(text(&found.record.name))))
                .with_topic_id(found.record.uuid()),
            Err(error) => refused(topic.name.clone(), topic.topic_id, error),
        });
    }
    delete(&cx, &mut responses).await;
    DeleteTopicsResponse::default().with_responses(responses)
}

/// Deletes together what was found; where that fails, nothing of it is gone, and each answer says so.
async fn delete(cx: &Context, responses: &mut [DeletableTopicResult]) {
    let found = |response: &&mut DeletableTopicResult| response.error_code == 0;
    let ids: Vec<Uuid> = responses
        .iter_mut()
        .filter(found)
        .map(|response| response.topic_id)
        .collect();
    let Err(error) = cx.broker.delete_topics(&ids).await else {
        return;
    };
    for response in responses.iter_mut().filter(found) {
        *response = refused(response.name.clone(), response.topic_id, error.clone());
    }
}

fn refused(name: Option<TopicName>, id: Uuid, error: ApiError) -> DeletableTopicResult {
    DeletableTopicResult::default()
        .with_name(name)
        .with_topic_id(id)
        .with_error_code(error.wire())
        .with_error_message(error.message.map(text))
}

/// What is asked for, put together where it is the same topic, by its name or by its id.
fn by_topic(asked: impl Iterator<Item = DeleteTopicState>, image: &Image) -> Vec<Vec<DeleteTopicState>> {
    let mut groups: Vec<Vec<DeleteTopicState>> = Vec::new();
    let mut known = HashMap::new();
    for topic in asked {
        let which = match (&topic.name, topic.topic_id) {
            (Some(name), id) if id.is_nil() => match image.get(&name.0) {
                Some(found) => (None, found.record.uuid()),
                None => (Some(name.clone()), id),
            },
            (None, id) if !id.is_nil() => (None, id),
            _ => {
                groups.push(vec![topic]);
                continue;
            }
        };
        let at = *known.entry(which).or_insert(groups.len());
        if at == groups.len() {
            groups.push(Vec::new());
        }
        groups[at].push(topic);
    }
    groups
}

/// The one answer to a topic that is asked for more than once: it stays.
fn ambiguous(same: &[DeleteTopicState]) -> DeletableTopicResult {
    let name = same.iter().find_map(|topic| topic.name.clone());
    let id = same.iter().map(|topic| topic.topic_id).find(|id| !id.is_nil());
    let why = match (&name, id) {
        (Some(_), Some(_)) => "The provided topic name maps to an ID that was already supplied.",
        (Some(_), None) => "Duplicate topic name.",
        (None, _) => "Duplicate topic id.",
    };
    refused(
        name,
        id.unwrap_or_default(),
        ApiError::new(ResponseError::InvalidRequest, why),
    )
}

/// The topic that is to be deleted, if it may be.
fn find<'a>(cx: &Context, asked: &DeleteTopicState, image: &'a Image) -> Result<&'a Arc<Topic>, ApiError> {
    if !cx.broker.dynamic.load().get("delete.topic.enable", true) {
        return Err(match cx.version() {
            ..3 => ResponseError::InvalidRequest,
            _ => ResponseError::TopicDeletionDisabled,
        }
        .into());
    }
    match (&asked.name, asked.topic_id.is_nil()) {
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
    }
}
