//! The Mesos v1 API over HTTP, as both kinds of drivers use it: one stream of events, and calls beside it.
//!
//! Knows: the headers of the API, RecordIO, refusals. Never: what a call or an event means.

use crate::{
    http::{Connection, Cutter, Framing, Head, HttpError, Request},
    master::Address,
};
use bytes::Bytes;
use mesos_proto::recordio::{Decoder, RecordError};
use std::time::Duration;

/// Bytes that one event may take.
const EVENT_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Bytes that are kept of why a call was refused.
const REFUSAL_BYTES_MAX: usize = 64 * 1024;
/// What the API is spoken in.
const PROTOBUF: &str = "application/x-protobuf";

/// Why a call was not accepted, or a stream ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// There is no answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The stream is not cut into records.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A record is no event.
    #[error("an event cannot be read: {0}")]
    Event(#[from] prost::DecodeError),
    /// The other end says no.
    #[error("{status} {reason}: {text}")]
    Refused {
        /// The status code.
        status: u16,
        /// What the server calls it.
        reason: String,
        /// Why.
        text: String,
    },
    /// Another master leads.
    #[error("{0} leads")]
    Redirected(Address),
    /// The stream ended.
    #[error("the stream of events was closed")]
    Ended,
}

impl From<std::io::Error> for ApiError {
    fn from(error: std::io::Error) -> Self {
        ApiError::Http(error.into())
    }
}

/// One API of one server, and who asks.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) address: Address,
    pub(crate) path: &'static str,
    /// The `Authorization` header.
    pub(crate) authorization: Option<String>,
}

impl Endpoint {
    /// Sends the call that opens a stream of events, each of which may take `patience` to come, if there is an end to it.
    pub(crate) fn subscribe(
        &self,
        mut connection: Connection,
        call: &[u8],
        patience: Option<Duration>,
    ) -> Result<Stream, ApiError> {
        let (head, framing) = self.ask(&mut connection, None, call)?;
        if head.status != 200 {
            return Err(refusal(&mut connection, &head, framing));
        }
        connection.set_patience(patience)?;
        Ok(Stream {
            id: head.header("mesos-stream-id").map(str::to_owned),
            connection,
            framing,
            records: Decoder::new(EVENT_BYTES_MAX),
        })
    }

    fn ask(
        &self,
        connection: &mut Connection,
        stream: Option<&str>,
        call: &[u8],
    ) -> Result<(Head, Framing), HttpError> {
        let mut headers = vec![("Content-Type", PROTOBUF), ("Accept", PROTOBUF)];
        headers.extend(
            self.authorization
                .as_deref()
                .map(|value| ("Authorization", value)),
        );
        headers.extend(stream.map(|id| ("Mesos-Stream-Id", id)));
        connection.ask(&Request {
            path: self.path,
            headers: &headers,
            body: call,
        })
    }
}

/// Why the answer is not the one that was asked for.
fn refusal(connection: &mut Connection, head: &Head, mut framing: Framing) -> ApiError {
    if head.status == 307
        && let Some(leader) = head.header("location").and_then(Address::of_location)
    {
        return ApiError::Redirected(leader);
    }
    let mut text = Vec::new();
    while text.len() < REFUSAL_BYTES_MAX && matches!(connection.more(&mut framing, &mut text), Ok(true)) {}
    ApiError::Refused {
        status: head.status,
        reason: head.reason.clone(),
        text: String::from_utf8_lossy(&text).trim().to_owned(),
    }
}

/// A stream of events.
#[derive(Debug)]
pub(crate) struct Stream {
    /// What calls beside the stream name it by.
    pub(crate) id: Option<String>,
    connection: Connection,
    framing: Framing,
    records: Decoder,
}

impl Stream {
    /// Waits for the next event.
    pub(crate) fn next_event(&mut self) -> Result<Bytes, ApiError> {
        let mut received = Vec::new();
        loop {
            if let Some(record) = self.records.next_record()? {
                return Ok(record);
            }
            received.clear();
            if !self.connection.more(&mut self.framing, &mut received)? && received.is_empty() {
                return Err(ApiError::Ended);
            }
            self.records.feed(&received);
        }
    }

    pub(crate) fn cutter(&self) -> Result<Cutter, ApiError> {
        Ok(self.connection.cutter()?)
    }

    pub(crate) fn set_patience(&self, patience: Option<Duration>) -> Result<(), ApiError> {
        Ok(self.connection.set_patience(patience)?)
    }
}

/// Sends calls beside a stream, one after the other.
#[derive(Debug)]
pub(crate) struct Caller {
    endpoint: Endpoint,
    stream: Option<String>,
    connection: Option<Connection>,
}

impl Caller {
    pub(crate) fn new(endpoint: Endpoint, stream: Option<String>) -> Self {
        Caller {
            endpoint,
            stream,
            connection: None,
        }
    }

    /// Sends a call, and waits until it is accepted. It is sent once: nobody can tell whether one without an answer was heard.
    pub(crate) fn call(&mut self, call: &[u8]) -> Result<(), ApiError> {
        let mut connection = match self.connection.take() {
            Some(connection) if connection.is_quiet() => connection,
            _ => Connection::open(&self.endpoint.address)?,
        };
        let (head, mut framing) = self.endpoint.ask(&mut connection, self.stream.as_deref(), call)?;
        if head.status != 200 && head.status != 202 {
            return Err(refusal(&mut connection, &head, framing));
        }
        let mut answer = Vec::new();
        while connection.more(&mut framing, &mut answer)? {
            // What is answered to a call says nothing more.
            answer.clear();
        }
        self.connection = head.keeps_open().then_some(connection);
        Ok(())
    }
}
