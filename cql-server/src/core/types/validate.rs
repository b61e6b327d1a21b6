//! Whether bytes are a value of a type, with the original's words where they are not.

use super::elements::{Cursor, fixed_length};
use super::{CqlType, Native, duration};
use crate::error::{CqlError, Result};

/// Of collections, whose elements may not be null.
pub(crate) const NULL_ELEMENT: &str = "Null value read when not allowed";

/// Checks the bytes of one value. Nothing is allocated unless it is refused.
pub(crate) fn validate(kind: &CqlType, value: &[u8]) -> Result<()> {
    match kind {
        CqlType::Native(native) => validate_native(*native, value),
        CqlType::List { of, .. } => validate_collection("list", &[of], value),
        CqlType::Set { of, .. } => validate_collection("set", &[of], value),
        CqlType::Map { key, value: of, .. } => validate_collection("map", &[key, of], value),
        CqlType::Tuple(parts) => validate_tuple(parts, value),
        CqlType::Udt { of, .. } => validate_user_type(of, value),
        CqlType::Vector { of, dimensions } => validate_vector(kind, of, *dimensions, value),
        CqlType::Custom(_) => Ok(()),
    }
}

fn refuse(message: String) -> Result<()> {
    Err(CqlError::Invalid(message))
}

fn validate_native(native: Native, value: &[u8]) -> Result<()> {
    let length = value.len();
    match native {
        Native::Ascii => match value.iter().find(|byte| !byte.is_ascii()) {
            Some(byte) => refuse(format!("Invalid byte for ascii: {}", byte.cast_signed())),
            None => Ok(()),
        },
        Native::Text if is_text(value) => Ok(()),
        Native::Text => refuse("String didn't validate.".into()),
        Native::Blob | Native::Varint => Ok(()),
        Native::Bigint | Native::Counter if matches!(length, 0 | 8) => Ok(()),
        Native::Bigint | Native::Counter => refuse(format!("Expected 8 or 0 byte long ({length})")),
        Native::Boolean if length <= 1 => Ok(()),
        Native::Boolean => refuse(format!("Expected 1 or 0 byte value ({length})")),
        Native::Date if length == 4 => Ok(()),
        Native::Date => refuse(format!("Expected 4 byte long for date ({length})")),
        Native::Decimal if length == 0 || length >= 4 => Ok(()),
        Native::Decimal => refuse(format!("Expected 0 or at least 4 bytes ({length})")),
        Native::Double if matches!(length, 0 | 8) => Ok(()),
        Native::Double => refuse(format!("Expected 8 or 0 byte value for a double ({length})")),
        Native::Duration => duration::validate(value),
        Native::Empty if length == 0 => Ok(()),
        Native::Empty => refuse("EmptyType only accept empty values".into()),
        Native::Float if matches!(length, 0 | 4) => Ok(()),
        Native::Float => refuse(format!("Expected 4 or 0 byte value for a float ({length})")),
        Native::Inet if matches!(length, 0 | 4 | 16) => Ok(()),
        Native::Inet => refuse(format!(
            "Expected 4 or 16 byte inetaddress; got {}",
            super::hex(value)
        )),
        Native::Int if matches!(length, 0 | 4) => Ok(()),
        Native::Int => refuse(format!("Expected 4 or 0 byte int ({length})")),
        Native::Smallint if length == 2 => Ok(()),
        Native::Smallint => refuse(format!("Expected 2 bytes for a smallint ({length})")),
        Native::Time if length == 8 => Ok(()),
        Native::Time => refuse(format!("Expected 8 byte long for time ({length})")),
        Native::Timestamp if matches!(length, 0 | 8) => Ok(()),
        Native::Timestamp => refuse(format!("Expected 8 or 0 byte long for date ({length})")),
        Native::Tinyint if length == 1 => Ok(()),
        Native::Tinyint => refuse(format!("Expected 1 byte for a tinyint ({length})")),
        Native::Uuid | Native::Timeuuid => validate_uuid(native, value),
    }
}

fn validate_uuid(native: Native, value: &[u8]) -> Result<()> {
    match value.len() {
        0 => Ok(()),
        16 if native == Native::Uuid || value[6] >> 4 == 1 => Ok(()),
        // The original shows the first digit, which is not the version's.
        16 => refuse(format!(
            "Invalid version for TimeUUID type: 0x{:x}",
            value[0] >> 4
        )),
        length => refuse(format!("UUID should be 16 or 0 bytes ({length})")),
    }
}

