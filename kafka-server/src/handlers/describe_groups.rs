//! DescribeGroups (15): classic groups and their members.

use super::{Context, Room, operations};
use crate::{
    groups::{Described, DescribedMember},
    wire::{
        ResponseError,
        messages::{
            DescribeGroupsRequest, DescribeGroupsResponse, GroupId,
            describe_groups_response::{DescribedGroup, DescribedGroupMember},
        },
        text,
    },
};

/// Told where the operations were not asked for.
const OPERATIONS_UNASKED: i32 = i32::MIN;

pub(crate) async fn handle(cx: Context, request: DescribeGroupsRequest) -> DescribeGroupsResponse {
    let allowed = match request.include_authorized_operations {
        true => operations::GROUP,
        false => OPERATIONS_UNASKED,
    };
    let mut room = Room::new(&cx);
    let mut groups = Vec::new();
    for id in &request.groups {
        let group = DescribedGroup::default()
            .with_group_id(GroupId(id.0.clone()))
            .with_authorized_operations(allowed);
        let described = match room.next().await {
            Ok(()) => cx.broker.groups.describe(id).await,
            Err(error) => Err(error),
        };
        let group = match described {
            Ok(described) => fill(group, described),
            // Before version 6 a group that is not there is a dead one.
            Err(error) if cx.version() >= 6 => group
                .with_error_code(error.wire())
                .with_error_message(error.message.map(text))
                .with_group_state(text("Dead")),
            Err(error) if error.code != ResponseError::GroupIdNotFound => group.with_error_code(error.wire()),
            Err(_) => group.with_group_state(text("Dead")),
        };
        room.add(&group);
        groups.push(group);
    }
    DescribeGroupsResponse::default().with_groups(groups)
}

fn fill(group: DescribedGroup, described: Described) -> DescribedGroup {
    let member = |member: DescribedMember| {
        DescribedGroupMember::default()
            .with_member_id(text(&*member.id))
            .with_group_instance_id(member.instance_id.as_deref().map(text))
            .with_client_id(text(&*member.client_id))
            .with_client_host(text(&*member.client_host))
            .with_member_metadata(member.metadata)
            .with_member_assignment(member.assignment)
    };
    group
        .with_group_state(text(described.state))
        .with_protocol_type(text(&*described.protocol_type))
        .with_protocol_data(text(&*described.protocol))
        .with_members(described.members.into_iter().map(member).collect())
}
