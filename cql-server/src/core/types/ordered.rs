//! Values as bytes whose order is the order of the values: what stored keys are made of.
//!
//! A component is a marker and, of a value that is not empty, its payload. A payload tells where it ends, so components
//! follow each other without separators, and no encoding is the beginning of another. Descending columns have all bits
//! of the payload turned over. Markers are greater than zero and less than [`AFTER_ALL`], which ends a prefix.
//!
//! Equal values have equal encodings even where their bytes differ (1.0 and 1.00, the many NaNs): see [`is_exact`].

use super::compare::{SIGNS, canonical_varint, timeuuid_order, uuid_order};
use super::decimal::Normal;
use super::elements::{self, Cursor, fixed_length};
use super::{CqlType, Native};
use crate::error::{CqlError, Result};

/// After every component that may follow a prefix.
pub(crate) const AFTER_ALL: u8 = 0xFF;

const END: u8 = 0x00;
const NULL: u8 = 0x01;
const EMPTY: u8 = 0x02;
const VALUE: u8 = 0x03;
/// Descending columns end with their empty values.
const EMPTY_LAST: u8 = 0x04;

/// How the end of bytes of any length is told from a zero among them.
const ESCAPE: u8 = 0x00;
const ESCAPED_ZERO: u8 = 0xFF;

fn malformed(kind: &CqlType) -> CqlError {
    CqlError::Server(format!("A stored key holds no {kind}"))
}

/// Appends one clustering column; a value that was validated.
pub(crate) fn encode(
    out: &mut Vec<u8>,
    kind: &CqlType,
    descending: bool,
    value: Option<&[u8]>,
) -> Result<()> {
    match value {
        None => out.push(NULL),
        Some([]) => out.push(if descending { EMPTY_LAST } else { EMPTY }),
        Some(value) => {
            out.push(VALUE);
            let start = out.len();
            encode_value(out, kind, value)?;
            if descending {
                out[start..].iter_mut().for_each(|byte| *byte = !*byte);
            }
        }
    }
    Ok(())
}

/// Reads one clustering column from the front of `input`, and appends its bytes to `out`; whether it was a value.
pub(crate) fn decode(out: &mut Vec<u8>, kind: &CqlType, descending: bool, input: &mut &[u8]) -> Result<bool> {
    let mut reader = Reader {
        rest: input,
        inverted: if descending { 0xFF } else { 0 },
        kind,
    };
    // Markers are not turned over.
    let marker = reader.byte()? ^ reader.inverted;
    if marker == VALUE {
        reader.value(out, kind)?;
    }
    *input = reader.rest;
    match marker {
        NULL => Ok(false),
        EMPTY | EMPTY_LAST | VALUE => Ok(true),
        _ => Err(malformed(kind)),
    }
}

/// Appends bytes of any length so that their order stays and their end can be found: partition keys.
pub(crate) fn encode_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    for part in bytes.split_inclusive(|byte| *byte == ESCAPE) {
        out.extend_from_slice(part);
        if part.last() == Some(&ESCAPE) {
            out.push(ESCAPED_ZERO);
        }
    }
    out.extend_from_slice(&[ESCAPE, END]);
}

/// Whether some values of a type are not [`is_exact`].
pub(crate) fn is_loose(kind: &CqlType) -> bool {
    match kind {
        CqlType::Native(native) => matches!(
            native,
            Native::Boolean | Native::Decimal | Native::Double | Native::Float | Native::Varint
        ),
        CqlType::Custom(_) => false,
        _ => true,
    }
}

