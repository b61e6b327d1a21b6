//! The five codecs of record batches, in both directions, bounded.

mod frame;

use std::io::{self, Read, Write};

/// What one batch may grow to: far above what a client may send in a request, far below what a bomb wants.
pub(crate) const DECOMPRESSED_BYTES_MAX: usize = 128 << 20;

/// How a batch's records are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Compression {
    #[default]
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

/// Why a payload could not be compressed or decompressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CompressionError {
    /// The number names no codec.
    #[error("unknown compression type")]
    Unknown,
    /// The bytes are not of the codec.
    #[error("the compressed data is corrupt")]
    Corrupt,
    /// It would grow beyond the limit.
    #[error("the decompressed data is larger than {bytes_max} bytes")]
    TooLarge {
        /// The limit.
        bytes_max: usize,
    },
}

impl Compression {
    /// The bits of a batch's attributes that hold the codec.
    pub(crate) const MASK: i16 = 7;

    /// The codec in a batch's attributes.
    pub(crate) fn of(attributes: i16) -> Option<Self> {
        match attributes & Self::MASK {
            0 => Some(Compression::None),
            1 => Some(Compression::Gzip),
            2 => Some(Compression::Snappy),
            3 => Some(Compression::Lz4),
            4 => Some(Compression::Zstd),
            _ => None,
        }
    }

    /// Its number in a batch's attributes.
    pub(crate) fn id(self) -> i16 {
        match self {
            Compression::None => 0,
            Compression::Gzip => 1,
            Compression::Snappy => 2,
            Compression::Lz4 => 3,
            Compression::Zstd => 4,
        }
    }

    /// The bytes that were compressed, at most `bytes_max` of them.
    pub(crate) fn decompress(self, data: &[u8], bytes_max: usize) -> Result<Vec<u8>, CompressionError> {
        match self {
            Compression::None => bounded(data, bytes_max),
            Compression::Gzip => bounded(flate2::read::MultiGzDecoder::new(data), bytes_max),
            Compression::Snappy => snappy::decompress(data, bytes_max),
            Compression::Lz4 => bounded(lz4_flex::frame::FrameDecoder::new(data), bytes_max),
            Compression::Zstd => {
                let decoder = zstd::stream::read::Decoder::with_buffer(data).map_err(corrupt)?;
                bounded(decoder, bytes_max)
            }
        }
    }

    /// Whether `data` is built as this codec builds it, as far as that shows without decompressing it.
    pub(crate) fn is_whole(self, data: &[u8]) -> bool {
        frame::is_whole(self, data)
    }

    /// `data` compressed at `level`, or at the codec's own default. Lz4 has one level here, Snappy has none at all.
    pub(crate) fn compress(self, data: &[u8], level: Option<i32>) -> Result<Vec<u8>, CompressionError> {
        match self {
            Compression::None => Ok(data.to_vec()),
            Compression::Gzip => {
                let level = match level.and_then(|level| u32::try_from(level).ok()) {
                    Some(level) => flate2::Compression::new(level.min(9)),
                    None => flate2::Compression::default(),
                };
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
                encoder.write_all(data).map_err(corrupt)?;
                encoder.finish().map_err(corrupt)
            }
            Compression::Snappy => snappy::compress(data),
            Compression::Lz4 => {
                // Java's reader takes independent blocks only.
                let frame = lz4_flex::frame::FrameInfo::new()
                    .block_mode(lz4_flex::frame::BlockMode::Independent)
                    .block_size(lz4_flex::frame::BlockSize::Max64KB);
                let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(frame, Vec::new());
                encoder.write_all(data).map_err(corrupt)?;
                encoder.finish().map_err(|_| CompressionError::Corrupt)
            }
            Compression::Zstd => {
                zstd::bulk::compress(data, level.unwrap_or(zstd::DEFAULT_COMPRESSION_LEVEL)).map_err(corrupt)
            }
        }
    }
}

