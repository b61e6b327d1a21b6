//! Rewrites the closed chunks of a compacted partition: of each key the latest record stays.

use super::{Opened, Partition, contiguous};
use crate::{
    config::BrokerConfig,
    core::compaction::{
        Asked, BatchFacts, CleanedTransactions, Cleaning, Fate, KeyHash, KeyMap, LastOf, Segment, due,
    },
    core::producers::Aborted,
    error::ApiError,
    state::framing,
    wire::{
        ResponseError,
        compression::DECOMPRESSED_BYTES_MAX,
        records::{Batch, BatchBuilder, Batches, Record, Records, read_marker},
    },
};
use arc_swap::ArcSwap;
use std::{
    collections::HashMap,
    hash::{BuildHasher, Hasher},
    ops::Range,
    sync::Arc,
    time::Duration,
};
use storage::{Chunk, Entry, ReadLimit, Result, StorageError};
use tokio::runtime::Handle;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Bytes read at once.
const READ_BYTES: usize = 1 << 20;
/// Bytes of closed chunks that are rewritten as one, all of them in memory: chunks of compacted logs are no larger.
pub(super) const GROUP_BYTES_MAX: u64 = 32 << 20;
/// Keys told apart in one pass; the rest waits for the next one.
const KEYS_MAX: usize = 500_000;
/// Seconds after which it is looked again how fast logs may be read.
const PACE_PIECE_SECONDS: f64 = 1.0;
/// Less than that is less than how well can be slept.
const WAIT_MIN_SECONDS: f64 = 0.001;

/// How keys become hashes in one pass: by chance, so that nobody can make two keys meet.
#[derive(Clone)]
struct Hashing([foldhash::quality::FixedState; 2]);

impl Hashing {
    fn hash(&self, key: &[u8]) -> KeyHash {
        let [one, other] = &self.0;
        let hash = |state: &foldhash::quality::FixedState| {
            let mut hasher = state.build_hasher();
            hasher.write(key);
            hasher.finish()
        };
        (hash(one), hash(other))
    }
}

/// A thread beside the network's: what runs there gives up once the broker stops, and is waited for.
pub(super) struct Aside {
    stop: CancellationToken,
    running: TaskTracker,
}

impl Aside {
    pub(super) fn new(stop: CancellationToken) -> Self {
        Aside {
            stop,
            running: TaskTracker::new(),
        }
    }

    /// Does `work`; nothing where the broker stops before it is done.
    async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> std::result::Result<Option<T>, ApiError> {
        let (stop, runtime) = (self.stop.clone(), Handle::current());
        let done = self
            .running
            .spawn_blocking(move || runtime.block_on(stop.run_until_cancelled(work)));
        Ok(done.await.map_err(|_| ResponseError::UnknownServerError)?)
    }

    /// Answers when nothing runs any more.
    pub(super) async fn ended(&self) {
        self.running.close();
        self.running.wait().await;
    }
}

/// What of a log is due for compaction.
pub(super) struct Dirty {
    chunks: Vec<Chunk>,
    stretch: Range<u64>,
}

impl Partition {
    /// [`Partition::clean`] on a thread of its own: it unpacks, checks and packs for as long as there is something to
    /// do, and the network's threads have their own work. Whether it came to its end before the broker stopped.
    pub(super) async fn clean_aside(
        self: &Arc<Self>,
        dirty: Dirty,
        seeds: [u64; 2],
        aside: &Aside,
    ) -> std::result::Result<bool, ApiError> {
        let partition = self.clone();
        let cleaned = aside.run(async move {
            let opened = partition.open().await?;
            partition.clean(opened, dirty, seeds).await?;
            Ok::<_, ApiError>(())
        });
        Ok(cleaned.await?.transpose()?.is_some())
    }

    /// What is due for compaction, if anything is.
    pub(super) fn dirty(&self, opened: &Opened) -> Option<Dirty> {
        let policy = self.policy();
        let now_ms = self.env.clock.now_ms();
        let chunks: Vec<Chunk> = opened
            .log
            .chunks()
            .into_iter()
            .filter(|chunk| chunk.closed)
            .collect();
        let segments: Vec<Segment> = chunks.iter().map(segment).collect();
        let asked = Asked {
            lag_min_ms: policy.compaction_lag_min_ms,
            lag_max_ms: policy.compaction_lag_max_ms,
            dirty_ratio_min: policy.cleanable_dirty_ratio_min,
        };
        let cleaned = opened.state.lock().cleaned.max(opened.log_start());
        let stretch = due(&segments, cleaned, opened.last_stable_offset(), now_ms, &asked)?;
        Some(Dirty { chunks, stretch })
    }

