//! HTTP bodies to types and back, and streams of events. Texts of refusals are the original's.
//!
//! Rooms: `stream` (RecordIO answers), `records` (RecordIO requests), `query` (what follows a path), `link` (between master and
//! agents). Knows: JSON, protobuf, headers. Never: what a message means, storage, time.

pub(crate) mod link;
mod query;
mod records;
mod stream;
#[cfg(test)]
mod tests;

pub(crate) use query::query_value;
pub(crate) use records::Records;
pub(crate) use stream::{events, executor_events, process_io, told};

use axum::{
    body::{Body, to_bytes},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{ACCEPT, ALLOW, CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use prost::Message;
use serde::{Serialize, de::DeserializeOwned};

const JSON: &str = "application/json";
const PROTOBUF: &str = "application/x-protobuf";
const RECORDIO: &str = "application/recordio";
/// Names the encoding of each record, of a request and of an answer.
const MESSAGE_CONTENT_TYPE: &str = "message-content-type";
const MESSAGE_ACCEPT: &str = "message-accept";
const TEXT: &str = "text/plain; charset=utf-8";

/// How a message is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Json,
    Protobuf,
}

impl Encoding {
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Encoding::Json => JSON,
            Encoding::Protobuf => PROTOBUF,
        }
    }

    pub(crate) fn write<T: Message + Serialize>(self, message: &T) -> Vec<u8> {
        match self {
            // A message of ours has no keys that are not text, which alone could fail.
            Encoding::Json => serde_json::to_vec(message).unwrap_or_default(),
            Encoding::Protobuf => message.encode_to_vec(),
        }
    }
}

/// Reads a call from a request's body.
pub(crate) async fn call<T>(headers: &HeaderMap, body: Body, bytes_max: usize) -> Result<T, Refusal>
where
    T: Message + Default + DeserializeOwned,
{
    let encoding = content_type(headers)?;
    let body = to_bytes(body, bytes_max)
        .await
        .map_err(|_| refusal(StatusCode::PAYLOAD_TOO_LARGE, "The request is too large"))?;
    parse(encoding, &body).map_err(|why| refusal(StatusCode::BAD_REQUEST, why))
}

/// Reads a call from bytes.
pub(crate) fn parse<T: Message + Default + DeserializeOwned>(
    encoding: Encoding,
    body: &Bytes,
) -> Result<T, String> {
    match encoding {
        Encoding::Protobuf => {
            T::decode(body.clone()).map_err(|_| "Failed to parse body into Call protobuf".to_owned())
        }
        Encoding::Json => parse_json(body),
    }
}

fn parse_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let parsed = serde_json::from_slice(body).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => format!("Failed to convert JSON into Call protobuf: {error}"),
        _ => format!(
            "Failed to parse body into JSON: syntax error at line {} near: {}",
            error.line().max(1),
            rest_of_line(body, error.line(), error.column())
        ),
    })?;
    // A list would be taken as the fields in their order.
    match body.trim_ascii_start().first() {
        Some(b'{') => Ok(parsed),
        _ => Err("Failed to convert JSON into Call protobuf: Expecting a JSON object".to_owned()),
    }
}

/// What follows a place in a line, as far as it is to be shown.
fn rest_of_line(body: &[u8], line: usize, column: usize) -> String {
    const SHOWN_MAX: usize = 256;
    let line = body
        .split(|byte| *byte == b'\n')
        .nth(line.saturating_sub(1))
        .unwrap_or_default();
    let rest = line.get(column..).unwrap_or_default();
    String::from_utf8_lossy(&rest[..rest.len().min(SHOWN_MAX)]).into_owned()
}

fn content_type(headers: &HeaderMap) -> Result<Encoding, Refusal> {
    let named = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    match named {
        JSON => Ok(Encoding::Json),
        PROTOBUF => Ok(Encoding::Protobuf),
        _ => Err(refusal(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Expecting 'Content-Type' of application/json or application/x-protobuf",
        )),
    }
}

