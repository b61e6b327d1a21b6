//! Masks: what of a value those may see who may not see it.

use super::Function;
use crate::core::types::{CqlType, Native, elements};
use crate::error::{CqlError, Result};
use md5::Digest;

/// The function of that name for arguments of those types.
pub(super) fn function(name: &str, kinds: &[CqlType]) -> Option<Function> {
    let kind = kinds.first()?;
    match (name, kinds.len()) {
        ("mask_null", 1) => Some(Function::of_one(name, kind.clone(), kind.clone(), |_| Ok(None))),
        ("mask_replace", 2) => {
            let arguments = vec![kind.clone(), kind.clone()];
            Some(Function::scalar(name, arguments, kind.clone(), |arguments, _| {
                Ok(arguments.get(1).copied().flatten().map(<[u8]>::to_vec))
            }))
        }
        ("mask_default", 1) => {
            let own = kind.clone();
            Some(Function::scalar(
                name,
                vec![kind.clone()],
                kind.clone(),
                move |_, _| Ok(Some(default_of(&own))),
            ))
        }
        ("mask_hash", 1 | 2) => {
            let mut arguments = vec![kind.clone()];
            arguments.extend((kinds.len() == 2).then_some(CqlType::Native(Native::Text)));
            Some(Function::scalar(name, arguments, Native::Blob, |arguments, _| {
                hashed(arguments)
            }))
        }
        ("mask_inner" | "mask_outer", 3 | 4)
            if matches!(kind, CqlType::Native(Native::Text | Native::Ascii)) =>
        {
            let int = || CqlType::Native(Native::Int);
            let mut arguments = vec![kind.clone(), int(), int()];
            arguments.extend((kinds.len() == 4).then_some(CqlType::Native(Native::Text)));
            let (inner, own_name) = (name == "mask_inner", name.to_owned());
            Some(Function::scalar(
                name,
                arguments,
                kind.clone(),
                move |arguments, _| partly(&own_name, inner, arguments),
            ))
        }
        _ => None,
    }
}

/// What stands for every value of a type: stars, zero, the beginning of time, or nothing.
fn default_of(kind: &CqlType) -> Vec<u8> {
    match kind {
        CqlType::Native(native) => match native {
            Native::Ascii | Native::Text => b"****".to_vec(),
            Native::Blob | Native::Empty => Vec::new(),
            Native::Boolean | Native::Tinyint | Native::Varint => vec![0],
            Native::Smallint => vec![0; 2],
            Native::Int | Native::Float => vec![0; 4],
            Native::Bigint | Native::Counter | Native::Double | Native::Time | Native::Timestamp => {
                vec![0; 8]
            }
            Native::Date => (1_u32 << 31).to_be_bytes().to_vec(),
            Native::Decimal => vec![0; 5],
            Native::Duration => vec![0; 3],
            Native::Inet => vec![0; 4],
            Native::Uuid => vec![0; 16],
            // Version 1, at the least time.
            Native::Timeuuid => [[0, 0, 0, 0, 0, 0, 0x10, 0], [0; 8]].concat(),
        },
        CqlType::List { .. } | CqlType::Set { .. } | CqlType::Map { .. } => vec![0; 4],
        CqlType::Tuple(parts) => elements::tuple(parts.iter().map(|part| Some(default_of(part)))),
        CqlType::Udt { of, .. } => elements::tuple(of.fields.iter().map(|(_, part)| Some(default_of(part)))),
        CqlType::Vector { of, dimensions } => {
            elements::vector(of, std::iter::repeat_n(default_of(of), usize::from(*dimensions)))
        }
        CqlType::Custom(_) => Vec::new(),
    }
}

/// The hash of a value, by the algorithm of that name as Java calls them.
fn hashed(arguments: &[Option<&[u8]>]) -> Result<Option<Vec<u8>>> {
    let name = arguments.get(1).copied().flatten().unwrap_or(b"SHA-256");
    let name = String::from_utf8_lossy(name);
    let sha = |algorithm, value: &[u8]| ring::digest::digest(algorithm, value).as_ref().to_vec();
    let hash = |value: &[u8]| match name.to_ascii_uppercase().as_str() {
        "MD5" => Ok(md5::Md5::digest(value).to_vec()),
        "SHA-1" => Ok(sha(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, value)),
        "SHA-256" => Ok(sha(&ring::digest::SHA256, value)),
        "SHA-384" => Ok(sha(&ring::digest::SHA384, value)),
        "SHA-512" => Ok(sha(&ring::digest::SHA512, value)),
        _ => Err(CqlError::Invalid(format!("Hash algorithm not found: {name}"))),
    };
    arguments.first().copied().flatten().map(hash).transpose()
}

/// Hides the characters within or outside of so many at both ends. A negative or missing number is none.
fn partly(name: &str, inner: bool, arguments: &[Option<&[u8]>]) -> Result<Option<Vec<u8>>> {
    let Some(Some(value)) = arguments.first() else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(value);
    let count = |index: usize| {
        let value = arguments.get(index).copied().flatten();
        let count = value
            .and_then(|value| value.try_into().ok())
            .map_or(0, i32::from_be_bytes);
        usize::try_from(count).unwrap_or(0)
    };
    let padding = match arguments.get(3).copied().flatten() {
        None => '*',
        Some(padding) => {
            let padding = String::from_utf8_lossy(padding);
            let mut characters = padding.chars();
            match (characters.next(), characters.next()) {
                (Some(only), None) => only,
                _ => {
                    return Err(CqlError::Invalid(format!(
                        "The padding argument for function system.{name} should be single-character, \
                         but '{padding}' has {} characters.",
                        padding.chars().count()
                    )));
                }
            }
        }
    };
    let length = text.chars().count();
    let (begin, end) = (count(1), length.saturating_sub(count(2)));
    let masked = text.chars().enumerate().map(|(i, c)| {
        let within = i >= begin && i < end;
        if within == inner { padding } else { c }
    });
    Ok(Some(masked.collect::<String>().into_bytes()))
}