/// Whether [`decode`] gives back these very bytes. Where it does not, whoever stores the key keeps the bytes beside it.
pub(crate) fn is_exact(kind: &CqlType, value: &[u8]) -> bool {
    match kind {
        CqlType::Native(Native::Boolean) => value.first().is_none_or(|byte| *byte <= 1),
        CqlType::Native(Native::Varint) => canonical_varint(value).len() == value.len(),
        CqlType::Native(Native::Float) => value.try_into().map_or(true, |bits| {
            is_exact_float(f32::from_be_bytes(bits).is_nan(), value, &NAN_FLOAT)
        }),
        CqlType::Native(Native::Double) => value.try_into().map_or(true, |bits| {
            is_exact_float(f64::from_be_bytes(bits).is_nan(), value, &NAN_DOUBLE)
        }),
        CqlType::Native(Native::Duration) | CqlType::Custom(_) => true,
        CqlType::Native(Native::Decimal) | CqlType::Tuple(_) | CqlType::Udt { .. } => comes_back(kind, value),
        CqlType::List { of, .. } | CqlType::Set { of, .. } => {
            Cursor::new(value).i32().is_none_or(|count| count >= 0)
                && elements::elements(value).all(|x| is_exact(of, x))
        }
        CqlType::Map { key, value: of, .. } => {
            Cursor::new(value).i32().is_none_or(|count| count >= 0)
                && elements::entries(value).all(|(k, v)| is_exact(key, k) && is_exact(of, v))
        }
        CqlType::Vector { of, .. } => {
            elements::vector_elements(of, value).all(|element| is_exact(of, element))
        }
        CqlType::Native(_) => true,
    }
}

fn is_exact_float(nan: bool, value: &[u8], canonical: &[u8]) -> bool {
    !nan || value == canonical
}

fn comes_back(kind: &CqlType, value: &[u8]) -> bool {
    let (mut key, mut back) = (Vec::new(), Vec::new());
    encode(&mut key, kind, false, Some(value)).is_ok()
        && decode(&mut back, kind, false, &mut key.as_slice()).is_ok()
        && back == value
}

const NAN_FLOAT: [u8; 4] = 0x7FC0_0000_u32.to_be_bytes();
const NAN_DOUBLE: [u8; 8] = 0x7FF8_0000_0000_0000_u64.to_be_bytes();

fn encode_value(out: &mut Vec<u8>, kind: &CqlType, value: &[u8]) -> Result<()> {
    match kind {
        CqlType::Native(native) => encode_native(out, *native, kind, value)?,
        CqlType::Custom(_) => encode_bytes(out, value),
        CqlType::List { of, .. } | CqlType::Set { of, .. } => {
            for element in elements::elements(value) {
                encode(out, of, false, Some(element))?;
            }
            out.push(END);
        }
        CqlType::Map { key, value: of, .. } => {
            for (entry_key, entry_value) in elements::entries(value) {
                encode(out, key, false, Some(entry_key))?;
                encode(out, of, false, Some(entry_value))?;
            }
            out.push(END);
        }
        CqlType::Tuple(parts) => encode_fields(out, parts.iter(), value)?,
        CqlType::Udt { of, .. } => encode_fields(out, of.fields.iter().map(|(_, part)| part), value)?,
        CqlType::Vector { of, .. } => {
            for element in elements::vector_elements(of, value) {
                match fixed_length(of) {
                    Some(_) => encode_value(out, of, element)?,
                    None => encode(out, of, false, Some(element))?,
                }
            }
        }
    }
    Ok(())
}

/// Fields that are null up to the end are left out, so that it does not matter whether they were written.
fn encode_fields<'a>(
    out: &mut Vec<u8>,
    parts: impl Iterator<Item = &'a CqlType>,
    value: &[u8],
) -> Result<()> {
    let mut end = out.len();
    for (part, field) in parts.zip(elements::fields(value)) {
        encode(out, part, false, field)?;
        if field.is_some() {
            end = out.len();
        }
    }
    out.truncate(end);
    out.push(END);
    Ok(())
}

