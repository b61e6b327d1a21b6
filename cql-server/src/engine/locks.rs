//! One conditional write at a time for each partition.

use foldhash::fast::FixedState;
use std::hash::BuildHasher;
use tokio::sync::{Mutex, MutexGuard};

/// Partitions share locks: so many that they seldom wait for each other, so few that they cost nothing.
const STRIPES: usize = 1024;

/// Locks by the hash of what they guard.
pub(crate) struct Stripes {
    hash: FixedState,
    locks: Vec<Mutex<()>>,
}

impl Stripes {
    pub(crate) fn new() -> Self {
        Stripes {
            hash: FixedState::default(),
            locks: (0..STRIPES).map(|_| Mutex::new(())).collect(),
        }
    }

    /// Waits until nobody else holds anything.
    pub(crate) async fn lock_all(&self) -> Vec<MutexGuard<'_, ()>> {
        let mut held = Vec::with_capacity(STRIPES);
        for lock in &self.locks {
            held.push(lock.lock().await);
        }
        held
    }

    /// Waits until nobody else holds what guards any of `keys`. Taken in one order, so that nobody waits in a circle.
    pub(crate) async fn lock<'k>(&self, keys: impl Iterator<Item = &'k [u8]>) -> Vec<MutexGuard<'_, ()>> {
        let mut stripes: Vec<usize> = keys
            .map(|key| self.hash.hash_one(key) as usize % STRIPES)
            .collect();
        stripes.sort_unstable();
        stripes.dedup();
        let mut held = Vec::with_capacity(stripes.len());
        for stripe in stripes {
            held.push(self.locks[stripe].lock().await);
        }
        held
    }
}
