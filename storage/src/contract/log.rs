//! What `Log` and `Logs` promise.

use super::{Factory, entry, entry_of, framing::parse, options, read_all};
use crate::{Durability, Entry, Log, ReadLimit, Shard, StorageError, Timestamped};
use std::sync::Arc;

const WRITTEN: Durability = Durability::Written;

async fn open(shard: &Shard) -> Arc<dyn Log> {
    shard.logs.open("log", options(WRITTEN)).await.unwrap()
}

/// Appends entries of one offset and `bytes` each, one by one.
async fn fill(log: &dyn Log, offsets: std::ops::Range<u64>, bytes: usize) {
    for offset in offsets {
        let appended = log.append(&[entry_of(offset, bytes)]).unwrap();
        assert_eq!(appended.end, offset + 1);
        appended.ticket.wait().await.unwrap();
    }
}

async fn firsts(log: &dyn Log, from: u64, bytes_max: usize) -> Vec<u64> {
    read_all(log, from, bytes_max)
        .await
        .iter()
        .map(|meta| meta.first)
        .collect()
}

fn all() -> ReadLimit {
    ReadLimit {
        bytes_max: usize::MAX,
        before: u64::MAX,
        at_least_one: true,
    }
}

pub async fn log_is_empty_and_open_at_first(factory: &dyn Factory) {
    let shard = factory.open();
    let log = open(&shard).await;
    let range = log.range();
    assert_eq!(
        (range.start, range.end, range.durable_end, range.bytes),
        (0, 0, 0, 0)
    );
    assert_eq!(log.chunks().len(), 1);
    assert!(!log.chunks()[0].closed);
    assert_eq!(log.read(0, all()).await.unwrap().bytes, 0);
    assert!(matches!(
        log.read(1, all()).await,
        Err(StorageError::OutOfRange { .. })
    ));
    assert_eq!(log.first_at(0).await.unwrap(), None);
    log.roll().unwrap();
    assert_eq!(log.chunks().len(), 1);
    assert_eq!(log.sync().await.unwrap(), 0);
    log.truncate(0).await.unwrap();
}

pub async fn log_reads_what_was_appended(factory: &dyn Factory) {
    let shard = factory.open();
    let log = open(&shard).await;
    // Together and alone, small and larger than a chunk, with gaps.
    let together: Vec<Entry> = vec![entry(0, 4, 5, b"a"), entry(5, 5, 3, b""), entry(9, 20, 7, b"ccc")];
    log.append(&together).unwrap();
    log.append(&[entry_of(21, 10_000)]).unwrap();
    log.append(&[]).unwrap();
    log.append(&[entry_of(30, 100)]).unwrap();
    let range = log.range();
    assert_eq!((range.start, range.end, range.durable_end), (0, 31, 31));
    for bytes_max in [1, 100, 300, 5_000, 1 << 20] {
        assert_eq!(firsts(&*log, 0, bytes_max).await, [0, 5, 9, 21, 30]);
    }
    let bytes: usize = read_all(&*log, 0, 1)
        .await
        .iter()
        .map(|meta| meta.bytes as usize)
        .sum();
    assert_eq!(range.bytes as usize, bytes);
}

pub async fn log_refuses_offsets_that_do_not_ascend(factory: &dyn Factory) {
    let shard = factory.open();
    let log = open(&shard).await;
    fill(&*log, 0..3, 50).await;
    let refused = log.append(&[entry_of(2, 50)]);
    assert!(matches!(refused, Err(StorageError::OutOfRange { .. })));
    let refused = log.append(&[entry_of(3, 50), entry_of(3, 50)]);
    assert!(matches!(refused, Err(StorageError::OutOfRange { .. })));
    assert_eq!(log.range().end, 3);
    fill(&*log, 3..5, 50).await;
    assert_eq!(firsts(&*log, 0, 1000).await, [0, 1, 2, 3, 4]);
}

pub async fn log_reads_within_limits(factory: &dyn Factory) {
    let shard = factory.open();
    let log = open(&shard).await;
    fill(&*log, 0..200, 100).await;
    for from in [0, 1, 39, 40, 41, 150, 199] {
        for bytes_max in [0, 99, 100, 101, 250, 1000, 4096, 100_000] {
            for before in [0, 1, 40, 100, 150, 200, u64::MAX] {
                for at_least_one in [false, true] {
                    let limit = ReadLimit {
                        bytes_max,
                        before,
                        at_least_one,
                    };
                    check_limits(&*log, from, limit).await;
                }
            }
        }
    }
}

