//! AlterConfigs (33): replaces all that was set on a resource.

use super::{Context, resources};
use crate::{
    config::alter::{self, Change, Operation, Settings},
    error::ApiError,
    wire::{
        ResponseError,
        messages::{
            AlterConfigsRequest, AlterConfigsResponse, alter_configs_request::AlterConfigsResource,
            alter_configs_response::AlterConfigsResourceResponse,
        },
        text,
    },
};

pub(crate) async fn handle(cx: Context, request: AlterConfigsRequest) -> AlterConfigsResponse {
    let mut responses = Vec::new();
    for resource in &request.resources {
        let same = |other: &&AlterConfigsResource| {
            (other.resource_type, &other.resource_name) == (resource.resource_type, &resource.resource_name)
        };
        let altered = if request.resources.iter().filter(same).count() > 1 {
            Err(ApiError::new(
                ResponseError::InvalidRequest,
                "Each resource must appear at most once.",
            ))
        } else {
            alter(&cx, resource, request.validate_only).await
        };
        let response = AlterConfigsResourceResponse::default()
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name.clone());
        responses.push(match altered {
            Ok(()) => response.with_error_message(None),
            Err(error) => response
                .with_error_code(error.wire())
                .with_error_message(error.message.map(text)),
        });
    }
    AlterConfigsResponse::default().with_responses(responses)
}

async fn alter(cx: &Context, resource: &AlterConfigsResource, validate_only: bool) -> Result<(), ApiError> {
    let name: &str = &resource.resource_name;
    let scope = resources::scope(cx, resource.resource_type, name)?;
    let changes: Vec<Change> = resource
        .configs
        .iter()
        .map(|config| Change {
            name: config.name.to_string(),
            operation: Operation::Set,
            value: config.value.as_ref().map(|value| value.to_string()),
        })
        .collect();
    let (configs, topics) = (&cx.broker.configs, &cx.broker.topics);
    configs
        .alter(topics, scope, name, validate_only, |_, broker| {
            alter::apply(scope, &Settings::new(), &changes, broker)
        })
        .await
}