/// UTF-8 as the original sees it: it also lets pass surrogates, code points beyond Unicode and Java's own zero (C0 80).
pub(super) fn is_text(value: &[u8]) -> bool {
    std::str::from_utf8(value).is_ok() || is_lenient_text(value)
}

fn is_lenient_text(value: &[u8]) -> bool {
    let mut bytes = value.iter().copied();
    while let Some(first) = bytes.next() {
        let (second, following) = match first {
            0..=0x7F => continue,
            0xC0 => (0x80..=0x80, 0),
            0xC2..=0xDF => (0x80..=0xBF, 0),
            0xE0 => (0xA0..=0xBF, 1),
            0xE1..=0xEF => (0x80..=0xBF, 1),
            0xF0 => (0x90..=0xBF, 2),
            0xF1..=0xF7 => (0x80..=0xBF, 2),
            _ => return false,
        };
        if !bytes.next().is_some_and(|byte| second.contains(&byte)) {
            return false;
        }
        for _ in 0..following {
            if !bytes.next().is_some_and(|byte| (0x80..=0xBF).contains(&byte)) {
                return false;
            }
        }
    }
    true
}

/// `parts` are the types that follow each other in one element: one, or key and value.
fn validate_collection(name: &str, parts: &[&CqlType], value: &[u8]) -> Result<()> {
    let short = || CqlError::Invalid(format!("Not enough bytes to read a {name}"));
    let mut cursor = Cursor::new(value);
    let count = cursor.i32().ok_or_else(short)?;
    for _ in 0..count {
        for part in parts {
            let element = cursor.value().ok_or_else(short)?;
            let element = element.ok_or_else(|| CqlError::invalid(NULL_ELEMENT))?;
            validate(part, element)?;
        }
    }
    if !cursor.rest().is_empty() {
        return refuse(format!("Unexpected extraneous bytes after {name} value"));
    }
    Ok(())
}

fn validate_tuple(parts: &[CqlType], value: &[u8]) -> Result<()> {
    let mut cursor = Cursor::new(value);
    for (i, part) in parts.iter().enumerate() {
        if cursor.rest().is_empty() {
            return Ok(());
        }
        if cursor.rest().len() < 4 {
            return refuse(format!("Not enough bytes to read size of {i}th component"));
        }
        match cursor.value() {
            None => return refuse(format!("Not enough bytes to read {i}th component")),
            Some(Some(field)) => validate(part, field)?,
            Some(None) => {}
        }
    }
    if cursor.rest().is_empty() {
        Ok(())
    } else {
        refuse("Invalid remaining data after end of tuple value".into())
    }
}

fn validate_user_type(of: &super::UserType, value: &[u8]) -> Result<()> {
    let mut cursor = Cursor::new(value);
    for (i, (name, part)) in of.fields.iter().enumerate() {
        if cursor.rest().is_empty() {
            return Ok(());
        }
        if cursor.rest().len() < 4 {
            return refuse(format!("Not enough bytes to read size of {i}th field {name}"));
        }
        match cursor.value() {
            None => return refuse(format!("Not enough bytes to read {i}th field {name}")),
            Some(Some(field)) => validate(part, field).map_err(|error| {
                CqlError::Invalid(format!("Failure validating the {i}th field {name}; {error}"))
            })?,
            Some(None) => {}
        }
    }
    if cursor.rest().is_empty() {
        Ok(())
    } else {
        refuse("Invalid remaining data after end of UDT value".into())
    }
}

fn validate_vector(kind: &CqlType, of: &CqlType, dimensions: u16, value: &[u8]) -> Result<()> {
    if value.is_empty() {
        return refuse("Invalid empty vector value".into());
    }
    let short = || CqlError::Invalid(format!("Not enough bytes to read a {kind}"));
    let mut cursor = Cursor::new(value);
    for _ in 0..dimensions {
        let element = match fixed_length(of) {
            Some(length) => cursor.take(length),
            None => cursor.counted(),
        };
        validate(of, element.ok_or_else(short)?)?;
    }
    match cursor.rest().len() {
        0 => Ok(()),
        extra => refuse(format!("Unexpected {extra} extraneous bytes after {kind} value")),
    }
}
