//! Segments of version 5: payloads of up to 128 KiB under checksums, compressed or not.
//!
//! Knows: CRC-24 of headers, CRC-32 of payloads, LZ4 blocks. Never: envelopes.

use super::compression;
use crate::error::CqlError;
use bytes::Bytes;

/// Bytes of a payload at the most.
pub(crate) const PAYLOAD_MAX: usize = (1 << 17) - 1;
/// Bytes of the checksum behind a payload.
pub(crate) const TRAILER_BYTES: usize = 4;
const CRC24_BYTES: usize = 3;
const LENGTH_BITS: u32 = 17;
/// What every CRC-32 starts over, so that zeros do not check out.
const CRC32_START: [u8; 4] = [0xfa, 0x2d, 0x55, 0xca];

/// How segments of a connection look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Plain,
    Lz4,
}

/// The header of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    /// Bytes of the payload as it travels.
    pub(crate) stored: usize,
    /// Bytes of the payload uncompressed; 0 where it is not compressed.
    pub(crate) uncompressed: usize,
    /// Whether it holds whole envelopes, and is no part of a larger one.
    pub(crate) self_contained: bool,
}

impl Format {
    /// Bytes of a header with its checksum.
    pub(crate) fn header_bytes(self) -> usize {
        self.lengths_bytes() + CRC24_BYTES
    }

    fn lengths_bytes(self) -> usize {
        match self {
            Format::Plain => 3,
            Format::Lz4 => 5,
        }
    }

    /// Reads the header at the start of `bytes`; `None` where it is not all there.
    pub(crate) fn read_header(self, bytes: &[u8]) -> Result<Option<Header>, Corrupt> {
        let lengths = self.lengths_bytes();
        let Some(bytes) = bytes.get(..self.header_bytes()) else {
            return Ok(None);
        };
        let (read, computed) = (little_endian(&bytes[lengths..]), crc24(&bytes[..lengths]));
        if read != u64::from(computed) {
            let read = read as i32;
            return Err(Corrupt::new("header", read, computed as i32));
        }
        let bits = little_endian(&bytes[..lengths]);
        let length = |shift: u32| (bits >> shift) as usize & PAYLOAD_MAX;
        Ok(Some(match self {
            Format::Plain => Header {
                stored: length(0),
                uncompressed: 0,
                self_contained: bits >> LENGTH_BITS & 1 == 1,
            },
            Format::Lz4 => Header {
                stored: length(0),
                uncompressed: length(LENGTH_BITS),
                self_contained: bits >> (2 * LENGTH_BITS) & 1 == 1,
            },
        }))
    }

    /// Writes a header.
    pub(crate) fn write_header(self, header: Header, out: &mut [u8]) {
        let (stored, uncompressed) = (header.stored as u64, header.uncompressed as u64);
        let contained = u64::from(header.self_contained);
        let bits = match self {
            Format::Plain => stored | contained << LENGTH_BITS,
            Format::Lz4 => stored | uncompressed << LENGTH_BITS | contained << (2 * LENGTH_BITS),
        };
        let lengths = self.lengths_bytes();
        out[..lengths].copy_from_slice(&bits.to_le_bytes()[..lengths]);
        let crc = crc24(&out[..lengths]).to_le_bytes();
        out[lengths..lengths + CRC24_BYTES].copy_from_slice(&crc[..CRC24_BYTES]);
    }

    /// The payload of a whole segment, checked and uncompressed. `rest` is what follows the header.
    pub(crate) fn payload(self, header: Header, mut rest: Bytes) -> Result<Bytes, Corrupt> {
        let trailer = rest.split_off(header.stored);
        let (read, computed) = (little_endian(&trailer) as i32, crc32([&rest[..]]) as i32);
        if read != computed {
            return Err(Corrupt::new("body", read, computed));
        }
        if header.uncompressed == 0 {
            return Ok(rest);
        }
        compression::lz4_block(&rest, header.uncompressed).ok_or(Corrupt::compressed())
    }
}

/// A segment that does not check out: nothing behind it can be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Corrupt(String);

impl Corrupt {
    fn new(part: &str, read: i32, computed: i32) -> Self {
        Corrupt(format!(
            "invalid, unrecoverable CRC mismatch detected in frame {part}. Read {read}, Computed {computed}"
        ))
    }

    fn compressed() -> Self {
        Corrupt("invalid, unrecoverable: the frame body is not an LZ4 block of its length".to_owned())
    }

    /// As its sender is told, who may know the connection by `name`.
    pub(crate) fn told(self, name: u32) -> CqlError {
        CqlError::Protocol(format!("{name:08x} {}", self.0))
    }
}

/// The checksum behind a payload, which is given in parts.
pub(crate) fn crc_of<const N: usize>(payload: [&[u8]; N]) -> [u8; TRAILER_BYTES] {
    crc32(payload).to_le_bytes()
}

fn crc32<const N: usize>(parts: [&[u8]; N]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&CRC32_START);
    parts.into_iter().for_each(|part| hasher.update(part));
    hasher.finalize()
}

fn little_endian(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// CRC-24 of OpenPGP's polynomial as Cassandra computes it: five bytes at the most, so a bit at a time will do.
fn crc24(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x87_5060, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte) << 16, |crc, _| {
            let shifted = crc << 1;
            if shifted & 0x100_0000 == 0 {
                shifted
            } else {
                shifted ^ 0x197_4f0b
            }
        })
    })
}

#[cfg(test)]
mod tests;
