//! IncrementalAlterConfigs (44): sets, deletes, appends to and subtracts from single keys of a resource.

use super::{
    Context,
    resources::{self, Wanted, told},
};
use crate::{
    config::alter::{Change, Operation},
    error::ApiError,
    wire::{
        ResponseError,
        messages::{
            IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
            incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig},
            incremental_alter_configs_response::AlterConfigsResourceResponse,
        },
    },
};

pub(crate) async fn handle(
    cx: Context,
    request: IncrementalAlterConfigsRequest,
) -> IncrementalAlterConfigsResponse {
    let wanted: Vec<Wanted<'_>> = request.resources.iter().map(wanted).collect();
    let altered = resources::alter(&cx, &wanted, request.validate_only).await;
    let response = |(resource, altered): (&AlterConfigsResource, _)| {
        let (code, message) = told(altered);
        AlterConfigsResourceResponse::default()
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name.clone())
            .with_error_code(code)
            .with_error_message(message)
    };
    let responses = request.resources.iter().zip(altered).map(response);
    IncrementalAlterConfigsResponse::default().with_responses(responses.collect())
}

fn wanted(resource: &AlterConfigsResource) -> Wanted<'_> {
    Wanted {
        kind: resource.resource_type,
        name: &resource.resource_name,
        changes: resource.configs.iter().map(change).collect(),
        replaces: false,
    }
}

fn change(config: &AlterableConfig) -> Result<Change, ApiError> {
    let operation = match config.config_operation {
        0 => Operation::Set,
        1 => Operation::Delete,
        2 => Operation::Append,
        3 => Operation::Subtract,
        unknown => {
            return Err(ApiError::new(
                ResponseError::InvalidRequest,
                format!("Unknown operation type {unknown}"),
            ));
        }
    };
    Ok(Change {
        name: config.name.to_string(),
        operation,
        value: config.value.as_ref().map(|value| value.to_string()),
    })
}
