//! Where a partition lies on the ring: Murmur3 of its key, as Cassandra has it.

/// The bytes of a partition key: one column as it is; several each with length before and a zero after.
pub(crate) fn partition_key<T: AsRef<[u8]>>(columns: &[T]) -> Vec<u8> {
    if let [only] = columns {
        return only.as_ref().to_vec();
    }
    let length = columns.iter().map(|column| column.as_ref().len() + 3).sum();
    let mut out = Vec::with_capacity(length);
    for column in columns {
        let column = column.as_ref();
        // A key of more than 64 KiB is refused before anybody asks for its bytes.
        out.extend_from_slice(&(column.len() as u16).to_be_bytes());
        out.extend_from_slice(column);
        out.push(0);
    }
    out
}

/// The columns of a partition key of `count` columns.
pub(crate) fn partition_key_columns(key: &[u8], count: usize) -> Vec<&[u8]> {
    if count == 1 {
        return vec![key];
    }
    let mut rest = key;
    let mut next = || {
        let (length, after) = rest.split_first_chunk()?;
        let (column, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        rest = after.get(1..)?;
        Some(column)
    };
    std::iter::from_fn(&mut next).take(count).collect()
}

/// The token of a partition key. The least one is no token of a key: an empty key has it alone.
pub(crate) fn token(key: &[u8]) -> i64 {
    if key.is_empty() {
        return i64::MIN;
    }
    match murmur3(key) {
        i64::MIN => i64::MAX,
        token => token,
    }
}

const C1: u64 = 0x87c3_7b91_1142_53d5;
const C2: u64 = 0x4cf5_ad43_2745_937f;

fn mix_first(block: u64) -> u64 {
    block.wrapping_mul(C1).rotate_left(31).wrapping_mul(C2)
}

fn mix_second(block: u64) -> u64 {
    block.wrapping_mul(C2).rotate_left(33).wrapping_mul(C1)
}

fn finish(mut hash: u64) -> u64 {
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ hash >> 33
}

/// The upper half of the 128-bit x64 variant with seed 0. The bytes of the tail count as signed ones: an old mistake of
/// the original that every client shares.
fn murmur3(key: &[u8]) -> i64 {
    let (mut h1, mut h2) = (0_u64, 0_u64);
    let mut blocks = key.chunks_exact(16);
    for block in &mut blocks {
        let (first, second) = block.split_at(8);
        h1 ^= mix_first(little_endian(first));
        h1 = h1
            .rotate_left(27)
            .wrapping_add(h2)
            .wrapping_mul(5)
            .wrapping_add(0x52dc_e729);
        h2 ^= mix_second(little_endian(second));
        h2 = h2
            .rotate_left(31)
            .wrapping_add(h1)
            .wrapping_mul(5)
            .wrapping_add(0x3849_5ab5);
    }
    let tail = blocks.remainder();
    if tail.len() > 8 {
        h2 ^= mix_second(signed_bytes(&tail[8..]));
    }
    if !tail.is_empty() {
        h1 ^= mix_first(signed_bytes(&tail[..tail.len().min(8)]));
    }
    h1 ^= key.len() as u64;
    h2 ^= key.len() as u64;
    h1 = h1.wrapping_add(h2);
    h2 = h2.wrapping_add(h1);
    h1 = finish(h1);
    h2 = finish(h2);
    h1.wrapping_add(h2).cast_signed()
}

fn little_endian(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |value, byte| value << 8 | u64::from(*byte))
}

fn signed_bytes(bytes: &[u8]) -> u64 {
    let shifted = |(i, byte): (usize, &u8)| i64::from(byte.cast_signed()).cast_unsigned() << (8 * i);
    bytes
        .iter()
        .enumerate()
        .map(shifted)
        .fold(0, |value, byte| value ^ byte)
}