fn encode_native(out: &mut Vec<u8>, native: Native, kind: &CqlType, value: &[u8]) -> Result<()> {
    let wrong = |_| malformed(kind);
    match native {
        Native::Ascii | Native::Blob | Native::Text | Native::Inet | Native::Duration => {
            encode_bytes(out, value)
        }
        Native::Date => out.extend_from_slice(&<[u8; 4]>::try_from(value).map_err(wrong)?),
        Native::Time => out.extend_from_slice(&<[u8; 8]>::try_from(value).map_err(wrong)?),
        Native::Bigint
        | Native::Counter
        | Native::Int
        | Native::Smallint
        | Native::Timestamp
        | Native::Tinyint => {
            if Some(value.len()) != integer_length(native) {
                return Err(malformed(kind));
            }
            out.push(value[0] ^ 0x80);
            out.extend_from_slice(&value[1..]);
        }
        Native::Boolean => out.push(u8::from(value[0] != 0)),
        Native::Float => {
            let bits = u32::from_be_bytes(value.try_into().map_err(wrong)?);
            let bits = if f32::from_bits(bits).is_nan() {
                u32::from_be_bytes(NAN_FLOAT)
            } else {
                bits
            };
            let key = if bits >> 31 == 1 { !bits } else { bits | 1 << 31 };
            out.extend_from_slice(&key.to_be_bytes());
        }
        Native::Double => {
            let bits = u64::from_be_bytes(value.try_into().map_err(wrong)?);
            let bits = if f64::from_bits(bits).is_nan() {
                u64::from_be_bytes(NAN_DOUBLE)
            } else {
                bits
            };
            let key = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
            out.extend_from_slice(&key.to_be_bytes());
        }
        Native::Uuid => out.extend_from_slice(&uuid_order(value.try_into().map_err(wrong)?).to_be_bytes()),
        Native::Timeuuid => {
            out.extend_from_slice(&timeuuid_order(value.try_into().map_err(wrong)?).to_be_bytes())
        }
        Native::Varint => encode_varint(out, value),
        Native::Decimal => encode_decimal(out, &Normal::of(value).ok_or_else(|| malformed(kind))?),
        Native::Empty => return Err(malformed(kind)),
    }
    Ok(())
}

fn integer_length(native: Native) -> Option<usize> {
    match native {
        Native::Tinyint => Some(1),
        Native::Smallint => Some(2),
        Native::Int => Some(4),
        Native::Bigint | Native::Counter | Native::Timestamp => Some(8),
        _ => None,
    }
}

/// From how many bytes on the length of a varint stands in four bytes of its own.
const LONG_VARINT: usize = 0x7F;

/// Sign and length first: of two numbers of one sign the longer one is further from zero.
fn encode_varint(out: &mut Vec<u8>, value: &[u8]) {
    let value = canonical_varint(value);
    let negative = if value[0] & 0x80 != 0 { 0xFF } else { 0 };
    let mut head = [0x80 | value.len().min(LONG_VARINT) as u8, 0, 0, 0, 0];
    let mut length = 1;
    if value.len() >= LONG_VARINT {
        head[1..].copy_from_slice(&(value.len() as u32).to_be_bytes());
        length = 5;
    }
    out.extend(head[..length].iter().map(|byte| byte ^ negative));
    out.extend_from_slice(value);
}

const NEGATIVE: u8 = 0x40;
const ZERO: u8 = 0x80;
const POSITIVE: u8 = 0xC0;

/// Sign, exponent, then digits one greater than they are, up to a zero.
fn encode_decimal(out: &mut Vec<u8>, number: &Normal) {
    if number.digits.is_empty() {
        return out.push(ZERO);
    }
    out.push(if number.negative { NEGATIVE } else { POSITIVE });
    let start = out.len();
    encode_varint(out, &number.exponent.to_be_bytes());
    out.extend(number.digits.iter().map(|digit| digit + 1));
    out.push(END);
    if number.negative {
        out[start..].iter_mut().for_each(|byte| *byte = !*byte);
    }
}

/// Reads stored keys. What is not there, or cannot be, is an error.
struct Reader<'a, 'k> {
    rest: &'a [u8],
    /// All ones where bits are turned over.
    inverted: u8,
    /// For the error's text.
    kind: &'k CqlType,
}

