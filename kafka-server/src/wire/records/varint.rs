//! Variable-length integers as records have them: seven bits a byte, the lowest first, signed ones in zigzag.

/// Takes an unsigned integer off the front of `bytes`.
pub(crate) fn take_u32(bytes: &mut &[u8]) -> Option<u32> {
    let (first, rest) = bytes.split_first()?;
    if *first < 0x80 {
        *bytes = rest;
        return Some(u32::from(*first));
    }
    let mut value = 0u32;
    for (at, byte) in bytes.iter().enumerate().take(5) {
        let bits = u32::from(byte & 0x7f);
        if at == 4 && bits > 0x0f {
            return None;
        }
        value |= bits << (7 * at);
        if *byte < 0x80 {
            *bytes = &bytes[at + 1..];
            return Some(value);
        }
    }
    None
}

/// Takes a signed integer off the front of `bytes`.
pub(crate) fn take_i32(bytes: &mut &[u8]) -> Option<i32> {
    let zigzag = take_u32(bytes)?;
    Some((zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed())
}

/// Takes a signed long integer off the front of `bytes`.
pub(crate) fn take_i64(bytes: &mut &[u8]) -> Option<i64> {
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
