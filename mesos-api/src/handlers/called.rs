use super::Cluster;
use crate::wire::{Refusal, call, only_post, refusal};
use axum::{
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode},
};
use prost::Message;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// A call as each API takes it: by POST, in JSON or protobuf, no longer than the server allows.
pub(super) struct Called<T> {
    pub(super) call: T,
    pub(super) headers: HeaderMap,
}

impl<T: Message + Default + DeserializeOwned> FromRequest<Arc<Cluster>> for Called<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, cluster: &Arc<Cluster>) -> Result<Self, Refusal> {
        let (head, body) = request.into_parts();
        only_post(&head.method)?;
        let call = call(&head.headers, body, cluster.limits.request_bytes_max).await?;
        Ok(Called {
            call,
            headers: head.headers,
        })
    }
}

/// A call of `api` that is not as it should be.
pub(super) fn invalid(api: &str, why: impl std::fmt::Display) -> Refusal {
    let why = format!("Failed to validate {api}::Call: {why}");
    refusal(StatusCode::BAD_REQUEST, why)
}

/// What is wrong with a call that lacks a field.
pub(super) fn missing(field: &str) -> String {
    format!("Expecting '{field}' to be present")
}
