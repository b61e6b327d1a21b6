//! Constants of a statement to bytes: how each type reads its text.

use super::{CqlType, Native, decimal, duration, moments};
use crate::error::{CqlError, Result};
use ::core::net::{Ipv4Addr, Ipv6Addr};

/// The bytes of a constant: the text between the quotes, or the token as it was written. Blobs with their `0x`.
pub(crate) fn parse(kind: &CqlType, text: &str) -> Result<Vec<u8>> {
    match kind {
        CqlType::Native(Native::Blob) => parse_hex(
            text.strip_prefix("0x")
                .or_else(|| text.strip_prefix("0X"))
                .unwrap_or(text),
        ),
        CqlType::Native(Native::Counter) => parse_native(Native::Bigint, text),
        CqlType::Native(native) => parse_native(*native, text),
        _ => parse_hex(text),
    }
}

fn refused<T>(message: String) -> Result<T> {
    Err(CqlError::Invalid(message))
}

pub(super) fn parse_hex(digits: &str) -> Result<Vec<u8>> {
    let wrong = || CqlError::invalid(format!("cannot parse '{digits}' as hex bytes"));
    if !digits.len().is_multiple_of(2) {
        return Err(wrong());
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let pairs = digits.as_bytes().chunks_exact(2);
    pairs
        .map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?))
        .collect::<Option<_>>()
        .ok_or_else(wrong)
}

/// How each type reads text. An empty text is an empty value where the type has one.
pub(super) fn parse_native(native: Native, text: &str) -> Result<Vec<u8>> {
    if text.is_empty() && !matches!(native, Native::Boolean | Native::Date | Native::Time) {
        return Ok(Vec::new());
    }
    let unable = |what: &str| CqlError::Invalid(format!("Unable to make {what} from '{text}'"));
    Ok(match native {
        Native::Ascii if !text.is_ascii() => {
            return refused(
                "Invalid ASCII character in string literal: \
                 java.nio.charset.UnmappableCharacterException: Input length = 1"
                    .into(),
            );
        }
        Native::Ascii | Native::Text => text.as_bytes().to_vec(),
        Native::Blob => parse_hex(text)?,
        Native::Bigint | Native::Counter => text
            .parse::<i64>()
            .map_err(|_| unable("long"))?
            .to_be_bytes()
            .to_vec(),
        Native::Int => text
            .parse::<i32>()
            .map_err(|_| unable("int"))?
            .to_be_bytes()
            .to_vec(),
        Native::Smallint => text
            .parse::<i16>()
            .map_err(|_| unable("short"))?
            .to_be_bytes()
            .to_vec(),
        Native::Tinyint => text
            .parse::<i8>()
            .map_err(|_| unable("byte"))?
            .to_be_bytes()
            .to_vec(),
        Native::Boolean if text.is_empty() || text.eq_ignore_ascii_case("false") => vec![0],
        Native::Boolean if text.eq_ignore_ascii_case("true") => vec![1],
        Native::Boolean => return Err(unable("boolean")),
        Native::Float => java_float(text)
            .ok_or_else(|| unable("float"))?
            .0
            .to_be_bytes()
            .to_vec(),
        Native::Double => java_float(text)
            .ok_or_else(|| unable("double"))?
            .1
            .to_be_bytes()
            .to_vec(),
        Native::Varint | Native::Decimal => exact_number(native, text)?,
        Native::Inet => inet(text).ok_or_else(|| unable("inet address"))?,
        Native::Uuid => uuid(text).ok_or_else(|| unable("UUID"))?,
        Native::Timeuuid => match uuid(text) {
            Some(bytes) if bytes[6] >> 4 == 1 => bytes,
            Some(_) => return refused("TimeUUID supports only version 1 UUIDs".into()),
            None => return refused(format!("Unknown timeuuid representation: {text}")),
        },
        Native::Date => moments::parse_date(text)?.to_be_bytes().to_vec(),
        Native::Time => moments::parse_time(text)?.to_be_bytes().to_vec(),
        Native::Timestamp => moments::parse_timestamp(text)?.to_be_bytes().to_vec(),
        Native::Duration => duration::parse(text)?.to_bytes(),
        Native::Empty => return refused(format!("'{text}' is not empty")),
    })
}

fn exact_number(native: Native, text: &str) -> Result<Vec<u8>> {
    let (what, read) = if native == Native::Varint {
        (
            "int",
            decimal::parse_integer(text).map(|number| decimal::varint_bytes(&number)),
        )
    } else {
        (
            "BigDecimal",
            decimal::Decimal::parse(text).map(|number| number.to_bytes()),
        )
    };
    read.ok_or_else(|| CqlError::Invalid(format!("unable to make {what} from '{text}'")))
}

/// A number as Java reads floats and doubles: blanks around it, a suffix, and its own names for what is no number.
/// Both are read from the text, so that each is rounded once.
fn java_float(text: &str) -> Option<(f32, f64)> {
    let text = text.trim_matches(|c: char| c <= ' ');
    match text.strip_prefix(['-', '+']).unwrap_or(text) {
        "NaN" => return Some((f32::NAN, f64::NAN)),
        "Infinity" if text.starts_with('-') => return Some((f32::NEG_INFINITY, f64::NEG_INFINITY)),
        "Infinity" => return Some((f32::INFINITY, f64::INFINITY)),
        _ => {}
    }
    let number = text.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(text);
    let plain = number
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    if plain {
        Some((number.parse().ok()?, number.parse().ok()?))
    } else {
        None
    }
}

/// Eight, four, four, four and twelve hexadecimal digits.
fn uuid(text: &str) -> Option<Vec<u8>> {
    let shape = text.bytes().enumerate().all(|(i, byte)| {
        if matches!(i, 8 | 13 | 18 | 23) {
            byte == b'-'
        } else {
            byte.is_ascii_hexdigit()
        }
    });
    (text.len() == 36 && shape).then(|| parse_hex(&text.replace('-', "")).ok())?
}

/// An address in numbers. Names, which the original would look up, are refused.
fn inet(text: &str) -> Option<Vec<u8>> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    if bare.contains(':') {
        let address: Ipv6Addr = bare.parse().ok()?;
        return Some(match address.to_ipv4_mapped() {
            Some(mapped) => mapped.octets().to_vec(),
            None => address.octets().to_vec(),
        });
    }
    // The last number fills the bytes that the others leave.
    let numbers: Vec<u32> = text.split('.').map(plain_number).collect::<Option<_>>()?;
    let (last, first) = numbers.split_last()?;
    if first.len() > 3 || first.iter().any(|byte| *byte > 255) {
        return None;
    }
    let free = 4 - first.len();
    if u64::from(*last) >> (8 * free) != 0 {
        return None;
    }
    let mut octets: Vec<u8> = first.iter().map(|byte| *byte as u8).collect();
    octets.extend_from_slice(&last.to_be_bytes()[4 - free..]);
    Some(octets)
}

fn plain_number(digits: &str) -> Option<u32> {
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// The text of an address: the original leaves no zero out.
pub(super) fn inet_text(value: &[u8]) -> Option<String> {
    if let Ok(octets) = <[u8; 4]>::try_from(value) {
        return Some(Ipv4Addr::from(octets).to_string());
    }
    let address = Ipv6Addr::from(<[u8; 16]>::try_from(value).ok()?);
    Some(match address.to_ipv4_mapped() {
        Some(mapped) => mapped.to_string(),
        None => address.segments().map(|segment| format!("{segment:x}")).join(":"),
    })
}
