//! Reads that were not answered at once and are under way, for `system_views.queries`. What is answered at once is never
//! noted: it costs nothing.

use super::{Engine, prepared::Prepared, turns::Queued};
use crate::core::schema::system;
use parking_lot::Mutex;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Those reads, by numbers of their own.
#[derive(Debug, Default)]
pub(super) struct Running {
    reads: Mutex<BTreeMap<u64, Read>>,
    next: AtomicU64,
}

#[derive(Debug)]
struct Read {
    prepared: Arc<Prepared>,
    since: Duration,
    /// When it had a place among the few of its client.
    let_on: Option<Duration>,
}

/// A read that is noted as long as it is held.
pub(super) struct Noted<'e> {
    engine: &'e Engine,
    number: u64,
}

impl Queued for Noted<'_> {
    fn let_on(&self) {
        let now = self.engine.time.elapsed();
        if let Some(read) = self.engine.running.reads.lock().get_mut(&self.number) {
            read.let_on = Some(now);
        }
    }
}

impl Drop for Noted<'_> {
    fn drop(&mut self) {
        self.engine.running.reads.lock().remove(&self.number);
    }
}

impl Engine {
    /// Notes that a read goes on.
    pub(super) fn goes_on(&self, prepared: &Arc<Prepared>) -> Noted<'_> {
        let number = self.running.next.fetch_add(1, Ordering::Relaxed);
        let read = Read {
            prepared: prepared.clone(),
            since: self.time.elapsed(),
            let_on: None,
        };
        self.running.reads.lock().insert(number, read);
        Noted { engine: self, number }
    }

    /// What goes on at the moment.
    pub(super) fn queries(&self) -> Vec<system::Query> {
        let now = self.time.elapsed();
        let reads = self.running.reads.lock();
        let told = |(number, read): (&u64, &Read)| system::Query {
            number: *number,
            queued: read.let_on.unwrap_or(now).saturating_sub(read.since),
            running: now.saturating_sub(read.let_on.unwrap_or(now)),
            text: read.prepared.text.clone(),
        };
        reads.iter().map(told).collect()
    }
}
