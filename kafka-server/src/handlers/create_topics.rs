//! CreateTopics (19).

use super::{Context, Room};
use crate::{
    config::describe,
    core::topics::Wanted,
    error::ApiError,
    state::topics::TopicRecord,
    wire::{
        ResponseError,
        messages::{
            CreateTopicsRequest, CreateTopicsResponse,
            create_topics_request::CreatableTopic,
            create_topics_response::{CreatableTopicConfigs, CreatableTopicResult},
        },
        text,
    },
};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

pub(crate) async fn handle(cx: Context, request: CreateTopicsRequest) -> CreateTopicsResponse {
    let mut asked: HashMap<&str, usize> = HashMap::new();
    for topic in &request.topics {
        *asked.entry(&topic.name.0).or_default() += 1;
    }
    let (once, twice): (Vec<_>, Vec<_>) = request
        .topics
        .iter()
        .partition(|topic| asked[&*topic.name.0] == 1);
    let wanted: Vec<Wanted> = once.iter().map(|topic| wanted(topic)).collect();
    let made = cx.broker.create_topics(&wanted, request.validate_only).await;
    let mut room = Room::new(&cx);
    let mut results = Vec::with_capacity(request.topics.len());
    for (topic, made) in once.into_iter().zip(made) {
        let has_room = room.next().await;
        let told = match made {
            Ok(record) => created(&cx, topic, &record, request.validate_only, has_room),
            Err(error) => refused(topic, &error),
        };
        room.add(&told);
        results.push(told);
    }
    let mut named = HashSet::new();
    for topic in twice {
        if named.insert(&topic.name) {
            let error = ApiError::new(ResponseError::InvalidRequest, "Duplicate topic name.");
            results.push(refused(topic, &error));
        }
    }
    CreateTopicsResponse::default().with_topics(results)
}

fn wanted(topic: &CreatableTopic) -> Wanted {
    let assignment =
        |assignment: &crate::wire::messages::create_topics_request::CreatableReplicaAssignment| {
            let brokers = assignment.broker_ids.iter().map(|broker| broker.0).collect();
            (assignment.partition_index, brokers)
        };
    let setting = |setting: &crate::wire::messages::create_topics_request::CreatableTopicConfig| {
        (
            setting.name.to_string(),
            setting.value.as_ref().map(|value| value.to_string()),
        )
    };
    Wanted {
        name: topic.name.0.to_string(),
        partitions: topic.num_partitions,
        replication_factor: topic.replication_factor,
        assignments: topic.assignments.iter().map(assignment).collect(),
        config: topic.configs.iter().map(setting).collect(),
    }
}

fn created(
    cx: &Context,
    topic: &CreatableTopic,
    record: &TopicRecord,
    validate_only: bool,
    has_room: Result<(), ApiError>,
) -> CreatableTopicResult {
    let id = if validate_only { Uuid::nil() } else { record.uuid() };
    let result = CreatableTopicResult::default()
        .with_name(topic.name.clone())
        .with_topic_id(id);
    if cx.version() < 5 {
        return result;
    }
    let result = result
        .with_num_partitions(record.partitions)
        .with_replication_factor(1);
    if let Err(error) = has_room {
        // The topic is there; only its configuration is not told.
        return result
            .with_topic_config_error_code(error.wire())
            .with_configs(None);
    }
    let entries = describe::topic(&record.config, &cx.broker.dynamic.load());
    let configs = entries.into_iter().map(|entry| {
        CreatableTopicConfigs::default()
            .with_name(text(entry.name))
            .with_value(entry.value.map(text))
            .with_read_only(entry.read_only)
            .with_config_source(entry.source as i8)
            .with_is_sensitive(entry.sensitive)
    });
    result.with_configs(Some(configs.collect()))
}

fn refused(topic: &CreatableTopic, error: &ApiError) -> CreatableTopicResult {
    CreatableTopicResult::default()
        .with_name(topic.name.clone())
        .with_error_code(error.wire())
        .with_error_message(error.message.clone().map(text))
        .with_num_partitions(-1)
        .with_replication_factor(-1)
}
