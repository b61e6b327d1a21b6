//! When which group must be looked at: one queue for all of them.

use parking_lot::Mutex;
use std::{collections::BTreeSet, sync::Arc};
use tokio::sync::Notify;

/// Groups by the time, in elapsed ms, at which something of theirs may be due.
#[derive(Default)]
pub(super) struct Timers {
    queue: Mutex<BTreeSet<(i64, Arc<str>)>>,
    /// Told when an earlier time than the ones before was added.
    earlier: Notify,
}

impl Timers {
    pub(super) fn add(&self, at_ms: i64, group: Arc<str>) {
        let mut queue = self.queue.lock();
        let is_first = queue.first().is_none_or(|(first, _)| at_ms < *first);
        queue.insert((at_ms, group));
        if is_first {
            self.earlier.notify_one();
        }
    }

    /// Takes out every group whose time has come.
    pub(super) fn due(&self, now_ms: i64) -> Vec<Arc<str>> {
        let mut queue = self.queue.lock();
        let mut due = Vec::new();
        while let Some((at_ms, _)) = queue.first()
            && *at_ms <= now_ms
        {
            due.extend(queue.pop_first().map(|(_, group)| group));
        }
        due
    }

    /// The next time, where there is one.
    pub(super) fn next(&self) -> Option<i64> {
        self.queue.lock().first().map(|(at_ms, _)| *at_ms)
    }

    /// Answers when [`Timers::next`] may have become earlier.
    pub(super) async fn earlier(&self) {
        self.earlier.notified().await;
    }
}
