//! DeleteAcls (31): there is no authorizer.

use super::Context;
use crate::wire::{
    ResponseError,
    messages::{DeleteAclsRequest, DeleteAclsResponse, delete_acls_response::DeleteAclsFilterResult},
    text,
};

pub(crate) async fn handle(_cx: Context, request: DeleteAclsRequest) -> DeleteAclsResponse {
    let refused = DeleteAclsFilterResult::default()
        .with_error_code(ResponseError::SecurityDisabled.code())
        .with_error_message(Some(text("No Authorizer is configured.")));
    DeleteAclsResponse::default().with_filter_results(vec![refused; request.filters.len()])
}