fn corrupt(_: io::Error) -> CompressionError {
    CompressionError::Corrupt
}

fn bounded(reader: impl Read, bytes_max: usize) -> Result<Vec<u8>, CompressionError> {
    let mut data = Vec::new();
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    reader.take(limit).read_to_end(&mut data).map_err(corrupt)?;
    if data.len() > bytes_max {
        return Err(CompressionError::TooLarge { bytes_max });
    }
    Ok(data)
}

/// Snappy as Java's library frames it: a header, then blocks, each after its length. Others send one bare block.
mod snappy {
    use super::CompressionError;

    const MAGIC: &[u8] = b"\x82SNAPPY\0";
    /// Version 1, readable by readers of version 1.
    const VERSIONS: &[u8] = &[0, 0, 0, 1, 0, 0, 0, 1];
    const BLOCK_BYTES: usize = 32 << 10;
    /// Snappy's copies make 64 bytes of three at the best; what declares more is lying.
    const RATIO_MAX: usize = 32;

    pub(super) fn decompress(data: &[u8], bytes_max: usize) -> Result<Vec<u8>, CompressionError> {
        let mut out = Vec::new();
        let Some(framed) = data.strip_prefix(MAGIC) else {
            block(data, bytes_max, &mut out)?;
            return Ok(out);
        };
        let mut rest = framed.get(VERSIONS.len()..).ok_or(CompressionError::Corrupt)?;
        while !rest.is_empty() {
            let (length, after) = rest.split_first_chunk::<4>().ok_or(CompressionError::Corrupt)?;
            let length =
                usize::try_from(i32::from_be_bytes(*length)).map_err(|_| CompressionError::Corrupt)?;
            let (compressed, after) = after.split_at_checked(length).ok_or(CompressionError::Corrupt)?;
            block(compressed, bytes_max, &mut out)?;
            rest = after;
        }
        Ok(out)
    }

    /// Whether blocks follow one another up to the end; of a bare block, whether its length can be true.
    pub(super) fn is_whole(data: &[u8]) -> bool {
        let Some(framed) = data.strip_prefix(MAGIC) else {
            let bytes = snap::raw::decompress_len(data);
            return !data.is_empty()
                && bytes.is_ok_and(|bytes| bytes <= data.len().saturating_mul(RATIO_MAX));
        };
        let Some(mut rest) = framed.get(VERSIONS.len()..) else {
            return false;
        };
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            let length = usize::try_from(i32::from_be_bytes(*length)).ok();
            match length.and_then(|length| after.get(length..)) {
                Some(after) => rest = after,
                None => return false,
            }
        }
        rest.is_empty()
    }

    fn block(data: &[u8], bytes_max: usize, out: &mut Vec<u8>) -> Result<(), CompressionError> {
        let bytes = snap::raw::decompress_len(data).map_err(|_| CompressionError::Corrupt)?;
        if bytes > bytes_max.saturating_sub(out.len()) {
            return Err(CompressionError::TooLarge { bytes_max });
        }
        if bytes > data.len().saturating_mul(RATIO_MAX) {
            return Err(CompressionError::Corrupt);
        }
        let from = out.len();
        out.resize(from + bytes, 0);
        snap::raw::Decoder::new()
            .decompress(data, &mut out[from..])
            .map_err(|_| CompressionError::Corrupt)?;
        Ok(())
    }

    pub(super) fn compress(data: &[u8]) -> Result<Vec<u8>, CompressionError> {
        let mut out = [MAGIC, VERSIONS].concat();
        let mut encoder = snap::raw::Encoder::new();
        for chunk in data.chunks(BLOCK_BYTES) {
            let block = encoder
                .compress_vec(chunk)
                .map_err(|_| CompressionError::Corrupt)?;
            let length = u32::try_from(block.len()).map_err(|_| CompressionError::Corrupt)?;
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(&block);
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests;