async fn check_limits(log: &dyn Log, from: u64, limit: ReadLimit) {
    let read = log.read(from, limit).await.unwrap();
    let mut bytes = Vec::new();
    read.slices
        .iter()
        .for_each(|slice| bytes.extend_from_slice(&slice.load().unwrap()));
    let metas = parse(&bytes);
    let wanted = from < limit.before && (limit.bytes_max >= 100 || limit.at_least_one);
    assert_eq!(!metas.is_empty(), wanted, "from {from} {limit:?}");
    assert!(metas.iter().all(|meta| meta.first < limit.before));
    assert!(bytes.len() <= limit.bytes_max || limit.at_least_one && metas.len() == 1);
    for (at, meta) in metas.iter().enumerate() {
        assert_eq!(meta.first, from + at as u64);
    }
}

pub async fn log_reads_from_the_middle_of_an_entry(factory: &dyn Factory) {
    let shard = factory.open();
    let log = open(&shard).await;
    for first in (0..1000).step_by(10) {
        // Offsets 8 and 9 of each ten are missing.
        log.append(&[entry(first, first + 7, 0, &[7; 60])]).unwrap();
    }
    for from in [0u64, 3, 7, 8, 9, 10, 555, 558, 990, 997] {
        let expected = if from % 10 < 8 {
            from / 10 * 10
        } else {
            from / 10 * 10 + 10
        };
        assert_eq!(firsts(&*log, from, 200).await[0], expected, "from {from}");
    }
    assert!(firsts(&*log, 998, 200).await.is_empty());
}

pub async fn log_finds_entries_by_time(factory: &dyn Factory) {
    let shard = factory.open();
    let log = open(&shard).await;
    // Timestamps go back and forth.
    let time = |offset: u64| (offset as i64 * 37) % 1000 + offset as i64;
    for offset in 0..500 {
        log.append(&[entry(offset, offset, time(offset), &[1; 30])])
            .unwrap();
    }
    log.trim(20).await.unwrap();
    for wanted in [-1, 0, 20, 400, 999, 1000, 1200, 1400, 5000] {
        let expected = (20..500)
            .find(|offset| time(*offset) >= wanted)
            .map(|first| Timestamped {
                first,
                timestamp_max_ms: time(first),
            });
        assert_eq!(log.first_at(wanted).await.unwrap(), expected, "at {wanted}");
    }
}

pub async fn log_rolls_and_lists_chunks(factory: &dyn Factory) {
    let shard = factory.open();
    let log = open(&shard).await;
    fill(&*log, 0..10, 1000).await;
    let chunks = log.chunks();
    let summary: Vec<_> = chunks
        .iter()
        .map(|chunk| (chunk.first, chunk.end, chunk.bytes, chunk.closed))
        .collect();
    assert_eq!(
        summary,
        [(0, 4, 4000, true), (4, 8, 4000, true), (8, 10, 2000, false)]
    );
    assert_eq!(chunks[1].timestamp_max_ms, Some(70));
    log.roll().unwrap();
    log.roll().unwrap();
    let chunks = log.chunks();
    assert_eq!(chunks.len(), 4);
    assert_eq!(
        (chunks[3].first, chunks[3].bytes, chunks[3].timestamp_max_ms),
        (10, 0, None)
    );
    drop((log, shard));
    let log = open(&factory.open()).await;
    assert_eq!(log.range().end, 10);
    assert_eq!(log.chunks()[0], chunks[0]);
    fill(&*log, 10..12, 1000).await;
    assert_eq!(firsts(&*log, 0, 2500).await, (0..12).collect::<Vec<_>>());
}

