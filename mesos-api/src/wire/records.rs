use super::{Encoding, JSON, MESSAGE_CONTENT_TYPE, PROTOBUF, Refusal, parse, refusal};
use axum::{
    body::{Body, BodyDataStream},
    http::{HeaderMap, StatusCode},
};
use futures_util::StreamExt;
use mesos_proto::recordio::Decoder;
use prost::Message;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;

/// A request's body that is a stream of calls.
pub(crate) struct Records<T> {
    body: BodyDataStream,
    decoder: Decoder,
    encoding: Encoding,
    of: PhantomData<T>,
}

impl<T: Message + Default + DeserializeOwned> Records<T> {
    /// Reads a body, each record of which has a size at the most.
    pub(crate) fn of(headers: &HeaderMap, body: Body, record_bytes_max: usize) -> Result<Self, Refusal> {
        let named = headers.get(MESSAGE_CONTENT_TYPE);
        let encoding = match named.map(|named| named.to_str().unwrap_or_default()) {
            Some(JSON) => Encoding::Json,
            Some(PROTOBUF) => Encoding::Protobuf,
            None => {
                let why = "Expecting 'Message-Content-Type' to be set for streaming requests";
                return Err(refusal(StatusCode::BAD_REQUEST, why));
            }
            Some(_) => {
                let why = "Expecting 'Message-Content-Type' of application/json or application/x-protobuf";
                return Err(refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
            }
        };
        Ok(Records {
            body: body.into_data_stream(),
            decoder: Decoder::new(record_bytes_max),
            encoding,
            of: PhantomData,
        })
    }

    /// The next call, until the body ends.
    pub(crate) async fn next(&mut self) -> Result<Option<T>, Refusal> {
        let bad = |why: String| refusal(StatusCode::BAD_REQUEST, why);
        loop {
            let record = self
                .decoder
                .next_record()
                .map_err(|error| bad(error.to_string()))?;
            if let Some(record) = record {
                return parse(self.encoding, &record).map(Some).map_err(bad);
            }
            match self.body.next().await {
                Some(Ok(bytes)) => self.decoder.feed(&bytes),
                // A client that is gone has said all.
                Some(Err(_)) | None => return Ok(None),
            }
        }
    }
}
