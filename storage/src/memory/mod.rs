//! The in-memory backend: all three traits over plain maps, for tests and for trying things out.
//!
//! Knows: maps and vectors behind mutexes. Never: files, threads, a clock. What it holds lives as long as its [`Store`].

mod kv;
mod log;

#[cfg(test)]
mod tests;

use crate::{Lease, MergeFn, Owner, Pending, Result, Shard, StorageError};
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::watch;

/// A shard that nobody else has, without a merge function.
pub fn shard() -> Shard {
    Store::default().open()
}

/// What outlives its owners, as a disk does. Clones are the same store.
#[derive(Clone, Default)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    epoch: watch::Sender<u64>,
    current: AtomicU64,
    merge: Option<MergeFn>,
    map: Mutex<Arc<BTreeMap<bytes::Bytes, bytes::Bytes>>>,
    logs: Mutex<HashMap<String, Arc<log::MemoryLog>>>,
}

impl Store {
    /// An empty store that folds [`crate::Op::Merge`] operands with `merge`.
    pub fn new(merge: Option<MergeFn>) -> Self {
        Store {
            inner: Arc::new(Inner {
                merge,
                ..Inner::default()
            }),
        }
    }

    /// Takes ownership. Whoever had it before is fenced from now on.
    pub fn open(&self) -> Shard {
        let epoch = self.inner.current.fetch_add(1, Ordering::SeqCst) + 1;
        self.inner.epoch.send_replace(epoch);
        let owner = Ownership {
            store: self.inner.clone(),
            epoch,
        };
        Shard {
            kv: Arc::new(kv::MemoryKv::new(owner.clone())),
            logs: Arc::new(log::MemoryLogs::new(owner.clone())),
            lease: Arc::new(owner),
        }
    }
}

/// The right to write, until somebody else opens the store.
#[derive(Clone)]
struct Ownership {
    store: Arc<Inner>,
    epoch: u64,
}

impl Ownership {
    fn check(&self) -> Result<()> {
        if self.store.current.load(Ordering::SeqCst) == self.epoch {
            Ok(())
        } else {
            Err(StorageError::Fenced)
        }
    }
}

impl Lease for Ownership {
    fn epoch(&self) -> u64 {
        self.epoch
    }

    fn owner(&self) -> Pending<'_, Option<Owner>> {
        let epoch = self.store.current.load(Ordering::SeqCst);
        Box::pin(std::future::ready(Ok(Some(Owner {
            epoch,
            address: "memory".to_owned(),
        }))))
    }

    fn lost(&self) -> Pending<'_, ()> {
        let mut epoch = self.store.epoch.subscribe();
        Box::pin(async move {
            // The sender lives in the store that this lease holds, so waiting cannot fail.
            let _ = epoch.wait_for(|now| *now > self.epoch).await;
            Ok(())
        })
    }
}
