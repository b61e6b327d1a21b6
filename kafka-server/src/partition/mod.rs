//! One partition: its log, what it remembers of producers, and who waits for its next bytes.
//!
//! Knows: how batches become log entries, the high watermark and last stable offset, recovery, retention, compaction.
//! Never: requests and responses, other partitions, an await under a lock.
//!
//! Invariant: producers' state and the log's end move together, under the partition's one lock.
//! Invariant: what a log holds is known by its name, which comes from the topic's id: a re-created topic meets no old file.

mod append;
mod cleaner;
mod maintenance;
mod policy;
mod read;
mod recover;
mod settle;
mod time;
mod traffic;
mod unpacking;
mod waiters;

pub(crate) use append::{AppendError, Appended};
pub(crate) use maintenance::maintenance;
pub(crate) use policy::Policy;
pub(crate) use read::{Found, ReadFrom};
pub(crate) use recover::contiguous;
pub(crate) use settle::{open_all, settling};
pub(crate) use traffic::Traffic;
pub(crate) use unpacking::{Unpacking, UnpackingThreads};
pub(crate) use waiters::Waiter;

use crate::{
    config::BrokerConfig,
    core::{epochs::Epochs, producers::Producers},
    error::ApiError,
    state::{framing::BatchFraming, producers as snapshots},
    wire::ResponseError,
};
use append::Segment;
use arc_swap::ArcSwap;
use cleaner::GROUP_BYTES_MAX;
use parking_lot::Mutex;
use server_kit::Clock;
use settle::Unsettled;
use std::{
    cmp::Ordering,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering as Atomic},
    },
};
use storage::{Durability, Log, LogOptions, LogRange, Shard, StorageError};
use tokio::sync::OnceCell;
use traffic::Reads;
use uuid::Uuid;
use waiters::Waiters;

/// What every partition of a broker shares.
pub(crate) struct Env {
    /// Where logs and snapshots are kept.
    pub(crate) shard: Shard,
    /// The only time there is.
    pub(crate) clock: Arc<dyn Clock>,
    /// What an acknowledged append promises, where the topic does not ask for more.
    pub(crate) durability: Durability,
    /// Values of the broker's keys at this moment.
    pub(crate) config: Arc<ArcSwap<BrokerConfig>>,
}

impl Env {
    /// After how long without a record a producer is forgotten.
    fn producer_expiry_ms(&self) -> i64 {
        self.config.load().get("producer.id.expiration.ms", 86_400_000)
    }
}

/// Which partition it is, and of which leader.
pub(crate) struct Named {
    pub(crate) topic: Arc<str>,
    pub(crate) topic_id: Uuid,
    pub(crate) index: i32,
    pub(crate) leader_epoch: i32,
}

/// A partition. Its storage is opened by whoever needs it first.
pub(crate) struct Partition {
    pub(crate) topic: Arc<str>,
    pub(crate) topic_id: Uuid,
    pub(crate) index: i32,
    /// How often another process has led it before this one.
    pub(crate) leader_epoch: i32,
    /// `topic-partition`, as texts name it.
    pub(crate) name: String,
    env: Arc<Env>,
    policy: ArcSwap<Policy>,
    opened: OnceCell<Opened>,
    removed: AtomicBool,
    waiters: Waiters,
    /// A task is waiting for what was appended to become durable.
    waking: AtomicBool,
}

/// A partition whose storage is open.
pub(crate) struct Opened {
    pub(crate) log: Arc<dyn Log>,
    state: Mutex<State>,
    reads: Reads,
}

/// What changes with every append.
struct State {
    producers: Producers,
    epochs: Epochs,
    segment: Segment,
    /// Records since the last `fdatasync` that `flush.messages` asked for.
    unflushed: i64,
    /// When there last was nothing left to flush, in ms since 1970.
    flushed_ms: i64,
    /// Everything below was compacted.
    cleaned: u64,
    /// Bytes appended since the last snapshot of producers.
    uncovered_bytes: u64,
    unsettled: Unsettled,
    /// Bytes and records that producers brought since the start.
    bytes_in: u64,
    records_in: u64,
}

impl Partition {
    pub(crate) fn new(env: Arc<Env>, named: Named, policy: Arc<Policy>) -> Arc<Self> {
        Arc::new(Partition {
            name: format!("{}-{}", named.topic, named.index),
            topic: named.topic,
            topic_id: named.topic_id,
            index: named.index,
            leader_epoch: named.leader_epoch,
            env,
            policy: ArcSwap::new(policy),
            opened: OnceCell::new(),
            removed: AtomicBool::new(false),
            waiters: Waiters::default(),
            waking: AtomicBool::new(false),
        })
    }