impl Reader<'_, '_> {
    fn byte(&mut self) -> Result<u8> {
        let (first, rest) = self.rest.split_first().ok_or_else(|| malformed(self.kind))?;
        self.rest = rest;
        Ok(first ^ self.inverted)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (first, rest) = self
            .rest
            .split_first_chunk()
            .ok_or_else(|| malformed(self.kind))?;
        self.rest = rest;
        Ok(first.map(|byte| byte ^ self.inverted))
    }

    fn escaped(&mut self, out: &mut Vec<u8>) -> Result<()> {
        loop {
            match self.byte()? {
                ESCAPE => match self.byte()? {
                    ESCAPED_ZERO => out.push(0),
                    END => return Ok(()),
                    _ => return Err(malformed(self.kind)),
                },
                byte => out.push(byte),
            }
        }
    }

    /// A component inside a value; `None` at the end of them.
    #[expect(clippy::option_option, reason = "null and the end are different things")]
    fn part(&mut self, kind: &CqlType) -> Result<Option<Option<Vec<u8>>>> {
        let mut out = Vec::new();
        match self.byte()? {
            END => Ok(None),
            NULL => Ok(Some(None)),
            EMPTY => Ok(Some(Some(out))),
            VALUE => {
                self.value(&mut out, kind)?;
                Ok(Some(Some(out)))
            }
            _ => Err(malformed(self.kind)),
        }
    }

    fn value(&mut self, out: &mut Vec<u8>, kind: &CqlType) -> Result<()> {
        match kind {
            CqlType::Native(native) => self.native(out, *native),
            CqlType::Custom(_) => self.escaped(out),
            CqlType::List { of, .. } | CqlType::Set { of, .. } => self.collection(out, &[of]),
            CqlType::Map { key, value, .. } => self.collection(out, &[key, value]),
            CqlType::Tuple(parts) => self.fields(out, parts.iter()),
            CqlType::Udt { of, .. } => self.fields(out, of.fields.iter().map(|(_, part)| part)),
            CqlType::Vector { of, dimensions } => {
                let mut parts = Vec::new();
                for _ in 0..*dimensions {
                    if fixed_length(of).is_some() {
                        self.value(out, of)?;
                    } else {
                        parts.push(self.part(of)?.flatten().ok_or_else(|| malformed(self.kind))?);
                    }
                }
                out.extend(elements::vector(of, parts));
                Ok(())
            }
        }
    }

