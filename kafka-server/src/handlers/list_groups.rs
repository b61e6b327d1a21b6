//! ListGroups (16): every group, by state and type where asked.

use super::Context;
use crate::wire::{
    StrBytes,
    messages::{GroupId, ListGroupsRequest, ListGroupsResponse, list_groups_response::ListedGroup},
    text,
};

pub(crate) async fn handle(cx: Context, request: ListGroupsRequest) -> ListGroupsResponse {
    let wanted = |filter: &[StrBytes], value: &str| {
        filter.is_empty() || filter.iter().any(|one| one.eq_ignore_ascii_case(value))
    };
    let groups = cx.broker.groups.list().await.into_iter();
    let groups = groups
        .filter(|group| {
            wanted(&request.states_filter, group.state) && wanted(&request.types_filter, group.kind)
        })
        .map(|group| {
            ListedGroup::default()
                .with_group_id(GroupId(text(&*group.id)))
                .with_protocol_type(text(&*group.protocol_type))
                .with_group_state(text(group.state))
                .with_group_type(text(group.kind))
        });
    ListGroupsResponse::default().with_groups(groups.collect())
}
