//! Whether bytes are built as a codec builds them: headers and the lengths of blocks, without decompressing any. So what
//! is not of its codec at all is refused where opening every batch would cost more than all the rest of a write.

use super::{Compression, snappy};

/// Whether `data` begins and ends as the codec says. Damage within a block shows only to who decompresses it.
pub(super) fn is_whole(codec: Compression, data: &[u8]) -> bool {
    match codec {
        Compression::None => true,
        Compression::Gzip => gzip(data),
        Compression::Snappy => snappy::is_whole(data),
        Compression::Lz4 => lz4(data).is_some(),
        Compression::Zstd => zstd::zstd_safe::find_frame_compressed_size(data).is_ok(),
    }
}

/// Magic, method, no reserved flag, and room for header and trailer: where its blocks end shows only in their bits.
fn gzip(data: &[u8]) -> bool {
    const SIZE_MIN: usize = 18;
    const RESERVED: u8 = 0xe0;
    data.len() >= SIZE_MIN && data.starts_with(&[0x1f, 0x8b, 8]) && data[3] & RESERVED == 0
}

/// The first frame: its descriptor, then blocks after their lengths, up to the end mark.
fn lz4(data: &[u8]) -> Option<()> {
    const MAGIC: &[u8] = &[0x04, 0x22, 0x4d, 0x18];
    const BLOCK_CHECKSUM: u8 = 1 << 4;
    const CONTENT_SIZE: u8 = 1 << 3;
    const CONTENT_CHECKSUM: u8 = 1 << 2;
    const DICTIONARY: u8 = 1;
    const UNCOMPRESSED: u32 = 1 << 31;
    let (flags, rest) = data.strip_prefix(MAGIC)?.split_first()?;
    let has = |flag: u8, bytes: usize| if flags & flag != 0 { bytes } else { 0 };
    if flags >> 6 != 1 {
        return None;
    }
    // The block size, what is optional, the descriptor's checksum.
    let mut rest = rest.get(1 + has(CONTENT_SIZE, 8) + has(DICTIONARY, 4) + 1..)?;
    loop {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length);
        if length == 0 {
            return after.get(has(CONTENT_CHECKSUM, 4)..).map(|_| ());
        }
        let length = usize::try_from(length & !UNCOMPRESSED).ok()?;
        rest = after.get(length..)?.get(has(BLOCK_CHECKSUM, 4)..)?;
    }
}