    /// The name of its log.
    pub(crate) fn log_name(&self) -> String {
        format!("{}-{}", self.topic_id.simple(), self.index)
    }

    /// Whether a client that knows of leader `epoch` means this one; -1 means any.
    pub(crate) fn check_leader_epoch(&self, epoch: i32) -> Result<(), ApiError> {
        match epoch.cmp(&self.leader_epoch) {
            _ if epoch == -1 => Ok(()),
            Ordering::Less => Err(ResponseError::FencedLeaderEpoch.into()),
            Ordering::Equal => Ok(()),
            Ordering::Greater => Err(ResponseError::UnknownLeaderEpoch.into()),
        }
    }

    /// Its storage, opened and recovered at the first call.
    pub(crate) async fn open(&self) -> Result<&Opened, ApiError> {
        if let Some(opened) = self.opened.get() {
            return if self.removed.load(Atomic::Acquire) {
                Err(removed())
            } else {
                Ok(opened)
            };
        }
        self.opened
            .get_or_try_init(|| async {
                if self.removed.load(Atomic::Acquire) {
                    return Err(removed());
                }
                self.recover().await.map_err(ApiError::from)
            })
            .await
    }

    /// Its storage, where someone has opened it before.
    pub(crate) fn opened(&self) -> Option<&Opened> {
        self.opened.get()
    }

    /// Applies a changed configuration of the topic.
    pub(crate) fn configure(&self, policy: Arc<Policy>) {
        let options = self.log_options(&policy);
        self.policy.store(policy);
        if let Some(opened) = self.opened.get() {
            opened.log.configure(options);
        }
    }

    /// What the topic's configuration asks.
    pub(crate) fn policy(&self) -> Arc<Policy> {
        self.policy.load_full()
    }

    /// Removes all that is stored of it, for good.
    pub(crate) async fn remove(&self) -> storage::Result<()> {
        self.removed.store(true, Atomic::Release);
        // Whoever is opening it now comes to an end first.
        let _ = self.opened.get_or_try_init(|| async { Err(()) }).await;
        let name = self.log_name();
        let removed = self.env.shard.logs.remove(&name).await;
        self.waiters.wake_all();
        snapshots::remove(self.env.shard.kv.as_ref(), &name).await?;
        removed
    }

    /// Wakes `waiter` when this partition has more for it.
    pub(crate) fn watch(&self, waiter: &Arc<Waiter>) {
        self.waiters.add(waiter);
    }

    fn log_options(&self, policy: &Policy) -> LogOptions {
        LogOptions {
            framing: Arc::new(BatchFraming),
            chunk_bytes_max: match policy.compact {
                true => policy.segment_bytes.min(GROUP_BYTES_MAX),
                false => policy.segment_bytes,
            },
            index_interval_bytes: policy.index_interval_bytes,
            durability: if policy.flush_messages <= 1 {
                self.env.durability.max(Durability::Synced)
            } else {
                self.env.durability
            },
        }
    }
}

impl Opened {
    /// What the log holds now.
    pub(crate) fn range(&self) -> LogRange {
        self.log.range()
    }

    /// The first offset held.
    pub(crate) fn log_start(&self) -> u64 {
        self.log.range().start
    }

    /// The next offset to be written.
    pub(crate) fn log_end(&self) -> u64 {
        self.log.range().end
    }

    /// Everything below is acknowledged, or may be at any moment: consumers see it.
    pub(crate) fn high_watermark(&self) -> u64 {
        self.log.range().durable_end
    }

    /// The high watermark, or the first record of a transaction that is not ended below it.
    pub(crate) fn last_stable_offset(&self) -> u64 {
        let mut state = self.state.lock();
        let durable_end = self.log.range().durable_end;
        state.producers.last_stable(durable_end)
    }

    /// Whether the producer has a transaction open here under that epoch.
    pub(crate) fn in_transaction(&self, producer_id: i64, epoch: i16) -> bool {
        self.state.lock().producers.in_transaction(producer_id, epoch)
    }

    /// The latest epoch up to `epoch` and where it ended here; `None` where `epoch` is yet to come.
    pub(crate) fn end_of_epoch(&self, epoch: i32) -> Option<(i32, u64)> {
        let state = self.state.lock();
        state.epochs.end_of(epoch, self.log.range().end)
    }

    /// The epoch whose leader wrote at `offset`, or will.
    pub(crate) fn epoch_at(&self, offset: u64) -> Option<i32> {
        self.state.lock().epochs.at(offset)
    }

    /// A copy of what is known of producers.
    pub(crate) fn producers(&self) -> Producers {
        self.state.lock().producers.clone()
    }
}

fn removed() -> ApiError {
    StorageError::Removed.into()
}

#[cfg(test)]
mod tests;
