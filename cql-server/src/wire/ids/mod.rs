//! Ids of prepared statements and of result metadata, the same as Cassandra's: drivers keep them across nodes.
//!
//! Knows: what goes into each digest. Never: which statements are prepared.

use crate::{core::types::marshal, engine::ColumnSpec};
use md5::{Digest, Md5};

/// An MD5 digest.
pub(crate) type Id = [u8; 16];

/// The id of a prepared statement: its text behind the keyspace in which it was prepared, if that matters.
pub(crate) fn statement_id(keyspace: Option<&str>, text: &str) -> Id {
    let mut digest = Md5::new();
    digest.update(keyspace.unwrap_or_default());
    digest.update(text);
    digest.finalize().into()
}

/// The id of a result's metadata: it changes as soon as a name or a type does.
pub(crate) fn metadata_id(columns: &[ColumnSpec]) -> Id {
    let mut digest = Md5::new();
    for column in columns {
        digest.update(column.name.as_bytes());
        digest.update([0]);
        digest.update(marshal::class_name(&column.kind));
        digest.update([0, 0]);
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests;
