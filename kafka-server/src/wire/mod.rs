//! Bytes to types and back.
//!
//! Knows: the Kafka protocol's layouts; the only place that names `kafka_protocol`'s codecs.
//! Never: storage, sockets, time.

pub(crate) mod compression;
pub(crate) mod consumer_protocol;
#[cfg(any(test, feature = "internals"))]
mod each_request;
pub(crate) mod fetch;
mod guard;
pub(crate) mod header;
pub(crate) mod records;
#[rustfmt::skip] // generated
mod shapes;

#[cfg(any(test, feature = "internals"))]
pub(crate) use each_request::decodes;
#[cfg(test)]
pub(crate) use each_request::each_request;
pub(crate) use header::RequestHeader;
pub(crate) use kafka_protocol::{
    ResponseError, messages,
    protocol::{Encodable, StrBytes},
};

use crate::error::Close;
use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::protocol::{HeaderVersion, Message, Request};

/// Reads the body of a request; its lengths are checked before anything is reserved for them.
pub(crate) fn decode<R: Request>(mut body: Bytes, version: i16) -> Result<R, Close> {
    let malformed = |why: String| Close::Malformed { what: "request", why };
    guard::check(R::KEY, version, &body).map_err(|why| malformed(why.to_owned()))?;
    R::decode(&mut body, version).map_err(|why| malformed(why.to_string()))
}

/// First and last version of a message that can be decoded at all.
pub(crate) const fn message_versions<M: Message>() -> (i16, i16) {
    (M::VERSIONS.min, M::VERSIONS.max)
}

/// A whole response: length, header, body.
pub(crate) fn encode<M: Encodable + HeaderVersion>(
    correlation_id: i32,
    version: i16,
    message: &M,
) -> Result<Bytes, Close> {
    let unencodable = |why: &dyn std::fmt::Display| Close::Unencodable(why.to_string());
    let flexible = M::header_version(version) >= 1;
    let size = message.compute_size(version).map_err(|why| unencodable(&why))?;
    let mut frame = BytesMut::with_capacity(4 + 5 + size);
    frame.put_i32(0);
    frame.put_i32(correlation_id);
    if flexible {
        frame.put_u8(0); // no tagged fields
    }
    message
        .encode(&mut frame, version)
        .map_err(|why| unencodable(&why))?;
    let length = i32::try_from(frame.len() - 4).map_err(|why| unencodable(&why))?;
    frame[..4].copy_from_slice(&length.to_be_bytes());
    Ok(frame.freeze())
}

/// A string of the protocol from one of ours.
pub(crate) fn text(value: impl Into<String>) -> StrBytes {
    StrBytes::from_string(value.into())
}

#[cfg(test)]
mod tests;