    /// Compacts what is `dirty`. `seeds` are random.
    pub(super) async fn clean(&self, opened: &Opened, dirty: Dirty, seeds: [u64; 2]) -> Result<()> {
        let Dirty { chunks, stretch } = dirty;
        let (aborted, last_of) = left_by_producers(opened);
        let pace = &Pace(self.env.config.clone());
        let hashing = Hashing(seeds.map(foldhash::quality::FixedState::with_seed));
        let mut transactions = CleanedTransactions::new(aborted.clone());
        let keys = key_map(opened, stretch, &mut transactions, &hashing, pace).await?;
        let mut cleaning = Cleaning {
            keys: &keys,
            transactions: CleanedTransactions::new(aborted),
            last_of: &last_of,
            now_ms: self.env.clock.now_ms(),
            delete_retention_ms: self.policy().delete_retention_ms,
        };
        for group in groups(&chunks, keys.end()) {
            rewrite(opened, &mut cleaning, &hashing, pace, group).await?;
        }
        {
            let mut state = opened.state.lock();
            state.cleaned = keys.end();
            // Of transactions aborted below, no record is left that a reader could take for committed.
            state.producers.trim(keys.end());
        }
        tracing::debug!(partition = self.name, end = keys.end(), "compacted");
        Ok(())
    }
}

/// The aborted transactions of a partition, and what its producers last left.
fn left_by_producers(opened: &Opened) -> (Vec<Aborted>, HashMap<i64, LastOf>) {
    let state = opened.state.lock();
    let last_of = state.producers.iter().map(|(id, producer)| {
        let last = match producer.batches.back() {
            Some(batch) => LastOf::Data(batch.last_offset),
            None => LastOf::Marker(producer.epoch),
        };
        (id, last)
    });
    (
        state.producers.transactions().aborted().to_vec(),
        last_of.collect(),
    )
}

fn segment(chunk: &Chunk) -> Segment {
    Segment {
        first: chunk.first,
        end: chunk.end,
        bytes: chunk.bytes,
        timestamp_max_ms: chunk.timestamp_max_ms.unwrap_or(-1),
    }
}

/// Neighbouring chunks below `end`, as many at a time as may be in memory.
fn groups(chunks: &[Chunk], end: u64) -> Vec<Vec<Chunk>> {
    let mut groups: Vec<Vec<Chunk>> = Vec::new();
    let mut bytes = u64::MAX;
    for chunk in chunks.iter().take_while(|chunk| chunk.first < end) {
        bytes = bytes.saturating_add(chunk.bytes);
        match groups.last_mut() {
            Some(group) if bytes <= GROUP_BYTES_MAX => group.push(*chunk),
            _ => {
                groups.push(vec![*chunk]);
                bytes = chunk.bytes;
            }
        }
    }
    groups
}

/// The latest offset of each key in `dirty`, or in as much of it as there is room for.
async fn key_map(
    opened: &Opened,
    dirty: Range<u64>,
    transactions: &mut CleanedTransactions,
    hashing: &Hashing,
    pace: &Pace,
) -> Result<KeyMap> {
    let mut keys = KeyMap::new(KEYS_MAX);
    keys.note_end(dirty.start);
    let mut reader = Reader::new(dirty, pace);
    while let Some(batches) = reader.next(opened).await? {
        for batch in batches {
            let facts = facts(&batch);
            let records = usize::try_from(batch.header.record_count).unwrap_or(0);
            if keys.is_full_for(records) {
                return Ok(keys);
            }
            if !transactions.is_needless(&facts) && facts.commits.is_none() {
                let payload = batch.payload(DECOMPRESSED_BYTES_MAX).map_err(corrupt)?;
                for record in Records::new(&payload, batch.header.record_count) {
                    let record = record.map_err(corrupt)?;
                    if let Some(key) = record.key {
                        keys.note(hashing.hash(key), offset(record.offset(&batch.header)));
                    }
                }
            }
            keys.note_end(facts.last + 1);
        }
        tokio::task::yield_now().await;
    }
    Ok(keys)
}

/// Replaces the chunks of `group` by what stays of them.
async fn rewrite(
    opened: &Opened,
    cleaning: &mut Cleaning<'_>,
    hashing: &Hashing,
    pace: &Pace,
    group: Vec<Chunk>,
) -> Result<()> {
    let (Some(first), Some(last)) = (group.first(), group.last()) else {
        return Ok(());
    };
    let mut reader = Reader::new(first.first.max(opened.log_start())..last.end, pace);
    let (mut entries, mut changed) = (Vec::new(), false);
    while let Some(batches) = reader.next(opened).await? {
        for batch in batches {
            match clean_batch(cleaning, hashing, &batch)? {
                Cleaned::AsItIs => entries.push(entry(&batch)?),
                Cleaned::Less(batch) => {
                    changed = true;
                    entries.push(entry(&batch)?);
                }
                Cleaned::Gone => changed = true,
            }
        }
        tokio::task::yield_now().await;
    }
    if changed || group.len() > 1 {
        let bytes = entries
            .iter()
            .map(|entry| entry.head.len() + entry.body.len())
            .sum();
        opened.log.rewrite(first.first..last.end, entries).await?;
        pace.after(bytes).await;
    }
    Ok(())
}

enum Cleaned {
    AsItIs,
    Less(Batch),
    Gone,
}