pub async fn log_trims_for_good(factory: &dyn Factory) {
    let shard = factory.open();
    let log = open(&shard).await;
    fill(&*log, 0..10, 1000).await;
    assert!(matches!(log.trim(11).await, Err(StorageError::OutOfRange { .. })));
    log.trim(6).await.unwrap();
    log.trim(5).await.unwrap();
    assert_eq!((log.range().start, log.range().bytes), (6, 6000));
    assert_eq!(log.chunks().len(), 2);
    assert!(matches!(
        log.read(5, all()).await,
        Err(StorageError::OutOfRange { start: 6, .. })
    ));
    drop((log, shard));
    let shard = factory.open();
    let log = open(&shard).await;
    assert_eq!(firsts(&*log, 6, 1).await, [6, 7, 8, 9]);
    assert_eq!(log.range().start, 6);
    log.trim(10).await.unwrap();
    assert_eq!(
        (log.range().start, log.range().end, log.range().bytes),
        (10, 10, 0)
    );
    drop((log, shard));
    let log = open(&factory.open()).await;
    assert_eq!((log.range().start, log.range().end), (10, 10));
    fill(&*log, 10..11, 1000).await;
    assert_eq!(firsts(&*log, 10, 1).await, [10]);
}

pub async fn log_truncates_for_good(factory: &dyn Factory) {
    let shard = factory.open();
    let log = open(&shard).await;
    fill(&*log, 0..10, 1000).await;
    log.truncate(20).await.unwrap();
    assert_eq!(log.range().end, 10);
    log.truncate(6).await.unwrap();
    assert_eq!((log.range().end, log.range().bytes), (6, 6000));
    assert_eq!(firsts(&*log, 0, 1 << 20).await, [0, 1, 2, 3, 4, 5]);
    log.append(&[entry_of(6, 70)]).unwrap();
    drop((log, shard));
    let shard = factory.open();
    let log = open(&shard).await;
    assert_eq!(firsts(&*log, 0, 1 << 20).await, [0, 1, 2, 3, 4, 5, 6]);
    log.truncate(0).await.unwrap();
    assert_eq!((log.range().end, log.range().bytes), (0, 0));
    fill(&*log, 0..2, 100).await;
    drop((log, shard));
    let log = open(&factory.open()).await;
    assert_eq!(firsts(&*log, 0, 1 << 20).await, [0, 1]);
}

pub async fn log_rewrites_closed_chunks(factory: &dyn Factory) {
    let shard = factory.open();
    let log = open(&shard).await;
    fill(&*log, 0..20, 1000).await;
    let kept: Vec<Entry> = [1, 3, 4, 9, 11]
        .into_iter()
        .map(|offset| entry_of(offset, 500))
        .collect();
    let outside = log.rewrite(0..9, vec![entry_of(12, 100)]).await;
    assert!(matches!(outside, Err(StorageError::OutOfRange { .. })));
    log.rewrite(0..9, kept).await.unwrap();
    let expected = [1, 3, 4, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19];
    assert_eq!(firsts(&*log, 0, 1200).await, expected);
    assert_eq!((log.range().start, log.range().end), (0, 20));
    assert_eq!(log.chunks()[0].bytes, 2500);
    drop((log, shard));
    let shard = factory.open();
    let log = open(&shard).await;
    assert_eq!(firsts(&*log, 0, 1200).await, expected);
    // Nothing may be left of closed chunks, and offsets stay.
    log.roll().unwrap();
    log.rewrite(0..100, Vec::new()).await.unwrap();
    assert!(firsts(&*log, 0, 1200).await.is_empty());
    assert_eq!(log.range().end, 20);
    drop((log, shard));
    let log = open(&factory.open()).await;
    assert_eq!(
        (log.range().start, log.range().end, log.range().bytes),
        (0, 20, 0)
    );
    fill(&*log, 20..21, 100).await;
    assert_eq!(firsts(&*log, 0, 1200).await, [20]);
}

pub async fn log_keeps_slices_that_are_held(factory: &dyn Factory) {
    let shard = factory.open();
    let mut large = options(WRITTEN);
    large.chunk_bytes_max = 1 << 20;
    let log = shard.logs.open("log", large.clone()).await.unwrap();
    fill(&*log, 0..100, 1000).await;
    log.roll().unwrap();
    fill(&*log, 100..200, 1000).await;
    let held = log.read(0, all()).await.unwrap();
    assert_eq!(held.bytes, 200_000);
    let load = || {
        held.slices
            .iter()
            .flat_map(|slice| slice.load().unwrap())
            .collect::<Vec<u8>>()
    };
    let before = load();
    log.rewrite(0..1, vec![entry_of(5, 3000)]).await.unwrap();
    assert_eq!(load(), before);
    log.truncate(150).await.unwrap();
    fill(&*log, 150..180, 900).await;
    assert_eq!(load(), before);
    log.trim(120).await.unwrap();
    shard.logs.remove("log").await.unwrap();
    assert_eq!(load(), before);
}

