//! ConsumerGroupDescribe (69): consumer groups, their members, and what those have and shall have.

use super::{Context, Room, operations};
use crate::{
    core::groups::consumer::{Assignment, Member},
    groups::DescribedConsumer,
    topics::Image,
    wire::{
        messages::{
            ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse, GroupId, TopicName,
            consumer_group_describe_response::{
                Assignment as Told, DescribedGroup, Member as ToldMember, TopicPartitions,
            },
        },
        text,
    },
};
use std::sync::Arc;

/// Told where the operations were not asked for.
const OPERATIONS_UNASKED: i32 = i32::MIN;
/// The kind of a member that speaks the consumer protocol.
const MEMBER_CONSUMER: i8 = 1;
/// The kind of a member that speaks the classic protocol.
const MEMBER_CLASSIC: i8 = 0;

pub(crate) async fn handle(
    cx: Context,
    request: ConsumerGroupDescribeRequest,
) -> ConsumerGroupDescribeResponse {
    let image = cx.broker.topics.image();
    let allowed = match request.include_authorized_operations {
        true => operations::GROUP,
        false => OPERATIONS_UNASKED,
    };
    let mut room = Room::new(&cx);
    let mut groups = Vec::new();
    for id in &request.group_ids {
        let group = DescribedGroup::default().with_group_id(GroupId(id.0.clone()));
        let described = match room.next().await {
            Ok(()) => cx.broker.groups.describe_consumer(id).await,
            Err(error) => Err(error),
        };
        let group = match described {
            Ok(described) => fill(&image, group, described).with_authorized_operations(allowed),
            Err(error) => group
                .with_error_code(error.wire())
                .with_error_message(error.message.map(text))
                .with_authorized_operations(OPERATIONS_UNASKED),
        };
        room.add(&group);
        groups.push(group);
    }
    ConsumerGroupDescribeResponse::default().with_groups(groups)
}

fn fill(image: &Image, group: DescribedGroup, described: DescribedConsumer) -> DescribedGroup {
    let member = |(id, member): (Arc<str>, Member)| {
        ToldMember::default()
            .with_member_id(text(&*id))
            .with_instance_id(member.instance_id.as_deref().map(text))
            .with_rack_id(member.rack_id.as_deref().map(text))
            .with_member_epoch(member.epoch)
            .with_client_id(text(&*member.client_id))
            .with_client_host(text(&*member.client_host))
            .with_subscribed_topic_names(member.names.iter().map(|name| TopicName(text(&**name))).collect())
            .with_subscribed_topic_regex(member.regex.as_deref().map(text))
            .with_assignment(tell(image, &member.assigned))
            .with_target_assignment(tell(image, &member.target))
            .with_member_type(match member.classic {
                Some(_) => MEMBER_CLASSIC,
                None => MEMBER_CONSUMER,
            })
    };
    group
        .with_group_state(text(described.state))
        .with_group_epoch(described.epoch)
        .with_assignment_epoch(described.target_epoch)
        .with_assignor_name(text(described.assignor))
        .with_members(described.members.into_iter().map(member).collect())
}

/// Topics that are gone have no name to tell.
fn tell(image: &Image, assignment: &Assignment) -> Told {
    let topics = assignment.iter().filter_map(|(id, partitions)| {
        let topic = image.by_id(id)?;
        Some(
            TopicPartitions::default()
                .with_topic_id(*id)
                .with_topic_name(TopicName(text(&topic.record.name)))
                .with_partitions(partitions.iter().copied().collect()),
        )
    });
    Told::default().with_topic_partitions(topics.collect())
}
