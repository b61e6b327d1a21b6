//! Snapshots of what partitions know of their producers and leaders: all up to an offset, so that only what follows is
//! read back.

use super::{Kind, key};
use crate::core::{
    epochs::Epochs,
    producers::{Aborted, Producer, Producers, Taken},
};
use bytes::{Buf, BufMut, Bytes};
use storage::{Batch, Durability, Kv, Result, StorageError};

const FORMAT: u8 = 2;
/// Of a time when all partitions had but one leader.
const FORMAT_WITHOUT_EPOCHS: u8 = 1;
/// "None" among offsets.
const NONE: u64 = u64::MAX;

/// What is known of a log at some moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) producers: Producers,
    pub(crate) epochs: Epochs,
    /// Everything of producers and leaders below that offset is in it.
    pub(crate) covered: u64,
    /// Everything below that offset was compacted.
    pub(crate) cleaned: u64,
}

/// The last snapshot of the log `log`.
pub(crate) async fn load(kv: &dyn Kv, log: &str) -> Result<Option<Snapshot>> {
    let Some(value) = kv.get(&key(Kind::Producers, &[log.as_bytes()])).await? else {
        return Ok(None);
    };
    match read(value) {
        Some(snapshot) => Ok(Some(snapshot)),
        None => Err(StorageError::Corrupt(format!(
            "the snapshot of producers of {log}"
        ))),
    }
}

/// Keeps a snapshot of `log` in place of the one before.
pub(crate) async fn save(kv: &dyn Kv, log: &str, snapshot: &Snapshot) -> Result<()> {
    let mut batch = Batch::default();
    batch.put(key(Kind::Producers, &[log.as_bytes()]), write(snapshot));
    kv.commit(batch, Durability::Written).await
}

/// Forgets what was kept for `log`.
pub(crate) async fn remove(kv: &dyn Kv, log: &str) -> Result<()> {
    let mut batch = Batch::default();
    batch.delete(key(Kind::Producers, &[log.as_bytes()]));
    kv.commit(batch, Durability::Written).await
}

fn write(snapshot: &Snapshot) -> Bytes {
    let producers = &snapshot.producers;
    let mut out = vec![FORMAT];
    out.put_u64(snapshot.covered);
    out.put_u64(snapshot.cleaned);
    out.put_u32(u32::try_from(producers.iter().count()).unwrap_or(u32::MAX));
    for (id, producer) in producers.iter() {
        out.put_i64(id);
        out.put_i16(producer.epoch);
        out.put_i32(producer.coordinator_epoch);
        out.put_i64(producer.timestamp_ms);
        out.put_u64(producer.transaction_first.unwrap_or(NONE));
        out.put_u8(u8::try_from(producer.batches.len()).unwrap_or(u8::MAX));
        for batch in &producer.batches {
            out.put_i32(batch.first_sequence);
            out.put_i32(batch.last_sequence);
            out.put_u64(batch.first_offset);
            out.put_u64(batch.last_offset);
            out.put_i64(batch.timestamp_ms);
        }
    }
    let aborted = producers.transactions().aborted();
    out.put_u32(u32::try_from(aborted.len()).unwrap_or(u32::MAX));
    for aborted in aborted {
        out.put_i64(aborted.producer_id);
        out.put_u64(aborted.first);
        out.put_u64(aborted.last);
        out.put_u64(aborted.stable);
    }
    out.put_u32(u32::try_from(snapshot.epochs.iter().len()).unwrap_or(u32::MAX));
    for (epoch, start) in snapshot.epochs.iter() {
        out.put_i32(epoch);
        out.put_u64(start);
    }
    Bytes::from(out)
}

fn read(mut bytes: Bytes) -> Option<Snapshot> {
    let format = bytes.try_get_u8().ok()?;
    if !matches!(format, FORMAT_WITHOUT_EPOCHS | FORMAT) {
        return None;
    }
    let (covered, cleaned) = (bytes.try_get_u64().ok()?, bytes.try_get_u64().ok()?);
    let mut producers = Producers::default();
    for _ in 0..bytes.try_get_u32().ok()? {
        let id = bytes.try_get_i64().ok()?;
        producers.restore(id, read_producer(&mut bytes)?);
    }
    for _ in 0..bytes.try_get_u32().ok()? {
        producers.restore_aborted(Aborted {
            producer_id: bytes.try_get_i64().ok()?,
            first: bytes.try_get_u64().ok()?,
            last: bytes.try_get_u64().ok()?,
            stable: bytes.try_get_u64().ok()?,
        });
    }
    let mut epochs = Epochs::default();
    if format == FORMAT_WITHOUT_EPOCHS {
        epochs.begin(0, 0);
    } else {
        for _ in 0..bytes.try_get_u32().ok()? {
            epochs.begin(bytes.try_get_i32().ok()?, bytes.try_get_u64().ok()?);
        }
    }
    Some(Snapshot {
        producers,
        epochs,
        covered,
        cleaned,
    })
}

fn read_producer(bytes: &mut Bytes) -> Option<Producer> {
    let mut producer = Producer {
        epoch: bytes.try_get_i16().ok()?,
        coordinator_epoch: bytes.try_get_i32().ok()?,
        timestamp_ms: bytes.try_get_i64().ok()?,
        transaction_first: Some(bytes.try_get_u64().ok()?).filter(|first| *first != NONE),
        batches: Default::default(),
    };
    for _ in 0..bytes.try_get_u8().ok()? {
        producer.batches.push_back(Taken {
            first_sequence: bytes.try_get_i32().ok()?,
            last_sequence: bytes.try_get_i32().ok()?,
            first_offset: bytes.try_get_u64().ok()?,
            last_offset: bytes.try_get_u64().ok()?,
            timestamp_ms: bytes.try_get_i64().ok()?,
        });
    }
    Some(producer)
}

#[cfg(test)]
mod tests;
