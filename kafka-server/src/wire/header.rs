//! The request header, versions 1 and 2.

use crate::error::Close;
use bytes::{Buf, Bytes};

/// What every request starts with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestHeader {
    pub(crate) api_key: i16,
    pub(crate) api_version: i16,
    /// Echoed in the response.
    pub(crate) correlation_id: i32,
    /// What the client calls itself.
    pub(crate) client_id: Option<String>,
}

impl RequestHeader {
    /// Reads the fixed part, which no version changes: key, version, correlation id, client id.
    /// The tagged fields that follow in flexible versions are [`skip_tags`]' matter.
    pub(crate) fn read(frame: &mut Bytes) -> Result<Self, Close> {
        if frame.remaining() < 10 {
            return Err(malformed("shorter than a header"));
        }
        let (api_key, api_version, correlation_id) = (frame.get_i16(), frame.get_i16(), frame.get_i32());
        let client_id = match frame.get_i16() {
            -1 => None,
            length => {
                let length = usize::try_from(length).map_err(|_| malformed("negative client id length"))?;
                if frame.remaining() < length {
                    return Err(malformed("client id longer than the frame"));
                }
                let id =
                    std::str::from_utf8(&frame[..length]).map_err(|_| malformed("client id is not UTF-8"))?;
                let id = id.to_owned();
                frame.advance(length);
                Some(id)
            }
        };
        Ok(RequestHeader {
            api_key,
            api_version,
            correlation_id,
            client_id,
        })
    }
}

/// Passes over the tagged fields of a flexible header.
pub(crate) fn skip_tags(frame: &mut Bytes) -> Result<(), Close> {
    for _ in 0..unsigned_varint(frame)? {
        unsigned_varint(frame)?;
        let length = unsigned_varint(frame)? as usize;
        if frame.remaining() < length {
            return Err(malformed("tagged field longer than the frame"));
        }
        frame.advance(length);
    }
    Ok(())
}

fn unsigned_varint(frame: &mut Bytes) -> Result<u32, Close> {
    let mut value = 0;
    for shift in [0, 7, 14, 21, 28] {
        if !frame.has_remaining() {
            return Err(malformed("cut within a varint"));
        }
        let byte = frame.get_u8();
        value |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(malformed("varint of more than five bytes"))
}

fn malformed(why: &str) -> Close {
    Close::Malformed {
        what: "request header",
        why: why.to_owned(),
    }
}
