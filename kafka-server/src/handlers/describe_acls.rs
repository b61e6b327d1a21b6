//! DescribeAcls (29): there is no authorizer.

use super::Context;
use crate::wire::{
    ResponseError,
    messages::{DescribeAclsRequest, DescribeAclsResponse},
    text,
};

pub(crate) async fn handle(_cx: Context, _request: DescribeAclsRequest) -> DescribeAclsResponse {
    DescribeAclsResponse::default()
        .with_error_code(ResponseError::SecurityDisabled.code())
        .with_error_message(Some(text("No Authorizer is configured on the broker")))
}
