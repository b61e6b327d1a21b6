//! Space that removed keys still take is given back by rewriting the files that hold them.

#[cfg(test)]
mod tests;

use crate::work;
use parking_lot::Mutex;
use rocksdb::{CompactOptions, DB};
use std::{ops::Bound, sync::Arc, thread::JoinHandle};
use storage::Scan;

/// Ranges that wait at the most. One that is not taken is left to RocksDB's own compactions.
const WAITING_MAX: usize = 1024;

/// Rewrites ranges one after the other, on a thread that lives as long as there are some.
pub(crate) struct Reclaimer {
    db: Arc<DB>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    waiting: Vec<Scan>,
    is_running: bool,
    thread: Option<JoinHandle<()>>,
}

impl Reclaimer {
    pub(crate) fn new(db: Arc<DB>) -> Self {
        Reclaimer {
            db,
            state: Arc::default(),
        }
    }

    pub(crate) fn push(&self, scan: &Scan) {
        let mut state = self.state.lock();
        if state.waiting.len() < WAITING_MAX {
            state.waiting.push(scan.clone());
        }
        if state.is_running {
            return;
        }
        let (db, shared) = (self.db.clone(), self.state.clone());
        // Without a thread the range waits for the next one.
        state.thread = work::spawn("storage-reclaim", move || run(&db, &shared)).ok();
        state.is_running = state.thread.is_some();
    }
}

fn run(db: &DB, state: &Mutex<State>) {
    let mut options = CompactOptions::default();
    // Others must not wait for it.
    options.set_exclusive_manual_compaction(false);
    loop {
        let next = {
            let mut state = state.lock();
            let next = state.waiting.pop();
            state.is_running = next.is_some();
            next
        };
        let Some(scan) = next else { return };
        db.compact_range_opt(key(&scan.from), key(&scan.to), &options);
    }
}

fn key(bound: &Bound<bytes::Bytes>) -> Option<&[u8]> {
    match bound {
        Bound::Included(key) | Bound::Excluded(key) => Some(key),
        Bound::Unbounded => None,
    }
}

impl Drop for Reclaimer {
    fn drop(&mut self) {
        let thread = {
            let mut state = self.state.lock();
            state.waiting.clear();
            state.thread.take()
        };
        if let Some(thread) = thread.filter(|thread| !thread.is_finished()) {
            // Ends what is being rewritten; the files that are there stay as they are.
            self.db.cancel_all_background_work(true);
            let _ = thread.join();
        }
    }
}
