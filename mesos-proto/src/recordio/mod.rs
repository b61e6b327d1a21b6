//! RecordIO: each record is its length in decimal, a line feed, and its bytes.
//!
//! Knows: bytes and limits. Never: what a record holds, or where it comes from.

use bytes::{Buf, Bytes, BytesMut};

#[cfg(test)]
mod tests;

/// Digits of a length at the most: what a `u64` needs.
const DIGITS_MAX: usize = 20;

/// Why bytes are no stream of records.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The length is no number.
    #[error("Failed to decode length '{0}': a record starts with its length in decimal")]
    Length(String),
    /// The record is longer than this end takes.
    #[error("a record of {bytes} bytes is beyond the limit of {bytes_max}")]
    TooLong {
        /// What was declared.
        bytes: u64,
        /// What is taken.
        bytes_max: usize,
    },
}

/// Frames one record.
pub fn encode(record: &[u8]) -> Bytes {
    let mut framed = record.len().to_string().into_bytes();
    framed.reserve_exact(record.len() + 1);
    framed.push(b'\n');
    framed.extend_from_slice(record);
    framed.into()
}

/// Cuts records out of a stream. What is declared is not allocated: the buffer grows as bytes arrive.
#[derive(Debug)]
pub struct Decoder {
    received: BytesMut,
    record_bytes_max: usize,
}

impl Decoder {
    /// A decoder that takes records up to a size.
    pub fn new(record_bytes_max: usize) -> Self {
        Decoder {
            received: BytesMut::new(),
            record_bytes_max,
        }
    }

    /// Adds what was received.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.received.extend_from_slice(bytes);
    }

    /// The next whole record, if it is there.
    pub fn next_record(&mut self) -> Result<Option<Bytes>, RecordError> {
        let head = &self.received[..self.received.len().min(DIGITS_MAX + 1)];
        let Some(end) = head.iter().position(|byte| *byte == b'\n') else {
            return match head.len() > DIGITS_MAX || !head.iter().all(u8::is_ascii_digit) {
                true => Err(no_length(head)),
                false => Ok(None),
            };
        };
        let digits = &head[..end];
        let bytes = std::str::from_utf8(digits)
            .ok()
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|text| text.parse::<u64>().ok())
            .ok_or_else(|| no_length(digits))?;
        let length = usize::try_from(bytes)
            .ok()
            .filter(|length| *length <= self.record_bytes_max)
            .ok_or(RecordError::TooLong {
                bytes,
                bytes_max: self.record_bytes_max,
            })?;
        if self.received.len() - end - 1 < length {
            return Ok(None);
        }
        self.received.advance(end + 1);
        Ok(Some(self.received.split_to(length).freeze()))
    }
}

fn no_length(head: &[u8]) -> RecordError {
    RecordError::Length(String::from_utf8_lossy(head).into_owned())
}
