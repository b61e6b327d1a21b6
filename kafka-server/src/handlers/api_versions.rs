//! ApiVersions (18): what this broker answers. The first request of every client.

use super::{Answer, Context, Reply, TABLE};
use crate::{
    core::features::FEATURES,
    wire::{
        self, ResponseError,
        messages::{
            ApiVersionsRequest, ApiVersionsResponse,
            api_versions_response::{ApiVersion, FinalizedFeatureKey, SupportedFeatureKey},
        },
        text,
    },
};
use storage::Slice;

pub(crate) const KEY: i16 = 18;
/// Counts changes of the finalized features. They never change.
const FEATURES_EPOCH: i64 = 1;

pub(crate) async fn handle(cx: Context, request: ApiVersionsRequest) -> ApiVersionsResponse {
    let named = is_name(&request.client_software_name) && is_name(&request.client_software_version);
    if cx.version() >= 3 && !named {
        return ApiVersionsResponse::default().with_error_code(ResponseError::InvalidRequest.code());
    }
    let response = ApiVersionsResponse::default().with_api_keys(TABLE.iter().map(line).collect());
    if cx.version() < 3 {
        return response;
    }
    let supported = FEATURES.iter().map(|feature| {
        SupportedFeatureKey::default()
            .with_name(text(feature.name))
            .with_min_version(feature.level)
            .with_max_version(feature.level)
    });
    let finalized = FEATURES.iter().map(|feature| {
        FinalizedFeatureKey::default()
            .with_name(text(feature.name))
            .with_min_version_level(feature.level)
            .with_max_version_level(feature.level)
    });
    response
        .with_supported_features(supported.collect())
        .with_finalized_features(finalized.collect())
        .with_finalized_features_epoch(FEATURES_EPOCH)
}

/// Whether clients may call themselves, or their version, so.
fn is_name(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let end = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    name.chars().all(inner) && end(name.chars().next()) && end(name.chars().next_back())
}

/// The answer to a version this broker does not know: error 35 in the layout of version 0, which every client reads.
pub(crate) fn unsupported(cx: Context) -> Answer {
    Box::pin(async move {
        let known = TABLE.iter().filter(|api| api.key == KEY).map(line).collect();
        let response = ApiVersionsResponse::default()
            .with_error_code(ResponseError::UnsupportedVersion.code())
            .with_api_keys(known);
        let frame = wire::encode(cx.header.correlation_id, 0, &response)?;
        Ok(Reply::Frame(vec![Slice::Memory(frame)]))
    })
}

fn line(api: &super::Api) -> ApiVersion {
    ApiVersion::default()
        .with_api_key(api.key)
        .with_min_version(api.advertised_min)
        .with_max_version(api.versions.1)
}
