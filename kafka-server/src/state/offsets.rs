//! Committed offsets by group, topic and partition, and those that wait for the end of a transaction.
//!
//! Key parts are split from the end: a partition has four bytes, a producer id eight, and no topic name holds a zero
//! byte, so a group id may hold anything.

use super::{Kind, key};
use crate::core::groups::offsets::{Change, Committed, Pending, Place};
use bytes::{Buf, BufMut, Bytes};
use std::sync::Arc;
use storage::{Batch, Kv, Page, Result, Scan, StorageError};

const FORMAT: u8 = 1;
/// Format, offset, leader epoch, commit time, expiry.
const FIXED_BYTES: usize = 1 + 8 + 4 + 8 + 8;

/// An offset as it is stored, with the group it belongs to.
pub(crate) struct Stored<T> {
    pub(crate) group: Arc<str>,
    pub(crate) place: Place,
    pub(crate) value: T,
}

/// Adds a change of `group`'s offsets to `batch`.
pub(crate) fn write(batch: &mut Batch, group: &str, change: &Change) {
    match change {
        Change::Commit(place, committed) => {
            let mut value = Vec::with_capacity(FIXED_BYTES + committed.metadata.len());
            encode(&mut value, committed);
            batch.put(offset_key(group, place), value);
        }
        Change::Remove(place) => {
            batch.delete(offset_key(group, place));
        }
        Change::Hold(producer_id, place, pending) => {
            let mut value = Vec::with_capacity(3 + FIXED_BYTES + pending.committed.metadata.len());
            value.put_u8(FORMAT);
            value.put_i16(pending.producer_epoch);
            encode(&mut value, &pending.committed);
            batch.put(pending_key(group, *producer_id, place), value);
        }
        Change::Release(producer_id, place) => {
            batch.delete(pending_key(group, *producer_id, place));
        }
    }
}

/// Every committed offset there is.
pub(crate) async fn load(kv: &dyn Kv) -> Result<Vec<Stored<Committed>>> {
    let mut all = Vec::new();
    let mut scan = Some(Scan::prefix(&key(Kind::Offset, &[b""])));
    while let Some(range) = scan {
        let page = kv.scan(range, Page::default()).await?;
        for (key, value) in page.items {
            let (group, place) = parse_key(&key).ok_or_else(|| corrupt("key of an offset"))?;
            let value = read(&value).ok_or_else(|| corrupt("committed offset"))?;
            all.push(Stored { group, place, value });
        }
        scan = page.next;
    }
    Ok(all)
}

/// Every offset that waits for a transaction, with its producer.
pub(crate) async fn load_pending(kv: &dyn Kv) -> Result<Vec<Stored<(i64, Pending)>>> {
    let mut all = Vec::new();
    let mut scan = Some(Scan::prefix(&key(Kind::PendingOffset, &[b""])));
    while let Some(range) = scan {
        let page = kv.scan(range, Page::default()).await?;
        for (key, value) in page.items {
            let parsed = parse_pending_key(&key).ok_or_else(|| corrupt("key of a pending offset"))?;
            let (group, producer_id, place) = parsed;
            let pending = read_pending(&value).ok_or_else(|| corrupt("pending offset"))?;
            let value = (producer_id, pending);
            all.push(Stored { group, place, value });
        }
        scan = page.next;
    }
    Ok(all)
}

fn offset_key(group: &str, (topic, partition): &Place) -> Bytes {
    key(
        Kind::Offset,
        &[group.as_bytes(), topic.as_bytes(), &partition.to_be_bytes()],
    )
}

fn pending_key(group: &str, producer_id: i64, (topic, partition): &Place) -> Bytes {
    let mut last = [0; 12];
    last[..4].copy_from_slice(&partition.to_be_bytes());
    last[4..].copy_from_slice(&producer_id.to_be_bytes());
    key(Kind::PendingOffset, &[group.as_bytes(), topic.as_bytes(), &last])
}

fn parse_key(key: &[u8]) -> Option<(Arc<str>, Place)> {
    let (names, partition) = key.get(2..)?.split_last_chunk::<4>()?;
    let (group, topic) = parse_names(names)?;
    Some((group, (topic, i32::from_be_bytes(*partition))))
}

fn parse_pending_key(key: &[u8]) -> Option<(Arc<str>, i64, Place)> {
    let (rest, producer_id) = key.get(2..)?.split_last_chunk::<8>()?;
    let (names, partition) = rest.split_last_chunk::<4>()?;
    let (group, topic) = parse_names(names)?;
    Some((
        group,
        i64::from_be_bytes(*producer_id),
        (topic, i32::from_be_bytes(*partition)),
    ))
}

/// `group \0 topic \0`
fn parse_names(names: &[u8]) -> Option<(Arc<str>, Arc<str>)> {
    let names = names.strip_suffix(&[0])?;
    let at = names.iter().rposition(|byte| *byte == 0)?;
    let text = |bytes| std::str::from_utf8(bytes).ok().map(Arc::from);
    Some((text(&names[..at])?, text(&names[at + 1..])?))
}

fn encode(value: &mut Vec<u8>, committed: &Committed) {
    value.put_u8(FORMAT);
    value.put_i64(committed.offset);
    value.put_i32(committed.leader_epoch);
    value.put_i64(committed.committed_at_ms);
    value.put_i64(committed.expires_at_ms.unwrap_or(-1));
    value.put_slice(committed.metadata.as_bytes());
}

fn read(mut value: &[u8]) -> Option<Committed> {
    if value.len() < FIXED_BYTES || value.get_u8() != FORMAT {
        return None;
    }
    let (offset, leader_epoch) = (value.get_i64(), value.get_i32());
    let (committed_at_ms, expires) = (value.get_i64(), value.get_i64());
    Some(Committed {
        offset,
        leader_epoch,
        metadata: std::str::from_utf8(value).ok()?.into(),
        committed_at_ms,
        expires_at_ms: (expires >= 0).then_some(expires),
    })
}

fn read_pending(mut value: &[u8]) -> Option<Pending> {
    if value.len() < 3 || value.get_u8() != FORMAT {
        return None;
    }
    let producer_epoch = value.get_i16();
    let committed = read(value)?;
    Some(Pending {
        producer_epoch,
        committed,
    })
}

fn corrupt(what: &str) -> StorageError {
    StorageError::Corrupt(what.to_owned())
}

#[cfg(test)]
mod tests;
