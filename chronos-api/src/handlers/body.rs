//! What a client sends: bounded, and in JSON.

use super::Scheduler;
use crate::error::ApiError;
use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode, header},
};
use std::sync::Arc;

/// The bytes of a JSON body.
pub(super) struct Json(pub(super) Bytes);

impl FromRequest<Arc<Scheduler>> for Json {
    type Rejection = ApiError;

    async fn from_request(request: Request, scheduler: &Arc<Scheduler>) -> Result<Self, ApiError> {
        let (head, body) = request.into_parts();
        if !is_json(&head.headers) {
            return Err(ApiError::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "a request has the Content-Type application/json",
            ));
        }
        let bytes = axum::body::to_bytes(body, scheduler.request_bytes_max).await;
        bytes.map(Json).map_err(|_| {
            let most = scheduler.request_bytes_max;
            ApiError::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("a request has {most} bytes at the most"),
            )
        })
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next());
    kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}
