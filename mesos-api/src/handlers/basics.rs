use super::Cluster;
use crate::{
    server::VERSION,
    wire::{empty, json, refusal},
};
use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
};
use serde_json::json;
use std::sync::Arc;

/// `/health`: it answers, so it is well.
pub(super) async fn health() -> Response {
    empty(StatusCode::OK)
}

/// `/version`
pub(super) async fn version() -> Response {
    json(&json!({ "version": VERSION }))
}

/// `/redirect`: where the leading master is.
pub(super) async fn redirect(State(cluster): State<Arc<Cluster>>) -> Response {
    let leader = cluster.master.read(|master| master.info.address.clone()).await;
    let Ok(Some(address)) = leader else {
        return refusal(StatusCode::SERVICE_UNAVAILABLE, "No leading master").into_response();
    };
    let location = format!("//{}:{}", address.hostname(), address.port);
    let mut response = empty(StatusCode::TEMPORARY_REDIRECT);
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}
