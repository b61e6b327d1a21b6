use crate::{Durability, Pending, Result};
use bytes::Bytes;
use std::{ops::Bound, sync::Arc};

/// Reads of an ordered map of bytes: of its newest state, or of a snapshot.
pub trait KvRead: Send + Sync {
    /// The value under `key`, if there is one.
    fn get<'a>(&'a self, key: &'a [u8]) -> Pending<'a, Option<Bytes>>;

    /// The values under `keys`, in their order.
    fn multi_get<'a>(&'a self, keys: &'a [Bytes]) -> Pending<'a, Vec<Option<Bytes>>>;

    /// One page of `scan`; `next` of the answer continues it.
    fn scan<'a>(&'a self, scan: Scan, page: Page) -> Pending<'a, ScanPage>;
}

/// An ordered map of bytes with atomic batches.
pub trait Kv: KvRead {
    /// A view that later writes do not change.
    fn snapshot(&self) -> Result<Arc<dyn KvRead>>;

    /// Applies all of `batch` or none of it, and answers when it is as durable as asked.
    fn commit(&self, batch: Batch, durability: Durability) -> Pending<'_, ()>;

    /// Gives the space of what was removed within `scan` back to whoever has the disk, some time. Nothing that can be
    /// read changes.
    fn reclaim(&self, scan: &Scan);

    /// The engine's own estimate of how many bytes and keys `scan` covers: `(bytes, keys)`.
    fn estimate(&self, scan: &Scan) -> Result<(u64, u64)>;

    /// What it takes of its disk, and what is left there; `None` where there is no disk.
    fn space(&self) -> Result<Option<Space>> {
        Ok(None)
    }
}

/// Bytes of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// What is stored, with what is about to be.
    pub used: u64,
    /// What nobody has taken.
    pub free: u64,
}

/// Folds operands into a value: `(key, existing value, operands oldest first) -> new value`.
/// Associative: what operands fold to without a value is an operand in their place. Pure and total: it is called at any
/// time, on any thread, and a malformed operand must be skipped, not refused.
pub type MergeFn = Arc<dyn Fn(&[u8], Option<&[u8]>, &[&[u8]]) -> Vec<u8> + Send + Sync>;

/// A range of keys in key order, or against it.
#[derive(Debug, Clone)]
pub struct Scan {
    /// Lower bound.
    pub from: Bound<Bytes>,
    /// Upper bound.
    pub to: Bound<Bytes>,
    /// From the upper bound down.
    pub reverse: bool,
}

impl Scan {
    /// Every key from the first (included) to the second (excluded).
    pub fn range(from: Bytes, to: Bytes) -> Self {
        Scan {
            from: Bound::Included(from),
            to: Bound::Excluded(to),
            reverse: false,
        }
    }

    /// Every key that starts with `prefix`.
    pub fn prefix(prefix: &[u8]) -> Self {
        let mut end = prefix.to_vec();
        while end.last() == Some(&0xff) {
            end.pop();
        }
        let to = match end.last_mut() {
            Some(last) => {
                *last += 1;
                Bound::Excluded(Bytes::from(end))
            }
            None => Bound::Unbounded,
        };
        Scan {
            from: Bound::Included(Bytes::copy_from_slice(prefix)),
            to,
            reverse: false,
        }
    }
}

/// How much of a scan one call may answer. At least one item is answered where there is one.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// Items at the most.
    pub items_max: usize,
    /// Bytes of keys and values at the most.
    pub bytes_max: usize,
}

impl Default for Page {
    fn default() -> Self {
        Page {
            items_max: 1024,
            bytes_max: 1 << 20,
        }
    }
}

/// One page of a scan.
#[derive(Debug, Default)]
pub struct ScanPage {
    /// Keys and values in the scan's order.
    pub items: Vec<(Bytes, Bytes)>,
    /// The rest of the scan, where there may be more.
    pub next: Option<Scan>,
}

/// One change of a batch.
#[derive(Debug, Clone)]
pub enum Op {
    /// Sets a key.
    Put(Bytes, Bytes),
    /// Removes a key.
    Delete(Bytes),
    /// Removes every key from the first (included) to the second (excluded).
    DeleteRange(Bytes, Bytes),
    /// Adds an operand for the store's [`MergeFn`].
    Merge(Bytes, Bytes),
}

/// What must hold for a batch to be applied.
#[derive(Debug, Clone)]
pub enum Expect {
    /// The key has exactly this value (`None`: is absent).
    Value(Bytes, Option<Bytes>),
}

/// Changes applied together, in order, if every expectation holds.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Changes in order.
    pub ops: Vec<Op>,
    /// Checked before any change.
    pub expect: Vec<Expect>,
}

impl Batch {
    /// Sets `key` to `value`.
    pub fn put(&mut self, key: impl Into<Bytes>, value: impl Into<Bytes>) -> &mut Self {
        self.ops.push(Op::Put(key.into(), value.into()));
        self
    }

    /// Removes `key`.
    pub fn delete(&mut self, key: impl Into<Bytes>) -> &mut Self {
        self.ops.push(Op::Delete(key.into()));
        self
    }
}
