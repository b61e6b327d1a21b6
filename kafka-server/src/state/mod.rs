//! Core to storage and back: one file per kind of stored key.
//!
//! Knows: key layouts and stored value formats. Never: protocol types.
//!
//! Every key starts with [`SPACE`] and the byte of its kind; every value starts with the version of its format.

pub(crate) mod configs;
pub(crate) mod framing;
pub(crate) mod groups;
pub(crate) mod meta;
pub(crate) mod offsets;
pub(crate) mod producer_ids;
pub(crate) mod producers;
pub(crate) mod topics;
pub(crate) mod transactions;

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use storage::StorageError;

/// First byte of every key of this server, so that servers can share a store.
const SPACE: u8 = b'k';

/// The kinds of stored keys: the second byte. Never reuse one.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
#[allow(dead_code, reason = "the layout of the key space is decided in one place")]
pub(crate) enum Kind {
    /// The cluster's own facts.
    Meta = 1,
    /// Topics by name.
    Topic = 2,
    /// Configuration of brokers, groups and client metrics that was set while the broker ran.
    BrokerConfig = 3,
    /// The next block of producer ids.
    ProducerIds = 4,
    /// What is known of a partition's producers, and up to which offset.
    Producers = 5,
    /// Groups by id.
    Group = 6,
    /// Committed offsets by group, topic and partition.
    Offset = 7,
    /// Transactions by transactional id.
    Transaction = 8,
    /// Offsets of transactions that have not ended, by group, topic, partition and producer.
    PendingOffset = 9,
    /// Members of consumer groups, by group and member.
    GroupMember = 10,
}

/// The key of `kind` made of `parts`; each part but the last is followed by a zero byte.
pub(crate) fn key(kind: Kind, parts: &[&[u8]]) -> Bytes {
    let mut key = vec![SPACE, kind as u8];
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            key.push(0);
        }
        key.extend_from_slice(part);
    }
    Bytes::from(key)
}

/// A value of format `version` as JSON, for what is written rarely and read by people in trouble.
pub(crate) fn to_json<T: Serialize>(version: u8, value: &T) -> Result<Bytes, StorageError> {
    let mut bytes = vec![version];
    serde_json::to_writer(&mut bytes, value).map_err(|error| StorageError::Corrupt(error.to_string()))?;
    Ok(Bytes::from(bytes))
}

/// Reads what [`to_json`] wrote in the same format `version`.
pub(crate) fn from_json<T: DeserializeOwned>(version: u8, bytes: &[u8]) -> Result<T, StorageError> {
    match bytes.split_first() {
        Some((found, json)) if *found == version => {
            serde_json::from_slice(json).map_err(|error| StorageError::Corrupt(error.to_string()))
        }
        found => Err(StorageError::Corrupt(format!(
            "format {:?} where {version} is known",
            found.map(|f| f.0)
        ))),
    }
}
