//! Core to storage and back: one file per kind of stored key.
//!
//! Knows: key layouts and stored value formats. Never: statements, protocol types.
//!
//! Every key starts with [`SPACE`] and the byte of its kind; every value starts with the version of its format.

pub(crate) mod indexes;
pub(crate) mod node;
pub(crate) mod rows;
pub(crate) mod schema;

/// First byte of every key of this server, so that servers can share a store.
const SPACE: u8 = b'c';

/// The kinds of stored keys: the second byte. Never reuse one.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
pub(crate) enum Kind {
    /// The node's own facts: host id, tokens, schema version.
    Meta = 1,
    /// Schema: one record per keyspace, table, type, view, function, aggregate.
    Schema = 2,
    /// Rows of tables.
    Row = 3,
    /// Entries of secondary indexes.
    Index = 4,
}
