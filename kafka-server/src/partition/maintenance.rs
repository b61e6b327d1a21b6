//! What partitions need from time to time: retention, compaction, snapshots of producers, flushes.

use super::{Opened, Partition, append::Segment as Active, cleaner::Aside};
use crate::{
    broker::Broker,
    core::retention::{Bounds, Segment, start_after},
    error::ApiError,
};
use std::{sync::Arc, time::Duration};
use storage::Chunk;
use tokio_util::sync::CancellationToken;

/// How often it is looked what is due.
const TICK: Duration = Duration::from_secs(1);
const TICK_MS: i64 = 1000;
/// How often snapshots of producers are made where there is something new.
const SNAPSHOT_INTERVAL_MS: i64 = 10_000;
/// Bytes appended since the last snapshot that are worth one.
const SNAPSHOT_BYTES_MIN: u64 = 1 << 20;
/// Kafka's `producer.id.expiration.check.interval.ms`.
const PRODUCER_EXPIRY_INTERVAL_MS: i64 = 600_000;
/// Partitions that nobody used yet and that one check of retention opens.
const OPENED_PER_CHECK_MAX: usize = 100;

/// When a chore was last done.
struct Chore {
    key: &'static str,
    default_ms: i64,
    waited_ms: i64,
}

impl Chore {
    /// One whose interval is the broker's `key`.
    fn every(key: &'static str, default_ms: i64) -> Self {
        Chore {
            key,
            default_ms,
            waited_ms: 0,
        }
    }

    /// Whether it is due after one more tick.
    fn is_due(&mut self, broker: &Broker) -> bool {
        self.waited_ms += TICK_MS;
        let due = self.waited_ms >= broker.dynamic.load().get(self.key, self.default_ms);
        if due {
            self.waited_ms = 0;
        }
        due
    }
}

/// Runs until `stop`, and leaves snapshots behind.
pub(crate) async fn maintenance(broker: Arc<Broker>, stop: CancellationToken) {
    // Beside each other: compaction takes as long as the pace that was set for it, and nothing else waits for that.
    tokio::join!(chores(&broker, &stop), compaction(&broker, &stop));
    for partition in partitions(&broker) {
        let is_new = |opened: &Opened| opened.state.lock().uncovered_bytes > 0;
        if !partition.opened().is_some_and(is_new) {
            continue;
        }
        if let Err(error) = partition.save_producers().await {
            tracing::warn!(partition = partition.name, %error, "snapshot of producers not stored");
        }
    }
}

/// Does what is due soon after it is, until `stop`.
async fn chores(broker: &Broker, stop: &CancellationToken) {
    let mut retention = Chore::every("log.retention.check.interval.ms", 300_000);
    let mut snapshots = Chore::every("", SNAPSHOT_INTERVAL_MS);
    let mut expiry = Chore::every(
        "producer.id.expiration.check.interval.ms",
        PRODUCER_EXPIRY_INTERVAL_MS,
    );
    while ticked(stop).await {
        let due = Due {
            retention: retention.is_due(broker),
            snapshots: snapshots.is_due(broker),
            expiry: expiry.is_due(broker),
        };
        stop.run_until_cancelled(round(broker, &due)).await;
    }
}

/// Compacts what is due, until `stop`.
async fn compaction(broker: &Broker, stop: &CancellationToken) {
    let mut cleaning = Chore::every("log.cleaner.backoff.ms", 15_000);
    let aside = Aside::new(stop.clone());
    while ticked(stop).await {
        if !cleaning.is_due(broker) || !broker.dynamic.load().get("log.cleaner.enable", true) {
            continue;
        }
        let pass = async {
            for partition in partitions(broker) {
                if let Err(error) = partition.compact(broker, &aside).await {
                    tracing::warn!(partition = partition.name, %error, "compaction failed");
                }
            }
        };
        stop.run_until_cancelled(pass).await;
    }
    aside.ended().await;
}

/// Waits for a tick; whether it came before `stop`.
async fn ticked(stop: &CancellationToken) -> bool {
    stop.run_until_cancelled(tokio::time::sleep(TICK)).await.is_some()
}

/// The chores of one round.
struct Due {
    retention: bool,
    snapshots: bool,
    expiry: bool,
}

pub(super) fn partitions(broker: &Broker) -> Vec<Arc<Partition>> {
    let image = broker.topics.image();
    image
        .iter()
        .flat_map(|topic| topic.partitions.iter().cloned())
        .collect()
}

