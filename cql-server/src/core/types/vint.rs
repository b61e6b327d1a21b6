//! The original's variable-length integers: the number of leading ones of the first byte says how many bytes follow.

/// Reads one from the front of `input`.
pub(crate) fn take_unsigned(input: &mut &[u8]) -> Option<u64> {
    let (first, rest) = input.split_first()?;
    let following = first.leading_ones() as usize;
    let (bytes, rest) = rest.split_at_checked(following)?;
    let head = if following >= 7 {
        0
    } else {
        u64::from(first & (0xFF >> following))
    };
    *input = rest;
    Some(
        bytes
            .iter()
            .fold(head, |value, byte| value << 8 | u64::from(*byte)),
    )
}

/// Reads one whose sign is in its lowest bit.
pub(crate) fn take_signed(input: &mut &[u8]) -> Option<i64> {
    let raw = take_unsigned(input)?;
    Some((raw >> 1).cast_signed() ^ -(raw & 1).cast_signed())
}

/// Appends one, in as few bytes as it needs.
pub(crate) fn put_unsigned(out: &mut Vec<u8>, value: u64) {
    let bits = 64 - (value | 1).leading_zeros() as usize;
    let following = if bits > 56 { 8 } else { (bits - 1) / 7 };
    let bytes = value.to_be_bytes();
    let ones = (0xFF00_u32 >> following) as u8;
    if following < 8 {
        out.push(ones | bytes[7 - following]);
        out.extend_from_slice(&bytes[8 - following..]);
    } else {
        out.push(0xFF);
        out.extend_from_slice(&bytes);
    }
}

/// Appends one whose sign is in its lowest bit.
pub(crate) fn put_signed(out: &mut Vec<u8>, value: i64) {
    put_unsigned(out, ((value << 1) ^ (value >> 63)).cast_unsigned());
}
