//! JoinGroup (11): a member wants to be in the next generation; the answer comes when that is complete.

use super::{Context, owned, owned_option};
use crate::{
    core::groups::{
        Joined, JoinedMember, Refused,
        classic::{JoinRequest, Protocol},
    },
    wire::{
        messages::{
            JoinGroupRequest, JoinGroupResponse, join_group_request::JoinGroupRequestProtocol,
            join_group_response::JoinGroupResponseMember,
        },
        text,
    },
};
use bytes::Bytes;
use std::sync::Arc;

pub(crate) async fn handle(cx: Context, request: JoinGroupRequest) -> JoinGroupResponse {
    let version = cx.version();
    let group = request.group_id.to_string();
    let asked = JoinRequest {
        token: 0,
        member_id: owned(&request.member_id),
        instance_id: owned_option(request.group_instance_id.as_ref()),
        client_id: cx.client_id(),
        client_host: cx.client_host(),
        new_id: Arc::from(""),
        session_timeout_ms: request.session_timeout_ms,
        rebalance_timeout_ms: match version {
            0 => request.session_timeout_ms,
            _ => request.rebalance_timeout_ms,
        },
        protocol_type: owned(&request.protocol_type),
        protocols: request.protocols.iter().map(protocol).collect(),
        member_id_required: version >= 4,
        can_skip_assignment: version >= 9,
    };
    match cx
        .broker
        .groups
        .join(&group, asked, cx.broker.topics.image())
        .await
    {
        Ok(joined) => complete(joined),
        Err(refused) => refuse(version, &refused),
    }
}

fn protocol(asked: &JoinGroupRequestProtocol) -> Protocol {
    Protocol {
        name: owned(&asked.name),
        metadata: Bytes::copy_from_slice(&asked.metadata),
    }
}

fn complete(joined: Joined) -> JoinGroupResponse {
    let member = |member: JoinedMember| {
        JoinGroupResponseMember::default()
            .with_member_id(text(&*member.member_id))
            .with_group_instance_id(member.instance_id.as_deref().map(text))
            .with_metadata(member.metadata)
    };
    JoinGroupResponse::default()
        .with_generation_id(joined.generation)
        .with_protocol_type(joined.protocol_type.as_deref().map(text))
        .with_protocol_name(Some(text(joined.protocol.as_deref().unwrap_or_default())))
        .with_leader(text(&*joined.leader))
        .with_skip_assignment(joined.skip_assignment)
        .with_member_id(text(&*joined.member_id))
        .with_members(joined.members.into_iter().map(member).collect())
}

fn refuse(version: i16, refused: &Refused) -> JoinGroupResponse {
    JoinGroupResponse::default()
        .with_error_code(refused.code.code())
        .with_generation_id(-1)
        .with_protocol_type(None)
        .with_protocol_name((version < 7).then(|| text("")))
        .with_member_id(text(&*refused.member_id))
}