async fn round(broker: &Broker, due: &Due) {
    let mut opened = 0;
    for partition in partitions(broker) {
        if partition.opened().is_none() {
            if !due.retention || opened >= OPENED_PER_CHECK_MAX {
                continue;
            }
            opened += 1;
        }
        if let Err(error) = partition.chores(due).await {
            tracing::warn!(partition = partition.name, %error, "maintenance failed");
        }
    }
}

impl Partition {
    async fn chores(self: &Arc<Self>, due: &Due) -> Result<(), ApiError> {
        let opened = self.open().await?;
        let policy = self.policy();
        let now_ms = self.env.clock.now_ms();
        if policy.flush_ms < i64::MAX {
            self.flush(opened, now_ms, policy.flush_ms).await?;
        }
        if due.retention {
            self.retain(opened, now_ms).await?;
        }
        if due.expiry {
            let mut state = opened.state.lock();
            state.producers.expire(now_ms, self.env.producer_expiry_ms());
        }
        if due.snapshots && opened.state.lock().uncovered_bytes >= SNAPSHOT_BYTES_MIN {
            self.save_producers().await?;
        }
        Ok(())
    }

    /// Compacts what is due of a partition that is in use.
    async fn compact(self: &Arc<Self>, broker: &Broker, aside: &Aside) -> Result<(), ApiError> {
        let Some(opened) = self.opened().filter(|_| self.policy().compact) else {
            return Ok(());
        };
        self.close_old_segment(opened, self.env.clock.now_ms())?;
        if let Some(dirty) = self.dirty(opened) {
            let seeds = [broker.random.next_u64(), broker.random.next_u64()];
            if self.clean_aside(dirty, seeds, aside).await? {
                self.save_producers().await?;
            }
        }
        Ok(())
    }

    /// `flush.ms`: brings what was appended to stable storage once it waited so long.
    async fn flush(&self, opened: &Opened, now_ms: i64, flush_ms: i64) -> Result<(), ApiError> {
        let is_due = {
            let mut state = opened.state.lock();
            let due = state.unflushed > 0 && now_ms.saturating_sub(state.flushed_ms) >= flush_ms;
            if due {
                state.unflushed = 0;
            }
            if due || state.unflushed == 0 {
                state.flushed_ms = now_ms;
            }
            due
        };
        if is_due {
            opened.log.sync().await?;
        }
        Ok(())
    }

    /// Drops what `retention.ms` and `retention.bytes` let go of.
    pub(super) async fn retain(self: &Arc<Self>, opened: &Opened, now_ms: i64) -> Result<(), ApiError> {
        let policy = self.policy();
        if !policy.delete {
            return Ok(());
        }
        let bounds = Bounds {
            age_max_ms: policy.retention_ms,
            bytes_max: policy.retention_bytes,
        };
        let chunks = opened.log.chunks();
        let segments: Vec<Segment> = chunks.iter().map(|chunk| segment(opened, chunk)).collect();
        let high_watermark = opened.high_watermark();
        let Some(start) = start_after(&segments, high_watermark, now_ms, &bounds) else {
            return Ok(());
        };
        {
            // Nothing of a chunk is dropped while it may still be appended to.
            let mut state = opened.state.lock();
            if start >= opened.log_end() && state.segment.bytes > 0 {
                opened.log.roll()?;
                state.segment = Active::default();
            }
        }
        tracing::debug!(partition = self.name, start, "retention");
        self.trim(start).await.map(|_| ())
    }

    /// A compacted partition that is written no more is compacted to its end, too.
    fn close_old_segment(&self, opened: &Opened, now_ms: i64) -> Result<(), ApiError> {
        let policy = self.policy();
        let age_max_ms = policy.segment_ms.min(policy.compaction_lag_max_ms);
        let mut state = opened.state.lock();
        let first = state
            .segment
            .first_timestamp_ms
            .filter(|_| state.segment.bytes > 0);
        let age_max_ms = age_max_ms.saturating_sub(self.jitter_ms(&policy));
        if first.is_some_and(|first| now_ms.saturating_sub(first) > age_max_ms) {
            opened.log.roll()?;
            state.segment = Active::default();
        }
        Ok(())
    }
}

fn segment(opened: &Opened, chunk: &Chunk) -> Segment {
    let told = chunk.timestamp_max_ms.filter(|ms| *ms >= 0);
    Segment {
        end: chunk.end,
        bytes: chunk.bytes,
        newest_ms: told.or_else(|| opened.log.written_ms(chunk.first)),
    }
}
