//! CQL types, and values in their canonical bytes: what the protocol sends is what is stored.
//!
//! Knows: encodings, comparators, byte-comparable keys, literals, JSON. Never: where a value comes from.

pub(crate) mod compare;
pub(crate) mod decimal;
pub(crate) mod duration;
pub(crate) mod elements;
pub(crate) mod json;
pub(crate) mod literal;
pub(crate) mod marshal;
pub(crate) mod moments;
pub(crate) mod names;
pub(crate) mod ordered;
pub(crate) mod show;
pub(crate) mod token;
pub(crate) mod validate;
pub(crate) mod vint;

pub(crate) use compare::compare;
pub(crate) use validate::validate;

use std::sync::Arc;

/// A type without parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Native {
    Ascii,
    Bigint,
    Blob,
    Boolean,
    Counter,
    Date,
    Decimal,
    Double,
    Duration,
    Empty,
    Float,
    Inet,
    Int,
    Smallint,
    Text,
    Time,
    Timestamp,
    Timeuuid,
    Tinyint,
    Uuid,
    Varint,
}

/// Any type. A collection that is not frozen has a cell for each element.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum CqlType {
    Native(Native),
    List {
        of: Arc<CqlType>,
        frozen: bool,
    },
    Set {
        of: Arc<CqlType>,
        frozen: bool,
    },
    Map {
        key: Arc<CqlType>,
        value: Arc<CqlType>,
        frozen: bool,
    },
    /// Always frozen.
    Tuple(Arc<[CqlType]>),
    Udt {
        of: Arc<UserType>,
        frozen: bool,
    },
    /// Always frozen.
    Vector {
        of: Arc<CqlType>,
        dimensions: u16,
    },
    /// A Java class name that is kept and shown, and whose values are opaque.
    Custom(Arc<str>),
}

/// A user-defined type as it was when the schema last changed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct UserType {
    pub(crate) keyspace: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) fields: Vec<(Arc<str>, CqlType)>,
}

impl From<Native> for CqlType {
    fn from(native: Native) -> Self {
        CqlType::Native(native)
    }
}

impl CqlType {
    /// What `frozen<...>` around it makes of it: collections and user types that were one cell per element become one.
    pub(crate) fn freeze(self) -> CqlType {
        let freeze = |of: Arc<CqlType>| {
            if of.is_multi_cell() {
                Arc::new(of.as_ref().clone().freeze())
            } else {
                of
            }
        };
        match self {
            CqlType::List { of, .. } => CqlType::List {
                of: freeze(of),
                frozen: true,
            },
            CqlType::Set { of, .. } => CqlType::Set {
                of: freeze(of),
                frozen: true,
            },
            CqlType::Map { key, value, .. } => CqlType::Map {
                key: freeze(key),
                value: freeze(value),
                frozen: true,
            },
            CqlType::Udt { of, .. } => CqlType::Udt { of, frozen: true },
            other => other,
        }
    }

    /// Whether a column of it has a cell for each element.
    pub(crate) fn is_multi_cell(&self) -> bool {
        match self {
            CqlType::List { frozen, .. } | CqlType::Set { frozen, .. } | CqlType::Map { frozen, .. } => {
                !frozen
            }
            CqlType::Udt { frozen, .. } => !frozen,
            _ => false,
        }
    }

    /// Whether it is a list, set or map.
    pub(crate) fn is_collection(&self) -> bool {
        matches!(
            self,
            CqlType::List { .. } | CqlType::Set { .. } | CqlType::Map { .. }
        )
    }

    /// Whether it is a duration or has one somewhere inside: such values have no order.
    pub(crate) fn contains_duration(&self) -> bool {
        match self {
            CqlType::Native(native) => *native == Native::Duration,
            CqlType::List { of, .. } | CqlType::Set { of, .. } | CqlType::Vector { of, .. } => {
                of.contains_duration()
            }
            CqlType::Map { key, value, .. } => key.contains_duration() || value.contains_duration(),
            CqlType::Tuple(parts) => parts.iter().any(CqlType::contains_duration),
            CqlType::Udt { of, .. } => of.fields.iter().any(|(_, part)| part.contains_duration()),
            CqlType::Custom(_) => false,
        }
    }
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 0xF])
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

#[cfg(test)]
mod tests;
