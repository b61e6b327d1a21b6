//! The storage seam: ordered bytes ([`Kv`]), logs of opaque entries ([`Log`]) and who owns a shard ([`Lease`]).
//!
//! Knows: bytes, offsets, timestamps handed in, durability levels, fencing epochs.
//! Never: a word of Kafka, CQL or Mesos; a clock; a path; a type of the engine behind it.

#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod error;
mod kv;
mod lease;
mod log;
pub mod memory;

pub use error::{Result, StorageError};
pub use kv::{Batch, Expect, Kv, KvRead, MergeFn, Op, Page, Scan, ScanPage, Space};
pub use lease::{Lease, Owner};
pub use log::{
    Appended, Chunk, Entry, EntryMeta, Framing, Log, LogOptions, LogRange, Logs, ReadLimit, ReadSlices,
    Slice, Ticket, Timestamped, Volume,
};

use std::{future::Future, pin::Pin, sync::Arc};

/// A storage call under way. Embedded backends answer within the first poll, remote ones do not.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// What a write promises once it is acknowledged. Each level includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Durability {
    /// Visible to readers; lost with the process.
    Memory,
    /// Handed to the operating system: survives `kill -9`, not a power cut.
    #[default]
    Written,
    /// On stable storage of this machine (`fdatasync` or its equal).
    Synced,
    /// On storage that outlives this machine.
    Remote,
}

/// One shard's storage, opened by its owner under one fencing epoch that every write carries.
#[derive(Clone)]
pub struct Shard {
    /// Ordered keys and values.
    pub kv: Arc<dyn Kv>,
    /// Append-only logs.
    pub logs: Arc<dyn Logs>,
    /// The lease under which this shard is owned.
    pub lease: Arc<dyn Lease>,
}
