//! SyncGroup (14): the leader brings the assignment, everybody takes theirs.

use super::{Context, owned, owned_option};
use crate::{
    core::groups::{Synced, classic::SyncRequest},
    wire::{
        ResponseError,
        messages::{SyncGroupRequest, SyncGroupResponse},
        text,
    },
};
use bytes::Bytes;

pub(crate) async fn handle(cx: Context, request: SyncGroupRequest) -> SyncGroupResponse {
    if cx.version() >= 5 && (request.protocol_type.is_none() || request.protocol_name.is_none()) {
        return refuse(ResponseError::InconsistentGroupProtocol);
    }
    let assignments = request.assignments.iter();
    let asked = SyncRequest {
        token: 0,
        member_id: owned(&request.member_id),
        instance_id: owned_option(request.group_instance_id.as_ref()),
        generation: request.generation_id,
        protocol_type: owned_option(request.protocol_type.as_ref()),
        protocol: owned_option(request.protocol_name.as_ref()),
        assignments: assignments
            .map(|one| (one.member_id.to_string(), Bytes::copy_from_slice(&one.assignment)))
            .collect(),
    };
    match cx.broker.groups.sync(&request.group_id, asked).await {
        Ok(synced) => complete(synced),
        Err(code) => refuse(code),
    }
}

fn complete(synced: Synced) -> SyncGroupResponse {
    SyncGroupResponse::default()
        .with_protocol_type(synced.protocol_type.as_deref().map(text))
        .with_protocol_name(synced.protocol.as_deref().map(text))
        .with_assignment(synced.assignment)
}

fn refuse(code: ResponseError) -> SyncGroupResponse {
    SyncGroupResponse::default()
        .with_error_code(code.code())
        .with_protocol_type(None)
        .with_protocol_name(None)
}
