//! ListConfigResources (74): what has a configuration. Its first version lists subscriptions to client metrics.

use super::{Context, resources};
use crate::{
    config::alter::Scope,
    wire::{
        ResponseError, StrBytes,
        messages::{
            ListConfigResourcesRequest, ListConfigResourcesResponse,
            list_config_resources_response::ConfigResource,
        },
        text,
    },
};

const ALL: &[i8] = &[
    resources::TOPIC,
    resources::BROKER,
    resources::BROKER_LOGGER,
    resources::CLIENT_METRICS,
    resources::GROUP,
];

pub(crate) async fn handle(cx: Context, request: ListConfigResourcesRequest) -> ListConfigResourcesResponse {
    let response = ListConfigResourcesResponse::default();
    let asked: &[i8] = match (cx.version(), &request.resource_types[..]) {
        (0, _) => &[resources::CLIENT_METRICS],
        (_, []) => ALL,
        (_, some) => some,
    };
    if asked.iter().any(|kind| !ALL.contains(kind)) {
        return response.with_error_code(ResponseError::UnsupportedVersion.code());
    }
    let named = |kind: &i8| {
        let kind = *kind;
        let line = move |name: StrBytes| {
            ConfigResource::default()
                .with_resource_name(name)
                .with_resource_type(kind)
        };
        names(&cx, kind).into_iter().map(line).collect::<Vec<_>>()
    };
    response.with_config_resources(asked.iter().flat_map(named).collect())
}

fn names(cx: &Context, kind: i8) -> Vec<StrBytes> {
    let configs = &cx.broker.configs;
    let owned = |names: Vec<String>| names.into_iter().map(text).collect();
    match kind {
        resources::TOPIC => cx
            .broker
            .topics
            .image()
            .iter()
            .map(|topic| text(&topic.record.name))
            .collect(),
        resources::CLIENT_METRICS => owned(configs.names(Scope::ClientMetrics)),
        resources::GROUP => owned(configs.names(Scope::Group)),
        _ => vec![text(cx.broker.config.node_id.to_string())],
    }
}
