//! Heartbeat (12): a member of a classic group is alive, and learns whether it must join again.

use super::{Context, owned, owned_option};
use crate::wire::messages::{HeartbeatRequest, HeartbeatResponse};

pub(crate) async fn handle(cx: Context, request: HeartbeatRequest) -> HeartbeatResponse {
    let member_id = owned(&request.member_id);
    let instance_id = owned_option(request.group_instance_id.as_ref());
    let groups = &cx.broker.groups;
    let answer = groups
        .heartbeat(&request.group_id, member_id, instance_id, request.generation_id)
        .await;
    HeartbeatResponse::default().with_error_code(answer.err().map_or(0, |error| error.wire()))
}
