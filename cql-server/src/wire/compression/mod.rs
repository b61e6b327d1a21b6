//! Compression that clients ask for in STARTUP: LZ4 and Snappy.
//!
//! Knows: blocks of both. Never: envelopes or segments.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// How the bodies of envelopes travel in versions 3 and 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    /// A block behind its uncompressed length.
    Lz4,
    Snappy,
}

impl Compression {
    /// As STARTUP names it, in any case.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "lz4" => Some(Compression::Lz4),
            "snappy" => Some(Compression::Snappy),
            _ => None,
        }
    }

    /// Bytes of `body` uncompressed, as it says itself; `None` where it says nothing that can be.
    pub(crate) fn uncompressed(self, body: &[u8]) -> Option<usize> {
        match self {
            Compression::Lz4 => {
                let length = i32::from_be_bytes(*body.first_chunk::<4>()?);
                usize::try_from(length).ok()
            }
            Compression::Snappy => snap::raw::decompress_len(body).ok(),
        }
    }

    /// The body uncompressed. `length` is what [`Compression::uncompressed`] told, and the caller bounded.
    pub(crate) fn expand(self, mut body: Bytes, length: usize) -> Option<Bytes> {
        match self {
            Compression::Lz4 => {
                body.try_get_i32().ok()?;
                lz4_block(&body, length)
            }
            Compression::Snappy => {
                let mut out = BytesMut::zeroed(length);
                let read = snap::raw::Decoder::new().decompress(&body, &mut out).ok()?;
                (read == length).then(|| out.freeze())
            }
        }
    }

    /// Appends `body` compressed.
    pub(crate) fn put(self, out: &mut BytesMut, body: &[u8]) {
        match self {
            Compression::Lz4 => {
                out.put_i32(body.len() as i32);
                put_lz4_block(out, body);
            }
            Compression::Snappy => {
                let start = out.len();
                out.resize(start + snap::raw::max_compress_len(body.len()), 0);
                let written = snap::raw::Encoder::new().compress(body, &mut out[start..]);
                out.truncate(start + written.unwrap_or(0));
            }
        }
    }
}

/// Appends an LZ4 block.
pub(crate) fn put_lz4_block(out: &mut BytesMut, bytes: &[u8]) {
    let start = out.len();
    out.resize(start + lz4_flex::block::get_maximum_output_size(bytes.len()), 0);
    let written = lz4_flex::block::compress_into(bytes, &mut out[start..]);
    out.truncate(start + written.unwrap_or(0));
}

/// An LZ4 block uncompressed, which must give exactly `length` bytes.
pub(crate) fn lz4_block(block: &[u8], length: usize) -> Option<Bytes> {
    if length == 0 {
        return Some(Bytes::new());
    }
    let mut out = BytesMut::zeroed(length);
    let read = lz4_flex::block::decompress_into(block, &mut out).ok()?;
    (read == length).then(|| out.freeze())
}

#[cfg(test)]
mod tests;
