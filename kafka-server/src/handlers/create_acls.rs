//! CreateAcls (30): there is no authorizer.

use super::Context;
use crate::wire::{
    ResponseError,
    messages::{CreateAclsRequest, CreateAclsResponse, create_acls_response::AclCreationResult},
    text,
};

pub(crate) async fn handle(_cx: Context, request: CreateAclsRequest) -> CreateAclsResponse {
    let refused = AclCreationResult::default()
        .with_error_code(ResponseError::SecurityDisabled.code())
        .with_error_message(Some(text("No Authorizer is configured.")));
    CreateAclsResponse::default().with_results(vec![refused; request.creations.len()])
}