fn clean_batch(cleaning: &mut Cleaning<'_>, hashing: &Hashing, batch: &Batch) -> Result<Cleaned> {
    let (facts, header) = (facts(batch), &batch.header);
    let fate: Fate = cleaning.batch(&facts);
    let payload = batch.payload(DECOMPRESSED_BYTES_MAX).map_err(corrupt)?;
    let (mut kept, mut tombstones) = (Vec::new(), false);
    for record in Records::new(&payload, header.record_count) {
        let record = record.map_err(corrupt)?;
        let key = record.key.map(|key| hashing.hash(key));
        let is_tombstone = record.value.is_none();
        if cleaning.keeps(&facts, fate, offset(record.offset(header)), key, is_tombstone) {
            tombstones |= is_tombstone;
            kept.push(record);
        }
    }
    if kept.is_empty() && !fate.keep_empty {
        return Ok(Cleaned::Gone);
    }
    let horizon = cleaning.horizon(&facts, fate, tombstones);
    if kept.len() == usize::try_from(header.record_count).unwrap_or(0) && horizon.is_none() {
        return Ok(Cleaned::AsItIs);
    }
    rebuild(batch, &kept, horizon).map(Cleaned::Less)
}

/// `batch` with `kept` of its records, over the same offsets and sequences.
fn rebuild(batch: &Batch, kept: &[Record<'_>], horizon: Option<i64>) -> Result<Batch> {
    let mut header = batch.header;
    if let Some(horizon) = horizon {
        header.base_timestamp = horizon;
        header.attributes.0 |= crate::wire::records::Attributes::DELETE_HORIZON;
    }
    let codec = header.attributes.compression().unwrap_or_default();
    let mut builder = BatchBuilder::like(header);
    for record in kept {
        builder.keep(&batch.header, record);
    }
    let last_offset = Some(batch.header.last_offset());
    let mut built = builder
        .finish(codec, None, last_offset)
        .map_err(|why| StorageError::Corrupt(why.to_string()))?;
    if kept.is_empty() {
        // What expiry and the time index go by stays as it was.
        built = with_max_timestamp(built, batch.header.max_timestamp);
    }
    Ok(built)
}

fn with_max_timestamp(batch: Batch, max_timestamp: i64) -> Batch {
    let header = batch.stamped(&crate::wire::records::Stamp {
        base_offset: batch.header.base_offset,
        leader_epoch: batch.header.leader_epoch,
        timestamp_type: batch.header.attributes.timestamp_type(),
        max_timestamp,
    });
    let mut bytes = header.write().to_vec();
    bytes.extend_from_slice(&batch.body());
    Batch {
        header,
        bytes: bytes.into(),
    }
}

fn facts(batch: &Batch) -> BatchFacts {
    let header = &batch.header;
    BatchFacts {
        last: offset(header.last_offset()),
        producer: header
            .has_producer()
            .then_some((header.producer_id, header.producer_epoch)),
        transactional: header.attributes.is_transactional(),
        commits: read_marker(batch).map(|marker| marker.commit),
        horizon_ms: header
            .attributes
            .has_delete_horizon()
            .then_some(header.base_timestamp),
    }
}

fn entry(batch: &Batch) -> Result<Entry> {
    let meta = framing::meta(&batch.header)
        .ok_or_else(|| StorageError::Corrupt("a batch without a place".to_owned()))?;
    Ok(Entry {
        meta,
        head: batch.bytes.clone(),
        body: bytes::Bytes::new(),
    })
}

/// How fast logs are read and written here: Kafka's `log.cleaner.io.max.bytes.per.second`, as it is at each moment.
struct Pace(Arc<ArcSwap<BrokerConfig>>);

impl Pace {
    /// Answers when `bytes` may have been moved.
    async fn after(&self, bytes: usize) {
        let mut left = bytes as f64;
        loop {
            let rate = self.0.load().get("log.cleaner.io.max.bytes.per.second", f64::MAX);
            // Piece by piece: who set too low a rate and raises it is not kept waiting for what was.
            let seconds = match left / rate {
                seconds if seconds >= WAIT_MIN_SECONDS => seconds.min(PACE_PIECE_SECONDS),
                _ => return,
            };
            tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
            left -= rate * seconds;
        }
    }
}

/// Reads a stretch of a log piece by piece.
struct Reader<'a> {
    left: Range<u64>,
    pace: &'a Pace,
}

impl<'a> Reader<'a> {
    fn new(range: Range<u64>, pace: &'a Pace) -> Self {
        Reader { left: range, pace }
    }

    async fn next(&mut self, opened: &Opened) -> Result<Option<Vec<Batch>>> {
        if self.left.is_empty() {
            return Ok(None);
        }
        let limit = ReadLimit {
            bytes_max: READ_BYTES,
            before: self.left.end,
            at_least_one: true,
        };
        let read = contiguous(opened.log.read(self.left.start, limit).await?)?;
        self.pace.after(read.len()).await;
        let batches: Vec<Batch> = Batches::new(read)
            .collect::<std::result::Result<_, _>>()
            .map_err(corrupt)?;
        let Some(last) = batches.last() else {
            return Ok(None);
        };
        self.left.start = offset(last.header.last_offset()) + 1;
        Ok(Some(batches))
    }
}

fn corrupt(why: crate::wire::records::BatchError) -> StorageError {
    StorageError::Corrupt(why.to_string())
}

fn offset(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
