//! LeaveGroup (13): one member that goes (up to version 2), or many.

use super::{Context, owned, owned_option};
use crate::{
    core::groups::classic::LeaveRequest,
    wire::messages::{
        LeaveGroupRequest, LeaveGroupResponse, leave_group_request::MemberIdentity,
        leave_group_response::MemberResponse,
    },
};

pub(crate) async fn handle(cx: Context, request: LeaveGroupRequest) -> LeaveGroupResponse {
    let single = cx.version() <= 2;
    let leaving: Vec<MemberIdentity> = match single {
        true => vec![MemberIdentity::default().with_member_id(request.member_id.clone())],
        false => request.members,
    };
    for member in &leaving {
        let reason = member.reason.as_deref().unwrap_or_default();
        tracing::debug!(group = %&**request.group_id, member = %&*member.member_id, reason, "a member leaves");
    }
    let asked = leaving.iter().map(leave).collect();
    match cx.broker.groups.leave(&request.group_id, asked).await {
        Err(error) => LeaveGroupResponse::default().with_error_code(error.wire()),
        Ok(answers) if single => {
            let code = answers
                .into_iter()
                .find_map(Result::err)
                .map_or(0, |error| error.code());
            LeaveGroupResponse::default().with_error_code(code)
        }
        Ok(answers) => {
            let line = |(member, answer): (MemberIdentity, Result<(), crate::wire::ResponseError>)| {
                MemberResponse::default()
                    .with_member_id(member.member_id)
                    .with_group_instance_id(member.group_instance_id)
                    .with_error_code(answer.err().map_or(0, |error| error.code()))
            };
            LeaveGroupResponse::default().with_members(leaving.into_iter().zip(answers).map(line).collect())
        }
    }
}

fn leave(member: &MemberIdentity) -> LeaveRequest {
    LeaveRequest {
        member_id: owned(&member.member_id),
        instance_id: owned_option(member.group_instance_id.as_ref()),
    }
}
