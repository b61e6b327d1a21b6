//! AlterConfigs (33): replaces all that was set on a resource.

use super::{
    Context,
    resources::{self, Wanted, told},
};
use crate::{
    config::alter::{Change, Operation},
    wire::messages::{
        AlterConfigsRequest, AlterConfigsResponse, alter_configs_request::AlterConfigsResource,
        alter_configs_response::AlterConfigsResourceResponse,
    },
};

pub(crate) async fn handle(cx: Context, request: AlterConfigsRequest) -> AlterConfigsResponse {
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
    AlterConfigsResponse::default().with_responses(responses.collect())
}

fn wanted(resource: &AlterConfigsResource) -> Wanted<'_> {
    let changes = resource.configs.iter().map(|config| Change {
        name: config.name.to_string(),
        operation: Operation::Set,
        value: config.value.as_ref().map(|value| value.to_string()),
    });
    Wanted {
        kind: resource.resource_type,
        name: &resource.resource_name,
        changes: Ok(changes.collect()),
        replaces: true,
    }
}
