use parking_lot::Mutex;
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicI64, Ordering, fence},
};
use tokio::sync::Notify;

/// A fetch that waits for bytes, registered with each partition it reads.
#[derive(Debug, Default)]
pub(crate) struct Waiter {
    /// Bytes still missing.
    missing: AtomicI64,
    notify: Notify,
}

impl Waiter {
    /// Asks for `bytes` more from now on.
    pub(crate) fn want(&self, bytes: i64) {
        self.missing.store(bytes, Ordering::Release);
    }

    /// Answers once that many bytes were appended, or something else happened that the fetch must see.
    pub(crate) async fn woken(&self) {
        self.notify.notified().await;
    }

    /// Whether it has all it waits for after `bytes` more.
    fn offer(&self, bytes: i64) -> bool {
        let enough = self.missing.fetch_sub(bytes, Ordering::AcqRel) <= bytes;
        if enough {
            self.notify.notify_one();
        }
        enough
    }
}

/// The fetches that wait for one partition.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    /// So that an append without anyone waiting takes no lock.
    any: AtomicBool,
    list: Mutex<Vec<Arc<Waiter>>>,
}

impl Waiters {
    pub(super) fn add(&self, waiter: &Arc<Waiter>) {
        let mut list = self.list.lock();
        if list.iter().any(|known| Arc::ptr_eq(known, waiter)) {
            return;
        }
        // The fetches of those that nobody else holds are over.
        list.retain(|known| Arc::strong_count(known) > 1);
        list.push(waiter.clone());
        self.any.store(true, Ordering::SeqCst);
        // Pairs with the one in `wake`: either the append sees this waiter, or the waiter sees the append.
        fence(Ordering::SeqCst);
    }

    /// Tells everyone of `bytes` more; those who have enough leave.
    pub(super) fn wake(&self, bytes: i64) {
        fence(Ordering::SeqCst);
        if !self.any.load(Ordering::SeqCst) {
            return;
        }
        let mut list = self.list.lock();
        list.retain(|waiter| !waiter.offer(bytes));
        self.any.store(!list.is_empty(), Ordering::SeqCst);
    }

    /// Wakes everyone, whatever they wait for.
    pub(super) fn wake_all(&self) {
        self.wake(i64::MAX / 2);
    }
}
