//! Entries of the suite: length, offsets, timestamp, payload, checksum.

use crate::{Durability, Entry, EntryMeta, Framing, Log, LogOptions, ReadLimit};
use bytes::Bytes;
use std::sync::Arc;

const MAGIC: u32 = 0x5345_4c46;
const HEAD_BYTES: usize = 4 + 4 + 8 + 8 + 8 + 8;

/// How [`entry`] lays entries out.
#[derive(Debug, Default)]
pub struct TestFraming;

fn word<const N: usize>(raw: &[u8], at: usize) -> Option<[u8; N]> {
    raw.get(at..at + N)?.try_into().ok()
}

/// FNV-1a: enough to notice torn and garbled bytes.
fn checksum(parts: [&[u8]; 2]) -> u64 {
    parts
        .iter()
        .flat_map(|part| part.iter())
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

impl Framing for TestFraming {
    fn head_bytes(&self) -> usize {
        HEAD_BYTES
    }

    fn measure(&self, head: &[u8]) -> Option<EntryMeta> {
        (u32::from_le_bytes(word(head, 0)?) == MAGIC).then_some(())?;
        let bytes = u32::from_le_bytes(word(head, 4)?);
        (bytes as usize >= HEAD_BYTES).then_some(EntryMeta {
            first: u64::from_le_bytes(word(head, 8)?),
            last: u64::from_le_bytes(word(head, 16)?),
            timestamp_max_ms: i64::from_le_bytes(word(head, 24)?),
            bytes,
        })
    }

    fn verify(&self, entry: &[u8]) -> bool {
        let Some((head, payload)) = entry.split_at_checked(HEAD_BYTES) else {
            return false;
        };
        let (head, sum) = head.split_at(HEAD_BYTES - 8);
        sum == checksum([head, payload]).to_le_bytes()
    }
}

/// An entry that covers `first..=last`.
pub fn entry(first: u64, last: u64, timestamp_max_ms: i64, payload: &[u8]) -> Entry {
    let bytes = (HEAD_BYTES + payload.len()) as u32;
    let mut head = Vec::with_capacity(HEAD_BYTES);
    head.extend_from_slice(&MAGIC.to_le_bytes());
    head.extend_from_slice(&bytes.to_le_bytes());
    head.extend_from_slice(&first.to_le_bytes());
    head.extend_from_slice(&last.to_le_bytes());
    head.extend_from_slice(&timestamp_max_ms.to_le_bytes());
    let sum = checksum([&head, payload]);
    head.extend_from_slice(&sum.to_le_bytes());
    Entry {
        meta: EntryMeta {
            first,
            last,
            timestamp_max_ms,
            bytes,
        },
        head: Bytes::from(head),
        body: Bytes::copy_from_slice(payload),
    }
}

/// An entry of one offset, of `bytes` in all, with a payload that is told by its offset.
pub fn entry_of(offset: u64, bytes: usize) -> Entry {
    let payload: Vec<u8> = (0..bytes.saturating_sub(HEAD_BYTES))
        .map(|at| (offset as usize).wrapping_mul(31).wrapping_add(at) as u8)
        .collect();
    entry(offset, offset, offset as i64 * 10, &payload)
}

/// Options of the suite: chunks of 4 KiB, indexed every 256 bytes.
pub fn options(durability: Durability) -> LogOptions {
    LogOptions {
        framing: Arc::new(TestFraming),
        chunk_bytes_max: 4096,
        index_interval_bytes: 256,
        durability,
    }
}

/// Every entry from `from` on, checked, in reads of `bytes_max`.
pub async fn read_all(log: &dyn Log, from: u64, bytes_max: usize) -> Vec<EntryMeta> {
    let mut metas = Vec::new();
    let mut at = from;
    while at < log.range().end {
        let limit = ReadLimit {
            bytes_max,
            before: u64::MAX,
            at_least_one: true,
        };
        let read = log.read(at, limit).await.unwrap();
        let mut bytes = Vec::new();
        for slice in &read.slices {
            bytes.extend_from_slice(&slice.load().unwrap());
        }
        assert_eq!(bytes.len(), read.bytes);
        let found = parse(&bytes);
        let Some(last) = found.last() else { break };
        assert!(
            found.len() == 1 || bytes.len() <= bytes_max,
            "{} > {bytes_max}",
            bytes.len()
        );
        at = last.last + 1;
        metas.extend(found);
    }
    metas
}

/// The entries in `bytes`, each of which must check out.
pub(super) fn parse(bytes: &[u8]) -> Vec<EntryMeta> {
    let mut metas = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let meta = TestFraming.measure(rest).expect("an entry starts here");
        let (entry, after) = rest.split_at(meta.bytes as usize);
        assert!(
            TestFraming.verify(entry),
            "the entry at {} checks out",
            meta.first
        );
        metas.push(meta);
        rest = after;
    }
    metas
}
