//! UpdateFeatures (57): the levels of this server's features are what they are.

use super::Context;
use crate::{
    core::features::{self, Update},
    wire::{
        ResponseError,
        messages::{
            UpdateFeaturesRequest, UpdateFeaturesResponse, update_features_request::FeatureUpdateKey,
            update_features_response::UpdatableFeatureResult,
        },
        text,
    },
};

const UPGRADE: i8 = 1;

pub(crate) async fn handle(cx: Context, request: UpdateFeaturesRequest) -> UpdateFeaturesResponse {
    let me = cx.broker.config.node_id;
    let check = |asked: &FeatureUpdateKey| {
        let update = Update {
            name: &asked.feature,
            level: asked.max_version_level,
            upgrade: match cx.version() {
                0 => !asked.allow_downgrade,
                _ => asked.upgrade_type == UPGRADE,
            },
        };
        features::check(update, me)
    };
    let checked: Vec<_> = request
        .feature_updates
        .iter()
        .map(|asked| (asked, check(asked)))
        .collect();
    let response = UpdateFeaturesResponse::default().with_error_message(None);
    if cx.version() >= 2 {
        return match checked.into_iter().find_map(|(_, checked)| checked.err()) {
            Some(why) => response
                .with_error_code(ResponseError::InvalidUpdateVersion.code())
                .with_error_message(Some(text(format!(
                    "The update failed for all features since the following feature had an error: {why}"
                )))),
            None => response,
        };
    }
    let result = |(asked, checked): (&FeatureUpdateKey, Result<(), String>)| {
        let result = UpdatableFeatureResult::default().with_feature(asked.feature.clone());
        match checked {
            Ok(()) => result.with_error_message(None),
            Err(why) => result
                .with_error_code(ResponseError::InvalidUpdateVersion.code())
                .with_error_message(Some(text(why))),
        }
    };
    response.with_results(checked.into_iter().map(result).collect())
}
