//! ConsumerGroupHeartbeat (68): the whole of the consumer protocol (KIP-848) in one call.

use super::{Context, owned, owned_option};
use crate::{
    core::groups::consumer::{
        Assignment, Beat, BeatAnswer, ConsumerLimits, EPOCH_JOIN, EPOCH_LEAVE_STATIC, assignors::Assignor,
    },
    error::ApiError,
    wire::{
        ResponseError,
        messages::{
            ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
            consumer_group_heartbeat_response::{Assignment as Told, TopicPartitions},
        },
        text,
    },
};

/// What a member may say that it reads. The original stores it in one record, of 1 MiB at the most, and answers what
/// is more as it is answered here.
const SUBSCRIPTION_BYTES_MAX: usize = 1 << 20;

pub(crate) async fn handle(
    cx: Context,
    request: ConsumerGroupHeartbeatRequest,
) -> ConsumerGroupHeartbeatResponse {
    match answer(&cx, &request).await {
        Ok(answer) => ConsumerGroupHeartbeatResponse::default()
            .with_member_id(Some(text(&*answer.member_id)))
            .with_member_epoch(answer.epoch)
            .with_heartbeat_interval_ms(answer.heartbeat_interval_ms)
            .with_assignment(answer.assignment.map(tell)),
        Err(error) => ConsumerGroupHeartbeatResponse::default()
            .with_error_code(error.wire())
            .with_error_message(error.message.map(text)),
    }
}

async fn answer(cx: &Context, request: &ConsumerGroupHeartbeatRequest) -> Result<BeatAnswer, ApiError> {
    if !cx.broker.groups.settings().consumer_protocol {
        return Err(ResponseError::UnsupportedVersion.into());
    }
    validate(cx, request)?;
    let mut member_id = owned(&request.member_id);
    if member_id.is_empty() {
        member_id = crate::state::meta::url_base64(cx.broker.random.uuid().as_bytes()).into();
    }
    let names = request.subscribed_topic_names.as_ref();
    let beat = Beat {
        member_id,
        epoch: request.member_epoch,
        instance_id: owned_option(request.instance_id.as_ref()),
        rack_id: owned_option(request.rack_id.as_ref()),
        client_id: cx.client_id(),
        client_host: cx.client_host(),
        rebalance_timeout_ms: (request.rebalance_timeout_ms >= 0).then_some(request.rebalance_timeout_ms),
        names: names.map(|names| names.iter().map(|name| owned(name)).collect()),
        regex: owned_option(request.subscribed_topic_regex.as_ref()),
        assignor: request.server_assignor.as_deref().and_then(Assignor::by_name),
        owned: request.topic_partitions.as_ref().map(|topics| {
            let topic = |topic: &crate::wire::messages::consumer_group_heartbeat_request::TopicPartitions| {
                (topic.topic_id, topic.partitions.iter().copied().collect())
            };
            topics.iter().map(topic).collect::<Assignment>()
        }),
    };
    let (image, limits) = (cx.broker.topics.image(), limits(cx, &request.group_id));
    cx.broker
        .groups
        .beat(&request.group_id, beat, image, limits)
        .await
}

/// The broker's limits, under what was set on the group.
fn limits(cx: &Context, group: &str) -> ConsumerLimits {
    let mut limits = cx.broker.groups.settings().consumer.clone();
    let own = |key| {
        cx.broker
            .configs
            .group_value(group, key)
            .and_then(|value| i32::try_from(value).ok())
    };
    if let Some(session_ms) = own("consumer.session.timeout.ms") {
        limits.session_timeout_ms = session_ms;
    }
    if let Some(heartbeat_ms) = own("consumer.heartbeat.interval.ms") {
        limits.heartbeat_interval_ms = heartbeat_ms;
    }
    let of_broker = || {
        let broker = cx.broker.dynamic.load();
        broker.get(
            "group.consumer.assignment.interval.ms",
            limits.assignment_interval_ms,
        )
    };
    limits.assignment_interval_ms = own("consumer.assignment.interval.ms").unwrap_or_else(of_broker);
    limits
}

/// What is wrong with a request by itself.
fn validate(cx: &Context, request: &ConsumerGroupHeartbeatRequest) -> Result<(), ApiError> {
    let invalid = |why: &str| Err(ApiError::new(ResponseError::InvalidRequest, why));
    let is_empty = |text: &Option<crate::wire::StrBytes>| text.as_ref().is_some_and(|text| text.is_empty());
    let epoch = request.member_epoch;
    if request.group_id.is_empty() {
        return invalid("GroupId can't be empty.");
    }
    if is_empty(&request.instance_id) {
        return invalid("InstanceId can't be empty.");
    }
    if is_empty(&request.rack_id) {
        return invalid("RackId can't be empty.");
    }
    if request.member_id.is_empty() && (cx.version() >= 1 || epoch != EPOCH_JOIN) {
        return invalid("MemberId can't be empty.");
    }
    if epoch == EPOCH_JOIN {
        validate_join(request).or_else(invalid)?;
    } else if epoch == EPOCH_LEAVE_STATIC && request.instance_id.is_none() {
        return invalid("InstanceId can't be null.");
    } else if epoch < EPOCH_LEAVE_STATIC {
        return invalid("MemberEpoch is invalid.");
    }
    let names = request.subscribed_topic_names.iter().flatten();
    let regex = request
        .subscribed_topic_regex
        .as_ref()
        .map_or(0, |regex| regex.len());
    if names.map(|name| name.len()).sum::<usize>() + regex > SUBSCRIPTION_BYTES_MAX {
        return Err(ResponseError::UnknownServerError.into());
    }
    let assignors = &cx.broker.groups.settings().consumer.assignors;
    let supported: Vec<&str> = assignors.iter().map(|assignor| assignor.name()).collect();
    match request.server_assignor.as_deref() {
        Some(asked) if !supported.contains(&asked) => {
            let supported = supported.join(", ");
            let why = format!("ServerAssignor {asked} is not supported. Supported assignors: {supported}.");
            Err(ApiError::new(ResponseError::UnsupportedAssignor, why))
        }
        _ => Ok(()),
    }
}

/// What the first heartbeat of a member must say.
fn validate_join(request: &ConsumerGroupHeartbeatRequest) -> Result<(), &'static str> {
    if request.rebalance_timeout_ms == -1 {
        return Err("RebalanceTimeoutMs must be provided in first request.");
    }
    if request
        .topic_partitions
        .as_ref()
        .is_none_or(|topics| !topics.is_empty())
    {
        return Err("TopicPartitions must be empty when (re-)joining.");
    }
    let names = request
        .subscribed_topic_names
        .as_ref()
        .is_some_and(|names| !names.is_empty());
    let regex = request
        .subscribed_topic_regex
        .as_ref()
        .is_some_and(|regex| !regex.is_empty());
    match names || regex {
        true => Ok(()),
        false => {
            Err("Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.")
        }
    }
}

fn tell(assignment: Assignment) -> Told {
    let topic = |(id, partitions): (uuid::Uuid, std::collections::BTreeSet<i32>)| {
        TopicPartitions::default()
            .with_topic_id(id)
            .with_partitions(partitions.into_iter().collect())
    };
    Told::default().with_topic_partitions(assignment.into_iter().map(topic).collect())
}