    fn collection(&mut self, out: &mut Vec<u8>, parts: &[&CqlType]) -> Result<()> {
        let head = out.len();
        let mut count = 0_i32;
        out.extend_from_slice(&[0; 4]);
        'elements: loop {
            for part in parts {
                match self.part(part)? {
                    Some(element) => elements::put_value(out, element.as_deref()),
                    None => break 'elements,
                }
            }
            count += 1;
        }
        out[head..head + 4].copy_from_slice(&count.to_be_bytes());
        Ok(())
    }

    /// Fields that were left out are written as the nulls they are: drivers do it so.
    fn fields<'t>(&mut self, out: &mut Vec<u8>, mut parts: impl Iterator<Item = &'t CqlType>) -> Result<()> {
        while let Some(part) = parts.next() {
            let Some(field) = self.part(part)? else {
                elements::put_value(out, None);
                parts.for_each(|_| elements::put_value(out, None));
                return Ok(());
            };
            elements::put_value(out, field.as_deref());
        }
        if self.byte()? == END {
            Ok(())
        } else {
            Err(malformed(self.kind))
        }
    }

    fn native(&mut self, out: &mut Vec<u8>, native: Native) -> Result<()> {
        match native {
            Native::Ascii | Native::Blob | Native::Text | Native::Inet | Native::Duration => {
                self.escaped(out)?
            }
            Native::Date => out.extend_from_slice(&self.array::<4>()?),
            Native::Time => out.extend_from_slice(&self.array::<8>()?),
            Native::Bigint
            | Native::Counter
            | Native::Int
            | Native::Smallint
            | Native::Timestamp
            | Native::Tinyint => {
                out.push(self.byte()? ^ 0x80);
                for _ in 1..integer_length(native).unwrap_or(1) {
                    out.push(self.byte()?);
                }
            }
            Native::Boolean => out.push(self.byte()?),
            Native::Float => {
                let key = u32::from_be_bytes(self.array()?);
                let bits = if key >> 31 == 0 { !key } else { key & !(1 << 31) };
                out.extend_from_slice(&bits.to_be_bytes());
            }
            Native::Double => {
                let key = u64::from_be_bytes(self.array()?);
                let bits = if key >> 63 == 0 { !key } else { key & !(1 << 63) };
                out.extend_from_slice(&bits.to_be_bytes());
            }
            Native::Uuid => self.uuid(out)?,
            Native::Timeuuid => self.timeuuid(out)?,
            Native::Varint => self.varint(out)?,
            Native::Decimal => self.decimal(out)?,
            Native::Empty => return Err(malformed(self.kind)),
        }
        Ok(())
    }

    fn uuid(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let high = u64::from_be_bytes(self.array()?);
        let high = match high >> 60 {
            1 => time_last(high),
            version => high << 4 & 0xFFFF_FFFF_FFFF_0000 | version << 12 | high & 0xFFF,
        };
        out.extend_from_slice(&high.to_be_bytes());
        out.extend_from_slice(&self.array::<8>()?);
        Ok(())
    }

    fn timeuuid(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let high = u64::from_be_bytes(self.array()?);
        let low = u64::from_be_bytes(self.array()?) ^ SIGNS;
        out.extend_from_slice(&time_last(high).to_be_bytes());
        out.extend_from_slice(&low.to_be_bytes());
        Ok(())
    }

    fn varint(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let head = self.byte()?;
        let negative = if head & 0x80 == 0 { 0xFF } else { 0 };
        let mut length = usize::from((head ^ negative) & 0x7F);
        if length == LONG_VARINT {
            length = u32::from_be_bytes(self.array::<4>()?.map(|byte| byte ^ negative)) as usize;
        }
        let (bytes, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or_else(|| malformed(self.kind))?;
        self.rest = rest;
        out.extend(bytes.iter().map(|byte| byte ^ self.inverted));
        Ok(())
    }

    fn decimal(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let mut number = Normal {
            negative: false,
            exponent: 0,
            digits: Vec::new(),
        };
        let outer = self.inverted;
        match self.byte()? {
            ZERO => {}
            sign @ (NEGATIVE | POSITIVE) => {
                number.negative = sign == NEGATIVE;
                self.inverted ^= if number.negative { 0xFF } else { 0 };
                let mut exponent = Vec::new();
                self.varint(&mut exponent)?;
                number.exponent = exponent_of(&exponent).ok_or_else(|| malformed(self.kind))?;
                loop {
                    match self.byte()? {
                        END => break,
                        digit => number.digits.push(digit - 1),
                    }
                }
                self.inverted = outer;
            }
            _ => return Err(malformed(self.kind)),
        }
        out.extend(number.to_bytes().ok_or_else(|| malformed(self.kind))?);
        Ok(())
    }
}

/// What [`super::compare::time_first`] turned around.
fn time_last(high: u64) -> u64 {
    high << 32 | (high >> 16 & 0xFFFF_0000) | high >> 48
}

fn exponent_of(bytes: &[u8]) -> Option<i64> {
    let first = *bytes.first()?;
    let sign = if first & 0x80 == 0 { 0 } else { -1 };
    (bytes.len() <= 8).then(|| {
        bytes
            .iter()
            .fold(sign, |value, byte| value << 8 | i64::from(*byte))
    })
}

#[cfg(test)]
mod tests;
