//! CQL types, and values in their canonical bytes: what the protocol sends is what is stored.
//!
//! Knows: encodings, comparators, byte-comparable keys, literals, JSON. Never: where a value comes from.

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
