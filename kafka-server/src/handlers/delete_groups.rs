//! DeleteGroups (42): forgets groups that nobody is in, and their offsets.

use super::Context;
use crate::wire::messages::{
    DeleteGroupsRequest, DeleteGroupsResponse, GroupId, delete_groups_response::DeletableGroupResult,
};

pub(crate) async fn handle(cx: Context, request: DeleteGroupsRequest) -> DeleteGroupsResponse {
    let mut results = Vec::with_capacity(request.groups_names.len());
    for id in &request.groups_names {
        let deleted = cx.broker.groups.delete(id).await;
        let code = deleted.err().map_or(0, |error| error.wire());
        let result = DeletableGroupResult::default().with_group_id(GroupId(id.0.clone()));
        results.push(result.with_error_code(code));
    }
    DeleteGroupsResponse::default().with_results(results)
}
