use super::{
    Opened, Partition, State,
    append::{self, Segment},
    settle::Unsettled,
    traffic::Reads,
};
use crate::{
    core::{
        epochs::Epochs,
        producers::{EndMarker, Producers},
    },
    state::producers::{self as snapshots, Snapshot},
    wire::records::{Batch, Batches, HEAD_BYTES, Header, read_marker},
};
use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use std::sync::{Arc, atomic::Ordering};
use storage::{Log, ReadLimit, ReadSlices, Result, Slice, StorageError};

/// Bytes of a log that are read back at once.
const REPLAY_BYTES: usize = 1 << 20;

impl Partition {
    /// Opens the log, and finds out about producers and leaders: from the snapshot, then from what the log holds after
    /// it.
    pub(super) async fn recover(&self) -> Result<Opened> {
        let name = self.log_name();
        let options = self.log_options(&self.policy.load());
        let log = self.env.shard.logs.open(&name, options).await?;
        let range = log.range();
        // A snapshot of more than the log holds is from before the log lost its unsynced tail to a power cut.
        let snapshot = snapshots::load(self.env.shard.kv.as_ref(), &name)
            .await?
            .filter(|snapshot| snapshot.covered <= range.end)
            .unwrap_or_default();
        let from = snapshot.covered.max(range.start);
        let (mut producers, mut epochs) = (snapshot.producers, snapshot.epochs);
        let uncovered_bytes = replay(log.as_ref(), &mut producers, &mut epochs, from).await?;
        producers.trim(range.start);
        epochs.trim(range.start);
        epochs.begin(self.leader_epoch, range.end);
        producers.expire(self.env.clock.now_ms(), self.env.producer_expiry_ms());
        let segment = last_segment(log.as_ref()).await?;
        let state = State {
            producers,
            epochs,
            unsettled: Unsettled::of(segment.bytes),
            segment,
            unflushed: 0,
            flushed_ms: self.env.clock.now_ms(),
            cleaned: snapshot.cleaned,
            uncovered_bytes,
            bytes_in: 0,
            records_in: 0,
        };
        Ok(Opened {
            log,
            state: Mutex::new(state),
            reads: Reads::default(),
        })
    }

    /// Stores what is known of producers, up to the log's end, soon and beside.
    pub(super) fn save_producers_soon(self: &Arc<Self>) {
        let partition = self.clone();
        tokio::spawn(async move {
            if let Err(error) = partition.save_producers().await {
                tracing::warn!(partition = partition.name, %error, "snapshot of producers not stored");
            }
        });
    }

    /// Stores what is known of producers, up to the log's end.
    pub(crate) async fn save_producers(&self) -> Result<()> {
        let Some(opened) = self.opened() else {
            return Ok(());
        };
        let snapshot = {
            let mut state = opened.state.lock();
            state.uncovered_bytes = 0;
            let range = opened.log.range();
            state.producers.trim(range.start);
            Snapshot {
                producers: state.producers.clone(),
                epochs: state.epochs.clone(),
                covered: range.end,
                cleaned: state.cleaned,
            }
        };
        if self.removed.load(Ordering::Acquire) {
            return Ok(());
        }
        snapshots::save(self.env.shard.kv.as_ref(), &self.log_name(), &snapshot).await
    }
}

/// Takes every batch of `log` from `from` on into `producers` and `epochs`; answers how many bytes they were.
async fn replay(log: &dyn Log, producers: &mut Producers, epochs: &mut Epochs, mut from: u64) -> Result<u64> {
    let end = log.range().end;
    let mut bytes = 0;
    while from < end {
        let limit = ReadLimit {
            bytes_max: REPLAY_BYTES,
            before: end,
            at_least_one: true,
        };
        let read = contiguous(log.read(from, limit).await?)?;
        if read.is_empty() {
            break;
        }
        bytes += read.len() as u64;
        for batch in Batches::new(read) {
            let batch = batch.map_err(|why| StorageError::Corrupt(why.to_string()))?;
            take(producers, &batch);
            epochs.begin(batch.header.leader_epoch, offset(batch.header.base_offset));
            from = offset(batch.header.last_offset()) + 1;
        }
    }
    Ok(bytes)
}

fn take(producers: &mut Producers, batch: &Batch) {
    let header = &batch.header;
    if !header.has_producer() {
        return;
    }
    let (first, last) = (offset(header.base_offset), offset(header.last_offset()));
    if !header.attributes.is_control() {
        producers.take(&append::incoming(header, header.max_timestamp), first, last);
    } else if let Some(marker) = read_marker(batch) {
        let marker = EndMarker {
            producer_id: marker.producer_id,
            epoch: marker.producer_epoch,
            coordinator_epoch: marker.coordinator_epoch,
            commit: marker.commit,
            timestamp_ms: header.max_timestamp,
        };
        producers.take_marker(&marker, first);
    }
}

/// How far the last segment of `log` is.
async fn last_segment(log: &dyn Log) -> Result<Segment> {
    let Some(chunk) = log.chunks().last().copied().filter(|chunk| chunk.bytes > 0) else {
        return Ok(Segment::default());
    };
    let limit = ReadLimit {
        bytes_max: HEAD_BYTES,
        before: chunk.end,
        at_least_one: true,
    };
    let first = log.read(chunk.first.max(log.range().start), limit).await?;
    let head = match first.slices.into_iter().next() {
        Some(Slice::File {
            file,
            position,
            bytes,
        }) => Slice::File {
            file,
            position,
            bytes: bytes.min(HEAD_BYTES),
        }
        .load()?,
        Some(Slice::Memory(bytes)) => bytes,
        None => Bytes::new(),
    };
    Ok(Segment {
        bytes: chunk.bytes,
        first_timestamp_ms: Header::read(&head).ok().map(|header| header.max_timestamp),
    })
}

/// What was read, in one piece.
pub(crate) fn contiguous(read: ReadSlices) -> Result<Bytes> {
    if let [slice] = read.slices.as_slice() {
        return slice.load();
    }
    let mut all = BytesMut::with_capacity(read.bytes);
    for slice in &read.slices {
        all.extend_from_slice(&slice.load()?);
    }
    Ok(all.freeze())
}

fn offset(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
