//! Types as the metadata of results tells them: `[option]`.
//!
//! Knows: codes, and from which version on a client knows each. Never: values.

use super::{version::Version, write::Put};
use crate::core::types::{CqlType, Native, UserType, marshal};
use bytes::{BufMut, BytesMut};

const CUSTOM: u16 = 0x00;
const LIST: u16 = 0x20;
const MAP: u16 = 0x21;
const SET: u16 = 0x22;
const UDT: u16 = 0x30;
const TUPLE: u16 = 0x31;

/// Writes a type. One that the version does not know, or that has no code, goes by the name of its Java class.
pub(crate) fn put_type(out: &mut BytesMut, kind: &CqlType, version: Version) {
    match kind {
        CqlType::Native(native) => match code(*native, version) {
            Some(code) => out.put_u16(code),
            None => put_custom(out, kind),
        },
        CqlType::List { of, .. } => put_of(out, LIST, [of], version),
        CqlType::Set { of, .. } => put_of(out, SET, [of], version),
        CqlType::Map { key, value, .. } => put_of(out, MAP, [key, value], version),
        CqlType::Tuple(parts) => {
            out.put_u16(TUPLE);
            out.put_u16(parts.len() as u16);
            parts.iter().for_each(|part| put_type(out, part, version));
        }
        CqlType::Udt { of, .. } => put_user_type(out, of, version),
        CqlType::Vector { .. } | CqlType::Custom(_) => put_custom(out, kind),
    }
}

fn put_of<const N: usize>(out: &mut BytesMut, code: u16, parts: [&CqlType; N], version: Version) {
    out.put_u16(code);
    parts.into_iter().for_each(|part| put_type(out, part, version));
}

fn put_user_type(out: &mut BytesMut, of: &UserType, version: Version) {
    out.put_u16(UDT);
    out.put_string(&of.keyspace);
    out.put_string(&of.name);
    out.put_u16(of.fields.len() as u16);
    for (name, kind) in &of.fields {
        out.put_string(name);
        put_type(out, kind, version);
    }
}

fn put_custom(out: &mut BytesMut, kind: &CqlType) {
    out.put_u16(CUSTOM);
    out.put_string(&marshal::class_name(kind));
}

fn code(native: Native, version: Version) -> Option<u16> {
    let (code, since) = match native {
        Native::Ascii => (0x01, Version::V3),
        Native::Bigint => (0x02, Version::V3),
        Native::Blob => (0x03, Version::V3),
        Native::Boolean => (0x04, Version::V3),
        Native::Counter => (0x05, Version::V3),
        Native::Decimal => (0x06, Version::V3),
        Native::Double => (0x07, Version::V3),
        Native::Float => (0x08, Version::V3),
        Native::Int => (0x09, Version::V3),
        Native::Timestamp => (0x0b, Version::V3),
        Native::Uuid => (0x0c, Version::V3),
        Native::Text => (0x0d, Version::V3),
        Native::Varint => (0x0e, Version::V3),
        Native::Timeuuid => (0x0f, Version::V3),
        Native::Inet => (0x10, Version::V3),
        Native::Date => (0x11, Version::V4),
        Native::Time => (0x12, Version::V4),
        Native::Smallint => (0x13, Version::V4),
        Native::Tinyint => (0x14, Version::V4),
        Native::Duration => (0x15, Version::V5),
        Native::Empty => return None,
    };
    (version >= since).then_some(code)
}

#[cfg(test)]
mod tests;
