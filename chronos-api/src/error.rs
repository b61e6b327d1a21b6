//! What is refused, as the original says it: the only place that gives refusals their status.

use crate::{core::Refused, shell::Closed};
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

/// An answer that says why nothing was done.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    message: String,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let message = message.into();
        ApiError { status, message }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }
}

impl From<Refused> for ApiError {
    /// The original sends the trace of its stack; what remains of that is the line that says why.
    fn from(refused: Refused) -> Self {
        match &refused {
            Refused::Plain(why) => Self::bad_request(why),
            Refused::Requirement(_) => {
                Self::bad_request(format!("java.lang.IllegalArgumentException: {refused}"))
            }
            Refused::Fault(why) => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                format!("java.lang.Exception: {why}"),
            ),
        }
    }
}

impl From<Closed> for ApiError {
    fn from(closed: Closed) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, closed.to_string())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = json!({
            "status": self.status.canonical_reason().unwrap_or_default(),
            "message": self.message,
        });
        let kind = [(header::CONTENT_TYPE, "application/json")];
        (self.status, kind, body.to_string()).into_response()
    }
}
