//! Variable-length integers as records have them: seven bits a byte, the lowest first, signed ones in zigzag.

/// Takes an unsigned integer off the front of `bytes`.
#[inline]
pub(crate) fn take_u32(bytes: &mut &[u8]) -> Option<u32> {
    let (value, rest) = match *bytes {
        // Nearly all there are: each step from record to record waits for these.
        [a, rest @ ..] if *a < 0x80 => (u32::from(*a), rest),
        [a, b, rest @ ..] if *b < 0x80 => (low_bits(*a) | low_bits(*b) << 7, rest),
        [a, b, c, rest @ ..] if *c < 0x80 => (low_bits(*a) | low_bits(*b) << 7 | low_bits(*c) << 14, rest),
        _ => take_long_u32(bytes)?,
    };
    *bytes = rest;
    Some(value)
}

fn low_bits(byte: u8) -> u32 {
    u32::from(byte & 0x7f)
}

/// [`take_u32`] of four or five bytes.
fn take_long_u32(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let mut value = 0;
    for (at, byte) in bytes.iter().enumerate().take(5) {
        if at == 4 && *byte > 0x0f {
            return None;
        }
        value |= low_bits(*byte) << (7 * at);
        if *byte < 0x80 {
            return Some((value, &bytes[at + 1..]));
        }
    }
    None
}

/// Takes a signed integer off the front of `bytes`.
#[inline]
pub(crate) fn take_i32(bytes: &mut &[u8]) -> Option<i32> {
    let zigzag = take_u32(bytes)?;
    Some((zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed())
}

/// Takes a signed long integer off the front of `bytes`.
#[inline]
pub(crate) fn take_i64(bytes: &mut &[u8]) -> Option<i64> {
    if let [first, rest @ ..] = *bytes
        && *first < 0x80
    {
        *bytes = rest;
        let zigzag = i64::from(*first);
        return Some((zigzag >> 1) ^ -(zigzag & 1));
    }
    let mut zigzag = 0u64;
    for (at, byte) in bytes.iter().enumerate().take(10) {
        let bits = u64::from(byte & 0x7f);
        if at == 9 && bits > 1 {
            return None;
        }
        zigzag |= bits << (7 * at);
        if *byte < 0x80 {
            *bytes = &bytes[at + 1..];
            return Some((zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed());
        }
    }
    None
}

/// Appends an unsigned integer.
pub(crate) fn put_u32(bytes: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Appends a signed integer.
pub(crate) fn put_i32(bytes: &mut Vec<u8>, value: i32) {
    put_u32(bytes, ((value << 1) ^ (value >> 31)).cast_unsigned());
}

/// Appends a signed long integer.
pub(crate) fn put_i64(bytes: &mut Vec<u8>, value: i64) {
    let mut zigzag = ((value << 1) ^ (value >> 63)).cast_unsigned();
    while zigzag >= 0x80 {
        bytes.push((zigzag & 0x7f) as u8 | 0x80);
        zigzag >>= 7;
    }
    bytes.push(zigzag as u8);
}
