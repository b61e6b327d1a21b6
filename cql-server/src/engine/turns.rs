//! Statements that do much take turns, so that those that do little are answered at once.
//!
//! The store answers as soon as it is asked, so nothing would make a statement that reads a whole table give way to
//! others. Each counts what it does. What stays within its first turn, as nearly all do, is never held up; beyond it a
//! statement waits, for each further turn, until it is its turn among all that do much. [`in_time`] is its deadline.

use bytes::Bytes;
use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};
use storage::{KvRead, Page, Pending, Scan, ScanPage};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What is done in one turn, in rows: about a millisecond.
pub(crate) const TURN: usize = 256;
/// What a scan costs beside its rows.
const SCAN_COST: usize = 4;
/// As many bytes are worth as much as a row.
const ROW_BYTES: usize = 4 << 10;

/// Who may do much at the moment. The first to ask is the first to be let on.
pub(crate) struct Turns(Semaphore);

impl Default for Turns {
    /// Half of the processors are left to those that do little.
    fn default() -> Self {
        Turns(Semaphore::new(server_kit::half_of_processors()))
    }
}

impl Turns {
    /// For one statement that holds, and will wait for, nothing that others who take turns may wait for.
    pub(crate) fn pace(&self) -> Pace<'_> {
        Pace {
            turns: &self.0,
            left: AtomicUsize::new(TURN),
            has_turn: AtomicBool::new(false),
        }
    }
}

/// How far one statement is in its turn.
pub(crate) struct Pace<'t> {
    turns: &'t Semaphore,
    /// What it may still do.
    left: AtomicUsize,
    /// Whether it is let on among those that do much: from its second turn on.
    has_turn: AtomicBool,
}

impl Pace<'_> {
    /// Counts work about to be done, or done. Whether the turn goes on.
    fn spend(&self, work: usize) -> bool {
        let left = self.left.load(Ordering::Relaxed);
        self.left.store(left.saturating_sub(work), Ordering::Relaxed);
        left > 0
    }

    /// Waits for the next turn.
    async fn next_turn(&self) {
        self.end_turn();
        // Even with nobody else in the queue: the thread has sockets to look at.
        tokio::task::yield_now().await;
        if let Ok(turn) = self.turns.acquire().await {
            turn.forget();
            self.has_turn.store(true, Ordering::Relaxed);
        }
        self.left.store(TURN, Ordering::Relaxed);
    }

    fn end_turn(&self) {
        if self.has_turn.swap(false, Ordering::Relaxed) {
            self.turns.add_permits(1);
        }
    }

    /// Does some work in this turn, or in the next.
    pub(crate) async fn work(&self, work: usize) {
        if !self.spend(work) {
            self.next_turn().await;
        }
    }

    /// Reads of `kv` at this pace.
    pub(crate) fn over<'a>(&'a self, kv: &'a dyn KvRead) -> Paced<'a> {
        Paced { kv, pace: self }
    }
}

impl Drop for Pace<'_> {
    fn drop(&mut self) {
        self.end_turn();
    }
}

/// Reads at the pace of one statement.
pub(crate) struct Paced<'a> {
    kv: &'a dyn KvRead,
    pace: &'a Pace<'a>,
}

impl KvRead for Paced<'_> {
    fn get<'a>(&'a self, key: &'a [u8]) -> Pending<'a, Option<Bytes>> {
        if self.pace.spend(1) {
            return self.kv.get(key);
        }
        Box::pin(async move {
            self.pace.next_turn().await;
            self.kv.get(key).await
        })
    }

    fn multi_get<'a>(&'a self, keys: &'a [Bytes]) -> Pending<'a, Vec<Option<Bytes>>> {
        if self.pace.spend(keys.len()) {
            return self.kv.multi_get(keys);
        }
        Box::pin(async move {
            self.pace.next_turn().await;
            self.kv.multi_get(keys).await
        })
    }

    fn scan<'a>(&'a self, scan: Scan, page: Page) -> Pending<'a, ScanPage> {
        Box::pin(async move {
            self.pace.work(SCAN_COST).await;
            let found = self.kv.scan(scan, page).await?;
            let bytes = |(key, value): &(Bytes, Bytes)| key.len() + value.len();
            let bytes: usize = found.items.iter().map(bytes).sum();
            self.pace.spend(found.items.len() + bytes / ROW_BYTES);
            Ok(found)
        })
    }
}

/// A place among few.
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
}

/// Bytes that hold a place.
struct Held {
    bytes: Bytes,
    _place: Place,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Place {
    /// The same bytes, which hold this place as long as anybody has them.
    pub(crate) fn held_by(self, bytes: Bytes) -> Bytes {
        Bytes::from_owner(Held { bytes, _place: self })
    }
}

/// Somebody who waits for a place.
pub(crate) trait Queued {
    /// There is one.
    fn let_on(&self);
}

/// What `work` gives. If that is not done at once, it is `queued`, goes on as one of `few`, and has a place among them.
pub(crate) async fn one_of_few<T, Q: Queued>(
    few: &Arc<Semaphore>,
    queued: impl FnOnce() -> Q,
    mut work: Pin<&mut impl Future<Output = T>>,
) -> (T, Option<Place>) {
    let mut is_begun = false;
    let at_once = poll_fn(|task| {
        if is_begun {
            return Poll::Ready(None);
        }
        is_begun = true;
        work.as_mut().poll(task).map(Some)
    });
    if let Some(done) = at_once.await {
        return (done, None);
    }
    let queued = queued();
    let place = few.clone().acquire_owned().await.ok();
    queued.let_on();
    let place = place.map(|_permit| Place { _permit });
    (work.await, place)
}

/// What `work` gives, unless that takes longer than `limit` or is over before. What is done at once needs no timer.
pub(crate) async fn in_time<T>(
    limit: Duration,
    is_over: impl Fn() -> bool,
    mut work: Pin<&mut impl Future<Output = T>>,
) -> Option<T> {
    let mut timer = None;
    poll_fn(|task| {
        if timer.is_some() && is_over() {
            return Poll::Ready(None);
        }
        if let Poll::Ready(done) = work.as_mut().poll(task) {
            return Poll::Ready(Some(done));
        }
        let timer = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        timer.as_mut().poll(task).map(|()| None)
    })
    .await
}

#[cfg(test)]
mod tests;
