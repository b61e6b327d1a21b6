//! JSON to types and back, and what a query says. Texts of refusals are the original's.
//!
//! Rooms: `read` (JSON whose faults are told by their paths), `app` (what is said of apps), `shown` (what is told of what
//! runs), `events` (what is told as it happens), `group`, `query` (what follows a path). Knows: JSON, headers. Never: what a request means, storage, time.

pub(crate) mod app;
pub(crate) mod events;
pub(crate) mod group;
mod query;
mod read;
pub(crate) mod shown;

pub(crate) use query::{Query, decoded};
pub(crate) use read::{Errors, Fields, Read};

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, StatusCode, header::CONTENT_TYPE},
};
use serde_json::{Value, json};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain;charset=utf-8");
/// Names the deployment that a request began.
pub(crate) const DEPLOYMENT: HeaderName = HeaderName::from_static("marathon-deployment-id");

/// Why a body is not taken.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Malformed {
    /// It is no JSON.
    Syntax(String),
    /// Fields are not what they should be.
    Fields(Errors),
}

/// Reads what a body says.
pub(crate) fn parse<T: Read>(body: &[u8]) -> Result<T, Malformed> {
    let value: Value = serde_json::from_slice(body).map_err(|error| Malformed::Syntax(error.to_string()))?;
    let mut errors = Errors::default();
    let read = T::read(&value, "", &mut errors);
    match read {
        Some(read) if errors.is_empty() => Ok(read),
        _ => Err(Malformed::Fields(errors)),
    }
}

/// An answer in JSON.
pub(crate) fn answer(status: StatusCode, value: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

pub(crate) fn ok(value: &Value) -> Response<Body> {
    answer(StatusCode::OK, value)
}

/// What went wrong, for people.
pub(crate) fn message(status: StatusCode, message: impl Into<String>) -> Response<Body> {
    answer(status, &json!({ "message": message.into() }))
}

pub(crate) fn text(text: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(text.into());
    response.headers_mut().insert(CONTENT_TYPE, TEXT);
    response
}

pub(crate) fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Faults by their paths, as the original groups them.
pub(crate) fn details(faults: impl Iterator<Item = (String, String)>) -> Value {
    let mut grouped: Vec<(String, Vec<String>)> = Vec::new();
    for (path, error) in faults {
        match grouped.iter_mut().find(|(of, _)| *of == path) {
            Some((_, errors)) if errors.contains(&error) => {}
            Some((_, errors)) => errors.push(error),
            None => grouped.push((path, vec![error])),
        }
    }
    let shown = grouped
        .into_iter()
        .map(|(path, errors)| json!({ "path": path, "errors": errors }));
    Value::Array(shown.collect())
}

#[cfg(test)]
mod tests;
