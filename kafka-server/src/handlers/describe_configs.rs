//! DescribeConfigs (32): keys of topics, brokers, loggers, client metrics and groups, with where their values come from.

use super::{Context, Room, loggers, resources};
use crate::{
    config::{
        broker::Source,
        describe::{self, Entry},
        group_keys::{GROUP_KEYS, METRICS_KEYS, broker_synonym},
    },
    core::topics::check_name,
    error::ApiError,
    wire::{
        ResponseError, StrBytes,
        messages::{
            DescribeConfigsRequest, DescribeConfigsResponse,
            describe_configs_request::DescribeConfigsResource,
            describe_configs_response::{
                DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
            },
        },
        text,
    },
};

pub(crate) async fn handle(cx: Context, request: DescribeConfigsRequest) -> DescribeConfigsResponse {
    let mut room = Room::new(&cx);
    let mut results = Vec::new();
    for resource in &request.resources {
        let result = DescribeConfigsResult::default()
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name.clone());
        let result = match room.next().await.and_then(|()| entries(&cx, resource)) {
            Ok(entries) => {
                let keys = resource.configuration_keys.as_deref().unwrap_or_default();
                let asked = |entry: &Entry| keys.is_empty() || keys.iter().any(|key| **key == *entry.name);
                let configs = entries
                    .into_iter()
                    .filter(asked)
                    .map(|entry| line(&request, entry));
                result.with_configs(configs.collect())
            }
            Err(error) => result
                .with_error_code(error.wire())
                .with_error_message(Some(text(error.message.unwrap_or_default()))),
        };
        room.add(&result);
        results.push(result);
    }
    DescribeConfigsResponse::default().with_results(results)
}

fn entries(cx: &Context, resource: &DescribeConfigsResource) -> Result<Vec<Entry>, ApiError> {
    let broker = cx.broker.dynamic.load();
    let name: &str = &resource.resource_name;
    let refuse = |why: String| Err(ApiError::new(ResponseError::InvalidRequest, why));
    match resource.resource_type {
        resources::TOPIC => {
            check_name(name)?;
            let image = cx.broker.topics.image();
            let topic = image.get(name).ok_or(ResponseError::UnknownTopicOrPartition)?;
            Ok(describe::topic(&topic.record.config, &broker))
        }
        resources::BROKER if name.is_empty() => Ok(describe::cluster(&broker)),
        resources::BROKER => {
            check_broker(cx, name, "expected {} or empty string,")?;
            Ok(describe::broker(&broker))
        }
        resources::BROKER_LOGGER if name.is_empty() => refuse("Broker id must not be empty".to_owned()),
        resources::BROKER_LOGGER => {
            check_broker(cx, name, "expected {}")?;
            Ok(loggers::describe())
        }
        resources::CLIENT_METRICS if name.is_empty() => {
            refuse("Client metrics subscription name must not be empty".to_owned())
        }
        resources::CLIENT_METRICS => {
            let set = cx.broker.configs.client_metrics(name);
            let default =
                |key: &crate::config::definition::Definition| (key.default.map(str::to_owned), Vec::new());
            Ok(describe::plain(
                METRICS_KEYS,
                &set,
                Source::ClientMetrics,
                default,
            ))
        }
        resources::GROUP if name.is_empty() => refuse("Group name must not be empty".to_owned()),
        resources::GROUP => {
            let default = |key: &crate::config::definition::Definition| match broker_synonym(key.name) {
                Some(synonym) => {
                    let value = broker.value(synonym).map(|(value, _)| value.to_owned());
                    (value, describe::layers(synonym, &broker))
                }
                None => {
                    let value = key.default.map(str::to_owned);
                    (value.clone(), vec![(key.name.to_owned(), value, Source::Default)])
                }
            };
            Ok(describe::plain(
                GROUP_KEYS,
                &cx.broker.configs.group(name),
                Source::Group,
                default,
            ))
        }
        kind => refuse(format!(
            "Unsupported resource type: {}",
            resources::type_name(kind)
        )),
    }
}

fn check_broker(cx: &Context, name: &str, expected: &str) -> Result<(), ApiError> {
    let me = cx.broker.config.node_id;
    let why = match name.parse::<i32>() {
        Ok(id) if id == me => return Ok(()),
        Ok(id) => {
            let expected = expected.replace("{}", &me.to_string());
            format!("Unexpected broker id, {expected} but received {id}")
        }
        Err(_) => format!("Broker id must be an integer, but it is: {name}"),
    };
    Err(ApiError::new(ResponseError::InvalidRequest, why))
}

fn line(request: &DescribeConfigsRequest, entry: Entry) -> DescribeConfigsResourceResult {
    let value = |value: Option<String>| value.map(text);
    let synonym = |(name, of, source): (String, Option<String>, Source)| {
        DescribeConfigsSynonym::default()
            .with_name(text(name))
            .with_value(value(of))
            .with_source(source as i8)
    };
    let synonyms = if request.include_synonyms {
        entry.synonyms
    } else {
        Vec::new()
    };
    let documentation = entry.definition.filter(|_| request.include_documentation);
    DescribeConfigsResourceResult::default()
        .with_name(text(entry.name))
        .with_value(value(entry.value))
        .with_read_only(entry.read_only)
        .with_config_source(entry.source as i8)
        .with_is_sensitive(entry.sensitive)
        .with_synonyms(synonyms.into_iter().map(synonym).collect())
        .with_config_type(entry.definition.map_or(0, |key| key.kind.code()))
        .with_documentation(documentation.map(|key| StrBytes::from_static_str(key.documentation)))
}
