//! Notations of the protocol, read: every length is checked against what is there.
//!
//! Knows: `[string]`, `[bytes]` and the like, and the original's words where they do not fit. Never: what they are for.

use super::version::Version;
use crate::{
    engine::Value,
    error::{CqlError, Result},
};
use bytes::{Buf, Bytes};

/// A request's body being read. What it gives as [`Bytes`] are slices of the body.
#[derive(Debug, Clone)]
pub(crate) struct Reader(Bytes);

impl Reader {
    pub(crate) fn new(body: Bytes) -> Self {
        Reader(body)
    }

    /// Bytes not read yet.
    pub(crate) fn remaining(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn u8(&mut self) -> Result<u8> {
        self.0.try_get_u8().map_err(|_| missing(1, self.remaining()))
    }

    pub(crate) fn u16(&mut self) -> Result<u16> {
        self.0.try_get_u16().map_err(|_| missing(2, self.remaining()))
    }

    pub(crate) fn u32(&mut self) -> Result<u32> {
        self.0.try_get_u32().map_err(|_| missing(4, self.remaining()))
    }

    pub(crate) fn i32(&mut self) -> Result<i32> {
        self.0.try_get_i32().map_err(|_| missing(4, self.remaining()))
    }

    pub(crate) fn i64(&mut self) -> Result<i64> {
        self.0.try_get_i64().map_err(|_| missing(8, self.remaining()))
    }

    fn take(&mut self, length: usize) -> Option<Bytes> {
        (length <= self.0.len()).then(|| self.0.split_to(length))
    }

    /// `[string]`.
    pub(crate) fn string(&mut self) -> Result<String> {
        let length = self.0.try_get_u16().ok();
        let bytes = length.and_then(|length| self.take(usize::from(length)));
        utf8(bytes.ok_or_else(|| too_short("an UTF8 serialized string", 2))?)
    }

    /// `[long string]`.
    pub(crate) fn long_string(&mut self) -> Result<String> {
        let length = self
            .0
            .try_get_i32()
            .ok()
            .and_then(|length| usize::try_from(length).ok());
        let bytes = length.and_then(|length| self.take(length));
        utf8(bytes.ok_or_else(|| too_short("an UTF8 serialized string", 4))?)
    }

    /// `[short bytes]`.
    pub(crate) fn short_bytes(&mut self) -> Result<Bytes> {
        let length = self.0.try_get_u16().ok();
        let bytes = length.and_then(|length| self.take(usize::from(length)));
        bytes.ok_or_else(|| too_short("a byte array", 2))
    }

    /// `[bytes]`; `None` is null.
    pub(crate) fn bytes(&mut self) -> Result<Option<Bytes>> {
        match usize::try_from(self.i32()?) {
            Ok(length) => self
                .take(length)
                .map(Some)
                .ok_or_else(|| missing(length, self.remaining())),
            Err(_) => Ok(None),
        }
    }

    /// `[value]`: a bound value, which from version 4 on may be left unset.
    pub(crate) fn value(&mut self, version: Version) -> Result<Value> {
        let length = self.i32()?;
        match (usize::try_from(length), length) {
            (Ok(bytes), _) => match self.take(bytes) {
                Some(value) => Ok(Value::Set(value)),
                None => Err(missing(bytes, self.remaining())),
            },
            (_, -1) => Ok(Value::Null),
            _ if version < Version::V4 => Ok(Value::Null),
            (_, -2) => Ok(Value::Unset),
            _ => Err(CqlError::Protocol(format!("Invalid ByteBuf length {length}"))),
        }
    }

    /// `[string list]`.
    pub(crate) fn string_list(&mut self) -> Result<Vec<String>> {
        let count = self.counted(2)?;
        (0..count).map(|_| self.string()).collect()
    }

    /// `[string map]`, in the order sent.
    pub(crate) fn string_map(&mut self) -> Result<Vec<(String, String)>> {
        let count = self.counted(4)?;
        (0..count).map(|_| Ok((self.string()?, self.string()?))).collect()
    }

    /// `[bytes map]`.
    pub(crate) fn bytes_map(&mut self) -> Result<Vec<(String, Option<Bytes>)>> {
        let count = self.counted(6)?;
        (0..count).map(|_| Ok((self.string()?, self.bytes()?))).collect()
    }

    /// A count of items that take `item_min` bytes each at the least: what cannot be there is not allocated for.
    pub(crate) fn counted(&mut self, item_min: usize) -> Result<usize> {
        let count = usize::from(self.u16()?);
        match count * item_min <= self.remaining() {
            true => Ok(count),
            false => Err(missing(count * item_min, self.remaining())),
        }
    }
}

fn utf8(bytes: Bytes) -> Result<String> {
    String::from_utf8(bytes.into()).map_err(|error| {
        let hex: String = error
            .as_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let why = "java.nio.charset.MalformedInputException: Input length = 1";
        CqlError::Protocol(format!("Cannot decode string as UTF8: '{hex}'; {why}"))
    })
}

fn too_short(what: &str, length_bytes: u8) -> CqlError {
    CqlError::Protocol(format!(
        "Not enough bytes to read {what} preceded by its {length_bytes} bytes length"
    ))
}

/// The original fails with an exception of its buffers here; this says the same in the protocol's terms.
fn missing(wanted: usize, there: usize) -> CqlError {
    CqlError::Protocol(format!("Not enough bytes: {wanted} expected, {there} there"))
}

#[cfg(test)]
mod tests;
