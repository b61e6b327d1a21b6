//! IncrementalAlterConfigs (44): sets, deletes, appends to and subtracts from single keys of a resource.

use super::{Context, resources};
use crate::{
    config::alter::{self, Change, Operation},
    error::ApiError,
    wire::{
        ResponseError,
        messages::{
            IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
            incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig},
            incremental_alter_configs_response::AlterConfigsResourceResponse,
        },
        text,
    },
};

pub(crate) async fn handle(
    cx: Context,
    request: IncrementalAlterConfigsRequest,
) -> IncrementalAlterConfigsResponse {
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
        } else if resource.resource_type == resources::BROKER_LOGGER {
            alter_loggers(&cx, resource)
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
    IncrementalAlterConfigsResponse::default().with_responses(responses)
}

async fn alter(cx: &Context, resource: &AlterConfigsResource, validate_only: bool) -> Result<(), ApiError> {
    let name: &str = &resource.resource_name;
    let scope = resources::scope(cx, resource.resource_type, name)?;
    let changes: Vec<Change> = resource.configs.iter().map(change).collect::<Result<_, _>>()?;
    let (configs, topics) = (&cx.broker.configs, &cx.broker.topics);
    configs
        .alter(topics, scope, name, validate_only, |now, broker| {
            alter::apply(scope, now, &changes, broker)
        })
        .await
}

fn change(config: &AlterableConfig) -> Result<Change, ApiError> {
    Ok(Change {
        name: config.name.to_string(),
        operation: operation(config)?,
        value: config.value.as_ref().map(|value| value.to_string()),
    })
}

fn operation(config: &AlterableConfig) -> Result<Operation, ApiError> {
    match config.config_operation {
        0 => Ok(Operation::Set),
        1 => Ok(Operation::Delete),
        2 => Ok(Operation::Append),
        3 => Ok(Operation::Subtract),
        unknown => Err(ApiError::new(
            ResponseError::InvalidRequest,
            format!("Unknown operation type {unknown}"),
        )),
    }
}

/// Log levels are set at the start, for all of the server: what is asked is checked as Kafka does, then refused.
fn alter_loggers(cx: &Context, resource: &AlterConfigsResource) -> Result<(), ApiError> {
    const LEVELS: &[&str] = &["DEBUG", "ERROR", "FATAL", "INFO", "TRACE", "WARN"];
    resources::check_node_id(cx, &resource.resource_name)?;
    let config_error = |why: String| Err(ApiError::new(ResponseError::InvalidConfig, why));
    let request_error = |why: String| Err(ApiError::new(ResponseError::InvalidRequest, why));
    // None is taken: the first says why.
    if let Some(config) = resource.configs.first() {
        let (name, level) = (&*config.name, config.value.as_deref().unwrap_or_default());
        match operation(config)? {
            Operation::Append => {
                return request_error(
                    "APPEND operation is not allowed for the BROKER_LOGGER resource".to_owned(),
                );
            }
            Operation::Subtract => {
                return request_error(
                    "SUBTRACT operation is not allowed for the BROKER_LOGGER resource".to_owned(),
                );
            }
            _ if name != resources::ROOT_LOGGER => {
                return config_error(format!("Logger {name} does not exist!"));
            }
            Operation::Delete => {
                return request_error("Removing the log level of the root logger is not allowed".to_owned());
            }
            Operation::Set if !LEVELS.contains(&level) => {
                return config_error(format!(
                    "Cannot set the log level of {name} to {level} as it is not a supported log level. \
                     Valid log levels are {}",
                    LEVELS.join(", ")
                ));
            }
            Operation::Set => {
                return request_error("The log level of this server is set when it starts.".to_owned());
            }
        }
    }
    Ok(())
}