/// What the client wants to be answered in: JSON where it takes both.
pub(crate) fn accepted(headers: &HeaderMap) -> Result<Encoding, Refusal> {
    let mut named = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .peekable();
    if named.peek().is_none() {
        return Ok(Encoding::Json);
    }
    let ranges: Vec<&str> = named
        .flat_map(|list| list.split(','))
        .map(|range| range.split(';').next().unwrap_or_default().trim())
        .collect();
    let takes = |kind: &str| {
        let any = |range: &&str| *range == kind || *range == "*/*" || *range == "application/*";
        ranges.iter().any(any)
    };
    match (takes(JSON), takes(PROTOBUF)) {
        (true, _) => Ok(Encoding::Json),
        (false, true) => Ok(Encoding::Protobuf),
        (false, false) => Err(refusal(
            StatusCode::NOT_ACCEPTABLE,
            "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'",
        )),
    }
}

/// How an answer that lasts is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Streamed {
    pub(crate) encoding: Encoding,
    /// Its own type is that of records; else it is that of each of them.
    pub(crate) records: bool,
}

/// What the client wants an answer that lasts to be in.
pub(crate) fn streamed(headers: &HeaderMap) -> Result<Streamed, Refusal> {
    let named = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if named(ACCEPT.as_str()) != Some(RECORDIO) {
        let encoding = accepted(headers)?;
        return Ok(Streamed {
            encoding,
            records: false,
        });
    }
    let encoding = match named(MESSAGE_ACCEPT) {
        None | Some(JSON | "*/*") => Encoding::Json,
        Some(PROTOBUF) => Encoding::Protobuf,
        Some(_) => {
            return Err(refusal(
                StatusCode::NOT_ACCEPTABLE,
                "Expecting 'Message-Accept' to allow application/json or application/x-protobuf",
            ));
        }
    };
    Ok(Streamed {
        encoding,
        records: true,
    })
}

/// Whether a request's body is a stream of records.
pub(crate) fn sends_records(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind == RECORDIO)
}

/// An answer that says why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    why: String,
}

/// Refuses with a status and a text.
pub(crate) fn refusal(status: StatusCode, why: impl Into<String>) -> Refusal {
    let why = why.into();
    Refusal { status, why }
}

/// A call comes by POST alone.
pub(crate) fn only_post(method: &Method) -> Result<(), Refusal> {
    if method == Method::POST {
        return Ok(());
    }
    let why = format!("405 Method Not Allowed. Expecting one of {{ 'POST' }}, but received '{method}'.");
    Err(refusal(StatusCode::METHOD_NOT_ALLOWED, why))
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let only_post = self.status == StatusCode::METHOD_NOT_ALLOWED && self.why.contains("{ 'POST' }");
        let mut response = answer(self.status, TEXT, self.why);
        if only_post {
            response
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static("POST"));
        }
        response
    }
}

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// A message in the encoding that the client takes.
pub(crate) fn message<T: Message + Serialize>(encoding: Encoding, message: &T) -> Response {
    answer(StatusCode::OK, encoding.media_type(), encoding.write(message))
}

/// A value of the older routes, which speak JSON alone.
pub(crate) fn json(value: &impl Serialize) -> Response {
    answer(
        StatusCode::OK,
        JSON,
        serde_json::to_vec(value).unwrap_or_default(),
    )
}

/// A file to be kept by the client under `name`.
pub(crate) fn download(name: &str, bytes: Vec<u8>) -> Response {
    let mut response = answer(StatusCode::OK, "application/octet-stream", bytes);
    let plain = name
        .chars()
        .filter(|at| at.is_ascii_graphic() && *at != '"' && *at != '\\');
    let disposition = format!("attachment; filename={}", plain.collect::<String>());
    if let Ok(value) = HeaderValue::from_str(&disposition) {
        response.headers_mut().insert(CONTENT_DISPOSITION, value);
    }
    response
}

fn answer(status: StatusCode, kind: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
