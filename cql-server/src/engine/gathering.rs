//! Writes that a client sends at once are stored at once: as one batch, one record of the write-ahead log.
//!
//! A write that depends on nothing stored joins its client's group and lets the other requests of the turn go first.
//! Whoever is asked again first stores the whole group; nobody is answered before that. Writes that failed a check never
//! join, so that what may still fail is the store itself, which concerns all.

use super::{Engine, collecting::Garbage};
use crate::{error::Result, state::rows::Writes};
use futures_util::{FutureExt, future::Shared};
use parking_lot::Mutex;
use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::Poll,
};
use storage::{Batch, Durability, Kv, Op};

/// A group that has so many bytes is not joined any more.
const GROUP_BYTES_MAX: usize = 1 << 20;

type Stored = Shared<Pin<Box<dyn Future<Output = storage::Result<()>> + Send>>>;

/// The writes of one client that are about to be stored.
#[derive(Default)]
pub(crate) struct Gathering(Mutex<Option<Group>>);

struct Group {
    /// What it is to store; none once that has begun.
    batch: Arc<Mutex<Option<Batch>>>,
    bytes: usize,
    stored: Stored,
}

impl fmt::Debug for Gathering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gathering").finish_non_exhaustive()
    }
}

impl Gathering {
    /// Adds a batch to those that are stored next. Nothing is stored before somebody asks for the outcome.
    fn join(&self, mut batch: Batch, kv: &Arc<dyn Kv>, durability: Durability) -> Stored {
        let bytes: usize = batch.ops.iter().map(bytes).sum();
        let mut open = self.0.lock();
        if let Some(group) = open.as_mut().filter(|group| group.bytes < GROUP_BYTES_MAX)
            && let Some(others) = group.batch.lock().as_mut()
        {
            others.ops.append(&mut batch.ops);
            group.bytes += bytes;
            return group.stored.clone();
        }
        let group = open.insert(Group::new(batch, bytes, kv.clone(), durability));
        group.stored.clone()
    }
}

impl Group {
    fn new(batch: Batch, bytes: usize, kv: Arc<dyn Kv>, durability: Durability) -> Self {
        let batch = Arc::new(Mutex::new(Some(batch)));
        let gathered = batch.clone();
        let store = async move {
            let batch = gathered.lock().take().unwrap_or_default();
            kv.commit(batch, durability).await
        };
        Group {
            batch,
            bytes,
            stored: store.boxed().shared(),
        }
    }
}

/// What an operation brings.
fn bytes(op: &Op) -> usize {
    match op {
        Op::Put(key, value) | Op::Merge(key, value) | Op::DeleteRange(key, value) => key.len() + value.len(),
        Op::Delete(key) => key.len(),
    }
}

/// Lets others go first, once: who polled is asked to do so again.
async fn give_way() {
    let mut gave_way = false;
    poll_fn(|task| {
        if std::mem::replace(&mut gave_way, true) {
            return Poll::Ready(());
        }
        task.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl Engine {
    /// Stores writes that hold nothing others wait for, together with those of the same client's present turn.
    pub(super) async fn commit_with_others(&self, writes: Writes, gathering: &Gathering) -> Result<()> {
        if writes.batch.ops.is_empty() {
            return Ok(());
        }
        let garbage = Garbage::of(&writes);
        let stored = gathering.join(writes.batch, &self.kv, self.durability);
        give_way().await;
        stored.await?;
        self.note_stored(garbage);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
