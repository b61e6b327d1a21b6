use crate::core::transactions::Transaction;
use arc_swap::ArcSwapOption;
use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::{
    sync::{Mutex, Notify},
    time::Sleep,
};

/// One transactional id. Read at any time without a lock; changed under the gate.
pub(super) struct Slot {
    pub(super) id: String,
    /// Held by whoever changes the transaction, across the store's commit.
    pub(super) gate: Mutex<()>,
    now: ArcSwapOption<Transaction>,
    /// Told when a decided transaction is complete.
    completed: Notify,
    /// Set, under the gate, once the id has expired: a new slot takes its place.
    removed: AtomicBool,
}

impl Slot {
    pub(super) fn new(id: String, transaction: Option<Transaction>) -> Self {
        Slot {
            id,
            gate: Mutex::new(()),
            now: ArcSwapOption::from_pointee(transaction),
            completed: Notify::new(),
            removed: AtomicBool::new(false),
        }
    }

    /// What is stored. `None`: nothing yet, or no more.
    pub(super) fn now(&self) -> Option<Arc<Transaction>> {
        self.now.load_full()
    }

    /// Shows what was stored.
    pub(super) fn show(&self, next: Box<Transaction>) -> Arc<Transaction> {
        let next: Arc<Transaction> = Arc::from(next);
        self.now.store(Some(next.clone()));
        if !next.state.is_prepared() {
            self.completed.notify_waiters();
        }
        next
    }

    pub(super) fn is_removed(&self) -> bool {
        self.removed.load(Ordering::Acquire)
    }

    /// Marks an expired id. To be called under the gate.
    pub(super) fn remove(&self) {
        self.removed.store(true, Ordering::Release);
        self.now.store(None);
        self.completed.notify_waiters();
    }

    /// Waits until no decision is being carried out. `false`: it still is when `patience` is over.
    pub(super) async fn settled(&self, mut patience: Pin<&mut Sleep>) -> bool {
        loop {
            let completed = self.completed.notified();
            tokio::pin!(completed);
            completed.as_mut().enable();
            if !self
                .now()
                .is_some_and(|transaction| transaction.state.is_prepared())
            {
                return true;
            }
            tokio::select! {
                () = completed => {}
                () = patience.as_mut() => return false,
            }
        }
    }
}