pub async fn log_removal_is_final(factory: &dyn Factory) {
    let shard = factory.open();
    let log = open(&shard).await;
    fill(&*log, 0..10, 1000).await;
    shard.logs.remove("log").await.unwrap();
    shard.logs.remove("log").await.unwrap();
    assert!(matches!(
        log.append(&[entry_of(10, 50)]),
        Err(StorageError::Removed)
    ));
    assert!(matches!(log.read(0, all()).await, Err(StorageError::Removed)));
    assert!(matches!(log.sync().await, Err(StorageError::Removed)));
    assert!(shard.logs.list().await.unwrap().is_empty());
    let again = open(&shard).await;
    assert_eq!(again.range().end, 0);
    fill(&*again, 0..1, 50).await;
    assert!(matches!(log.read(0, all()).await, Err(StorageError::Removed)));
    assert_eq!(firsts(&*again, 0, 50).await, [0]);
}

pub async fn log_lists_names(factory: &dyn Factory) {
    let shard = factory.open();
    for name in ["b-1", ".hidden", "a/../b", "50%", "ä"] {
        let log = shard.logs.open(name, options(WRITTEN)).await.unwrap();
        fill(&*log, 0..1, 50).await;
    }
    let expected = [".hidden", "50%", "a/../b", "b-1", "ä"];
    assert_eq!(shard.logs.list().await.unwrap(), expected);
    drop(shard);
    assert_eq!(factory.open().logs.list().await.unwrap(), expected);
}

pub async fn log_keeps_acknowledged_appends(factory: &dyn Factory) {
    let mut end = 0;
    for durability in [WRITTEN, Durability::Synced, WRITTEN, Durability::Synced] {
        let shard = factory.open();
        let log = shard.logs.open("log", options(durability)).await.unwrap();
        assert_eq!(firsts(&*log, 0, 3000).await, (0..end).collect::<Vec<_>>());
        assert_eq!((log.range().end, log.range().durable_end), (end, end));
        fill(&*log, end..end + 13, 900).await;
        end += 13;
    }
    let log = open(&factory.open()).await;
    assert_eq!(firsts(&*log, 0, 3000).await, (0..end).collect::<Vec<_>>());
}

pub async fn log_settles_and_goes_on(factory: &dyn Factory) {
    let mut end = 0;
    for durability in [WRITTEN, Durability::Synced, WRITTEN] {
        let shard = factory.open();
        let log = shard.logs.open("log", options(durability)).await.unwrap();
        log.settle().await.unwrap();
        fill(&*log, end..end + 10, 700).await;
        log.settle().await.unwrap();
        log.settle().await.unwrap();
        fill(&*log, end + 10..end + 15, 700).await;
        end += 15;
        assert_eq!(firsts(&*log, 0, 3000).await, (0..end).collect::<Vec<_>>());
    }
    let shard = factory.open();
    let log = open(&shard).await;
    assert_eq!(firsts(&*log, 0, 3000).await, (0..end).collect::<Vec<_>>());
    log.settle().await.unwrap();
    log.truncate(end - 7).await.unwrap();
    fill(&*log, end - 7..end - 3, 700).await;
    shard.logs.remove("log").await.unwrap();
    assert!(matches!(log.settle().await, Ok(()) | Err(StorageError::Removed)));
}

pub async fn log_syncs_many_at_once(factory: &dyn Factory) {
    let shard = factory.open();
    let mut tickets = Vec::new();
    let mut logs = Vec::new();
    for number in 0..20 {
        let log = shard
            .logs
            .open(&format!("log-{number}"), options(Durability::Synced))
            .await
            .unwrap();
        for offset in 0..20 {
            tickets.push(log.append(&[entry_of(offset, 700)]).unwrap().ticket);
        }
        logs.push(log);
    }
    for ticket in tickets {
        ticket.wait().await.unwrap();
    }
    for log in &logs {
        assert_eq!(log.range().durable_end, 20);
        assert_eq!(log.sync().await.unwrap(), 20);
    }
}

pub async fn log_opens_once(factory: &dyn Factory) {
    let shard = factory.open();
    let one = open(&shard).await;
    let two = open(&shard).await;
    fill(&*one, 0..1, 50).await;
    fill(&*two, 1..2, 50).await;
    assert_eq!(firsts(&*one, 0, 50).await, [0, 1]);
}
