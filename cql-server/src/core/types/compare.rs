//! The order of values, as the original's comparators have it. Nothing is allocated but for decimals of unlike scale.

use super::elements::{Cursor, vector_elements};
use super::{CqlType, Native, decimal};
use std::cmp::Ordering;

/// Compares two values that were validated. An empty value comes before all others.
pub(crate) fn compare(kind: &CqlType, a: &[u8], b: &[u8]) -> Ordering {
    if a.is_empty() || b.is_empty() {
        return b.is_empty().cmp(&a.is_empty());
    }
    match kind {
        CqlType::Native(native) => compare_native(*native, a, b),
        CqlType::List { of, .. } | CqlType::Set { of, .. } => compare_collections(&[of], a, b),
        CqlType::Map { key, value, .. } => compare_collections(&[key, value], a, b),
        CqlType::Tuple(parts) => compare_fields(parts.iter(), a, b),
        CqlType::Udt { of, .. } => compare_fields(of.fields.iter().map(|(_, part)| part), a, b),
        CqlType::Vector { of, dimensions } => compare_vectors(of, *dimensions, a, b),
        CqlType::Custom(_) => a.cmp(b),
    }
}

fn compare_native(native: Native, a: &[u8], b: &[u8]) -> Ordering {
    match native {
        Native::Ascii | Native::Blob | Native::Text | Native::Inet => a.cmp(b),
        Native::Date | Native::Time | Native::Duration | Native::Empty => a.cmp(b),
        Native::Bigint
        | Native::Counter
        | Native::Int
        | Native::Smallint
        | Native::Timestamp
        | Native::Tinyint => signed_first(a).cmp(&signed_first(b)).then_with(|| a.cmp(b)),
        Native::Boolean => (a[0] != 0).cmp(&(b[0] != 0)),
        Native::Float => compare_fixed(a, b, |bytes| float_order(f64::from(f32::from_be_bytes(bytes)))),
        Native::Double => compare_fixed(a, b, |bytes| float_order(f64::from_be_bytes(bytes))),
        Native::Uuid => compare_fixed(a, b, uuid_order),
        Native::Timeuuid => compare_fixed(a, b, timeuuid_order),
        Native::Varint => compare_varints(a, b),
        Native::Decimal => decimal::compare(a, b),
    }
}

fn signed_first(value: &[u8]) -> i8 {
    value[0].cast_signed()
}

/// Compares by the key of each value; values of a wrong length, which nobody stored, by their bytes.
fn compare_fixed<const N: usize, K: Ord>(a: &[u8], b: &[u8], key: impl Fn([u8; N]) -> K) -> Ordering {
    match (a.try_into(), b.try_into()) {
        (Ok(a), Ok(b)) => key(a).cmp(&key(b)),
        _ => a.cmp(b),
    }
}

/// Java's order: -0.0 before 0.0, and one NaN, after everything.
fn float_order(value: f64) -> i64 {
    if value.is_nan() {
        return i64::MAX;
    }
    let bits = value.to_bits().cast_signed();
    if bits < 0 { bits ^ i64::MAX } else { bits }
}

/// By version, then by time where the version has one, then byte by byte.
pub(super) fn uuid_order(value: [u8; 16]) -> u128 {
    let bits = u128::from_be_bytes(value);
    let (high, low) = ((bits >> 64) as u64, bits as u64);
    let version = high >> 12 & 0xF;
    let high = if version == 1 {
        time_first(high)
    } else {
        version << 60 | (high >> 4 & 0x0FFF_FFFF_FFFF_F000) | (high & 0xFFF)
    };
    u128::from(high) << 64 | u128::from(low)
}

/// By time, then by the other bytes as signed ones.
pub(super) fn timeuuid_order(value: [u8; 16]) -> u128 {
    let bits = u128::from_be_bytes(value);
    let (high, low) = ((bits >> 64) as u64, bits as u64);
    u128::from(time_first(high)) << 64 | u128::from(low ^ SIGNS)
}

/// The sign bit of each byte of the lower half.
pub(super) const SIGNS: u64 = 0x8080_8080_8080_8080;

/// Turns the time of a version 1 uuid from low, middle, high to the order of its value.
pub(super) fn time_first(high: u64) -> u64 {
    high << 48 | (high << 16 & 0xFFFF_0000_0000) | high >> 32
}

/// The two's complement number without the leading bytes that say nothing.
pub(super) fn canonical_varint(mut value: &[u8]) -> &[u8] {
    while let [first, second, ..] = value {
        let sign = if second & 0x80 == 0 { 0x00 } else { 0xFF };
        if *first != sign {
            break;
        }
        value = &value[1..];
    }
    value
}

fn compare_varints(a: &[u8], b: &[u8]) -> Ordering {
    let (a, b) = (canonical_varint(a), canonical_varint(b));
    let (negative_a, negative_b) = (a[0] & 0x80 != 0, b[0] & 0x80 != 0);
    if negative_a != negative_b {
        return negative_b.cmp(&negative_a);
    }
    let by_length = if negative_a {
        b.len().cmp(&a.len())
    } else {
        a.len().cmp(&b.len())
    };
    by_length.then_with(|| a.cmp(b))
}

/// `parts` are the types that follow each other in one element: one, or key and value.
fn compare_collections(parts: &[&CqlType], a: &[u8], b: &[u8]) -> Ordering {
    let (mut a, mut b) = (Cursor::new(a), Cursor::new(b));
    let (count_a, count_b) = (a.i32().unwrap_or(0), b.i32().unwrap_or(0));
    for _ in 0..count_a.min(count_b) {
        for part in parts {
            let (Some(left), Some(right)) = (a.value(), b.value()) else {
                return a.rest().len().cmp(&b.rest().len());
            };
            let order = compare(part, left.unwrap_or_default(), right.unwrap_or_default());
            if order.is_ne() {
                return order;
            }
        }
    }
    count_a.cmp(&count_b)
}

/// Null comes before every value, and a field that is not there is null.
fn compare_fields<'a>(parts: impl Iterator<Item = &'a CqlType>, a: &[u8], b: &[u8]) -> Ordering {
    let (mut a, mut b) = (Cursor::new(a), Cursor::new(b));
    for part in parts {
        let order = match (a.value().flatten(), b.value().flatten()) {
            (Some(left), Some(right)) => compare(part, left, right),
            (left, right) => left.is_some().cmp(&right.is_some()),
        };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

fn compare_vectors(of: &CqlType, dimensions: u16, a: &[u8], b: &[u8]) -> Ordering {
    let (mut left, mut right) = (vector_elements(of, a), vector_elements(of, b));
    for _ in 0..dimensions {
        let order = match (left.next(), right.next()) {
            (Some(left), Some(right)) => compare(of, left, right),
            (left, right) => left.cmp(&right),
        };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}
