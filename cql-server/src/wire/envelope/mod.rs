//! Envelopes: the nine bytes before every message, from version 3 on the same.
//!
//! Knows: versions, flags, streams, opcodes, lengths. Never: what a body holds.

use super::{
    opcode::Opcode,
    version::{self, Version},
};
use crate::error::CqlError;
use bytes::{BufMut, Bytes, BytesMut};

/// Bytes of a header.
pub(crate) const HEADER_BYTES: usize = 9;

/// Bits of a header's flags.
pub(crate) mod flags {
    pub(crate) const COMPRESSED: u8 = 0x01;
    pub(crate) const TRACING: u8 = 0x02;
    pub(crate) const CUSTOM_PAYLOAD: u8 = 0x04;
    pub(crate) const WARNING: u8 = 0x08;
    pub(crate) const BETA: u8 = 0x10;
}

const RESPONSE: u8 = 0x80;

/// The header of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) version: Version,
    pub(crate) flags: u8,
    pub(crate) stream: i16,
    pub(crate) opcode: Opcode,
    /// Bytes of the body.
    pub(crate) length: u32,
}

/// A header that was not taken, and how its sender is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    /// The version to tell it in: one may be refused in a version that is not spoken.
    pub(crate) version: u8,
    pub(crate) stream: i16,
    pub(crate) error: CqlError,
    /// Bytes of the body that follow, where the header could be trusted so far.
    pub(crate) length: Option<u32>,
}

impl Header {
    /// Reads a request's header. `agreed`: the version of the connection, once there is one.
    pub(crate) fn read(bytes: &[u8; HEADER_BYTES], agreed: Option<Version>) -> Result<Self, Refused> {
        let [number, flags, stream @ .., _, _, _, _, _] = bytes;
        let stream = i16::from_be_bytes(*stream);
        let (code, length) = (bytes[4], [bytes[5], bytes[6], bytes[7], bytes[8]]);
        let length = u32::from_be_bytes(length);
        let answers = agreed.unwrap_or(Version::CURRENT).number();
        let refuse = |version, length, text| Refused {
            version,
            stream,
            error: CqlError::Protocol(text),
            length,
        };
        let Some(version) = Version::of(number & !RESPONSE) else {
            return Err(unknown_version(number & !RESPONSE, stream, agreed));
        };
        if version.is_beta() && flags & flags::BETA == 0 {
            let text = version::beta_unasked(version);
            return Err(refuse(version.number(), Some(length), text));
        }
        let Some(opcode) = Opcode::of(code) else {
            return Err(refuse(answers, Some(length), format!("Unknown opcode {code}")));
        };
        if let Some(text) = wrong_direction(opcode, number & RESPONSE != 0) {
            return Err(refuse(answers, Some(length), text));
        }
        if let Some(agreed) = agreed.filter(|agreed| *agreed != version) {
            return Err(refuse(answers, Some(length), mixed(version, agreed)));
        }
        Ok(Header {
            version,
            flags: *flags,
            stream,
            opcode,
            length,
        })
    }
}

/// Versions 1 and 2 had other headers, so nothing of theirs but the version is understood.
fn unknown_version(number: u8, stream: i16, agreed: Option<Version>) -> Refused {
    let is_old = matches!(number, 1 | 2);
    let has_stream = !is_old && number != 0;
    let own = if is_old { number } else { Version::CURRENT.number() };
    Refused {
        version: agreed.map_or(own, Version::number),
        stream: if has_stream { stream } else { 0 },
        error: CqlError::Protocol(version::unsupported(number)),
        length: None,
    }
}

fn wrong_direction(opcode: Opcode, is_response: bool) -> Option<String> {
    let told = |expected, got| {
        let (code, name) = (opcode as u8, opcode.name());
        format!("Wrong protocol direction (expected {expected}, got {got}) for opcode {code} ({name})")
    };
    match (opcode.is_request(), is_response) {
        (true, true) => Some(told("REQUEST", "RESPONSE")),
        (false, false) => Some(told("RESPONSE", "REQUEST")),
        // A response that says it is one: nothing that a server takes.
        (false, true) => Some(format!("Unexpected message {}", opcode.name())),
        (true, false) => None,
    }
}

/// The original's words, which lack a space where segments are spoken.
fn mixed(got: Version, agreed: Version) -> String {
    let previous = if agreed.has_segments() {
        "previous"
    } else {
        "previous "
    };
    format!(
        "Invalid message version. Got {got} but {previous}messages on this connection had version {agreed}"
    )
}

/// A request: its header, and the body with whatever compression it had undone.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) header: Header,
    pub(crate) body: Bytes,
}

/// An answer or an event on its way out.
#[derive(Debug, Clone)]
pub(crate) struct Envelope {
    /// The version byte, without the bit of a response.
    pub(crate) version: u8,
    pub(crate) flags: u8,
    pub(crate) stream: i16,
    pub(crate) opcode: Opcode,
    /// The body's beginning; all of it where there are no rows.
    pub(crate) body: BytesMut,
    /// The rest: rows as they were written.
    pub(crate) content: Bytes,
}

impl Envelope {
    /// Bytes of the whole body.
    pub(crate) fn length(&self) -> usize {
        self.body.len() + self.content.len()
    }

    /// Writes the header for a body of `length` bytes.
    pub(crate) fn put_header(&self, out: &mut BytesMut, flags: u8, length: usize) {
        let beta = if self.version == Version::V6.number() {
            flags::BETA
        } else {
            0
        };
        out.put_u8(self.version | RESPONSE);
        out.put_u8(flags | beta);
        match self.version {
            1 | 2 => out.put_i8(self.stream as i8),
            _ => out.put_i16(self.stream),
        }
        out.put_u8(self.opcode as u8);
        out.put_u32(length as u32);
    }
}

#[cfg(test)]
mod tests;
