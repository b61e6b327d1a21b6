use super::{cleaner::Aside, *};
use crate::wire::records::{BatchBuilder, Batches, Header, NewRecord};
use bytes::Bytes;
use server_kit::ManualClock;
use std::time::Duration;
use storage::memory::Store;
use tokio_util::sync::CancellationToken;

const NOW_MS: i64 = 1_700_000_000_000;

struct Bench {
    clock: Arc<ManualClock>,
    store: Store,
}

impl Bench {
    fn new() -> Self {
        Bench {
            clock: ManualClock::new(NOW_MS),
            store: Store::default(),
        }
    }

    /// The partition as a broker that starts now sees it.
    fn partition(&self, policy: Policy) -> Arc<Partition> {
        let env = Arc::new(Env {
            shard: self.store.open(),
            clock: self.clock.clone(),
            durability: Durability::Written,
            config: Arc::default(),
        });
        let named = Named {
            topic: "t".into(),
            topic_id: Uuid::from_u128(5),
            index: 0,
            leader_epoch: i32::try_from(env.shard.lease.epoch()).unwrap(),
        };
        Partition::new(env, named, Arc::new(policy))
    }
}

/// What a producer sends: records of the texts in `values`.
fn batch(producer: Option<(i64, i16, i32)>, transactional: bool, values: &[&str]) -> Bytes {
    let header = Header {
        base_offset: 0,
        bytes: 0,
        leader_epoch: -1,
        crc: 0,
        attributes: crate::wire::records::Attributes(if transactional { 1 << 4 } else { 0 }),
        last_offset_delta: 0,
        base_timestamp: NOW_MS,
        max_timestamp: NOW_MS,
        producer_id: producer.map_or(-1, |(id, _, _)| id),
        producer_epoch: producer.map_or(-1, |(_, epoch, _)| epoch),
        base_sequence: producer.map_or(-1, |(_, _, sequence)| sequence),
        record_count: 0,
    };
    let mut builder = BatchBuilder::like(header);
    for (value, at) in values.iter().zip(0..) {
        let record = NewRecord {
            offset: at,
            timestamp: NOW_MS + at,
            key: Some(b"k"),
            value: Some(value.as_bytes()),
        };
        builder.push(&record, std::iter::empty());
    }
    let codec = crate::wire::compression::Compression::None;
    builder.finish(codec, None, None).unwrap().bytes
}

async fn put(partition: &Arc<Partition>, records: Bytes) -> Result<u64, i16> {
    let opened = partition.open().await.unwrap();
    let threads = UnpackingThreads::default();
    let checked = partition
        .check(Some(&records), 11, &mut Unpacking::new(&threads))
        .await;
    let appended = checked.and_then(|checked| partition.append(opened, &checked, 11, |_| Ok(())));
    let appended = appended.map_err(|refused| refused.error.wire())?;
    appended.ticket.wait().await.unwrap();
    Ok(appended.base_offset)
}

async fn read(partition: &Partition, offset: u64, committed: bool) -> (Vec<i64>, Found) {
    let from = ReadFrom {
        offset,
        bytes_max: 1 << 20,
        at_least_one: true,
        committed,
    };
    let mut found = partition.open().await.unwrap().read(from).await.unwrap();
    let read = storage::ReadSlices {
        slices: std::mem::take(&mut found.slices),
        bytes: found.bytes,
    };
    let batches = Batches::new(contiguous(read).unwrap()).map(|batch| {
        let batch = batch.unwrap();
        assert!(batch.is_intact());
        assert!(batch.header.leader_epoch <= partition.leader_epoch);
        batch.header.base_offset
    });
    (batches.collect(), found)
}

#[tokio::test]
async fn batches_get_the_next_offsets_and_are_read_whole() {
    let bench = Bench::new();
    let partition = bench.partition(Policy::default());
    assert_eq!(put(&partition, batch(None, false, &["a", "b"])).await, Ok(0));
    assert_eq!(put(&partition, batch(None, false, &["c"])).await, Ok(2));
    let (offsets, found) = read(&partition, 1, false).await;
    assert_eq!(offsets, [0, 2], "from the batch that holds the offset");
    assert_eq!(
        (found.high_watermark, found.last_stable, found.log_start),
        (3, 3, 0)
    );
    let (offsets, _) = read(&partition, 3, false).await;
    assert_eq!(offsets, [] as [i64; 0]);
    let beyond = ReadFrom {
        offset: 4,
        bytes_max: 1,
        at_least_one: true,
        committed: false,
    };
    let refused = partition.open().await.unwrap().read(beyond).await.unwrap_err();
    assert_eq!(refused.wire(), 1, "OFFSET_OUT_OF_RANGE");
}

#[tokio::test]
async fn duplicates_are_answered_with_their_first_offset_even_after_a_restart() {
    let bench = Bench::new();
    let partition = bench.partition(Policy::default());
    assert_eq!(
        put(&partition, batch(Some((9, 0, 0)), false, &["a"])).await,
        Ok(0)
    );
    assert_eq!(
        put(&partition, batch(Some((9, 0, 1)), false, &["b", "c"])).await,
        Ok(1)
    );
    partition.save_producers().await.unwrap();
    assert_eq!(
        put(&partition, batch(Some((9, 0, 3)), false, &["d"])).await,
        Ok(3)
    );
    for partition in [partition, bench.partition(Policy::default())] {
        let again = put(&partition, batch(Some((9, 0, 1)), false, &["b", "c"])).await;
        assert_eq!(again, Ok(1), "covered by the snapshot");
        assert_eq!(
            put(&partition, batch(Some((9, 0, 3)), false, &["d"])).await,
            Ok(3),
            "replayed"
        );
        let gap = put(&partition, batch(Some((9, 0, 9)), false, &["z"])).await;
        assert_eq!(gap, Err(45), "OUT_OF_ORDER_SEQUENCE_NUMBER");
        assert_eq!(partition.open().await.unwrap().log_end(), 4);
    }
}

#[tokio::test]
async fn committed_readers_wait_for_transactions_and_learn_of_aborts() {
    let bench = Bench::new();
    let partition = bench.partition(Policy::default());
    put(&partition, batch(Some((1, 0, 0)), true, &["a"]))
        .await
        .unwrap();
    put(&partition, batch(None, false, &["b"])).await.unwrap();
    assert!(partition.open().await.unwrap().in_transaction(1, 0));
    let (offsets, found) = read(&partition, 0, true).await;
    assert_eq!((offsets.len(), found.last_stable), (0, 0));
    assert_eq!(read(&partition, 0, false).await.0, [0, 1]);
    let ticket = partition.append_marker(1, 0, false, 0).await.unwrap();
    ticket.wait().await.unwrap();
    for partition in [partition, bench.partition(Policy::default())] {
        let (offsets, found) = read(&partition, 0, true).await;
        assert_eq!(offsets, [0, 1, 2]);
        assert_eq!(found.last_stable, 3);
        let aborted = found.aborted.unwrap();
        assert_eq!((aborted[0].producer_id, aborted[0].first), (1, 0));
        assert!(!partition.open().await.unwrap().in_transaction(1, 0));
        assert!(read(&partition, 0, false).await.1.aborted.is_none());
    }
}

#[tokio::test]
async fn the_first_record_of_a_time_is_found_within_its_batch() {
    let bench = Bench::new();
    let partition = bench.partition(Policy::default());
    put(&partition, batch(None, false, &["a", "b", "c"]))
        .await
        .unwrap();
    let opened = partition.open().await.unwrap();
    let first_at = async |time_ms| {
        let threads = UnpackingThreads::default();
        opened.first_at(time_ms, &mut Unpacking::new(&threads)).await
    };
    assert_eq!(first_at(NOW_MS + 1).await.unwrap(), Some((NOW_MS + 1, 1)));
    assert_eq!(first_at(0).await.unwrap(), Some((NOW_MS, 0)));
    assert_eq!(first_at(NOW_MS + 3).await.unwrap(), None);
    assert_eq!(partition.trim(2).await.unwrap(), 2);
    assert_eq!(first_at(0).await.unwrap(), Some((NOW_MS + 2, 2)));
}

#[tokio::test]
async fn a_waiter_is_woken_once_enough_was_appended() {
    let bench = Bench::new();
    let partition = bench.partition(Policy::default());
    let one = batch(None, false, &["a"]);
    let waiter = Arc::new(Waiter::default());
    waiter.want(one.len() as i64 + 1);
    partition.watch(&waiter);
    put(&partition, one.clone()).await.unwrap();
    let woken = tokio::time::timeout(Duration::from_millis(1), waiter.woken()).await;
    assert!(woken.is_err(), "one byte is missing");
    put(&partition, one).await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), waiter.woken())
        .await
        .unwrap();
}

#[tokio::test]
async fn segments_roll_by_the_time_of_batches() {
    let bench = Bench::new();
    let policy = Policy {
        segment_ms: 100,
        timestamp_after_max_ms: i64::MAX,
        ..Policy::default()
    };
    let partition = bench.partition(policy);
    put(&partition, batch(None, false, &["a"])).await.unwrap();
    let late: Vec<&str> = vec!["x"; 200];
    put(&partition, batch(None, false, &late)).await.unwrap();
    let opened = partition.open().await.unwrap();
    assert_eq!(opened.log.chunks().len(), 2);
}

#[tokio::test]
async fn a_removed_partition_is_gone_for_everyone() {
    let bench = Bench::new();
    let partition = bench.partition(Policy::default());
    put(&partition, batch(None, false, &["a"])).await.unwrap();
    partition.remove().await.unwrap();
    assert_eq!(partition.open().await.err().unwrap().wire(), 3);
    let fresh = bench.partition(Policy::default());
    assert_eq!(fresh.open().await.unwrap().log_end(), 0);
}

/// The values that are left, by offset.
async fn values(partition: &Partition) -> Vec<(i64, Option<String>)> {
    let opened = partition.open().await.unwrap();
    let limit = storage::ReadLimit {
        bytes_max: 1 << 20,
        before: u64::MAX,
        at_least_one: true,
    };
    let read = opened.log.read(0, limit).await.unwrap();
    let mut values = Vec::new();
    for batch in Batches::new(contiguous(read).unwrap()) {
        let batch = batch.unwrap();
        assert!(batch.is_intact());
        let payload = batch.payload(1 << 20).unwrap();
        for record in crate::wire::records::Records::new(&payload, batch.header.record_count) {
            let record = record.unwrap();
            let value = record
                .value
                .map(|value| String::from_utf8_lossy(value).into_owned());
            values.push((record.offset(&batch.header), value));
        }
    }
    values
}

#[tokio::test]
async fn compaction_keeps_the_latest_of_a_key_and_the_last_sequence_of_a_producer() {
    let bench = Bench::new();
    let policy = Policy {
        compact: true,
        delete: false,
        ..Policy::default()
    };
    let partition = bench.partition(policy.clone());
    put(&partition, batch(Some((5, 0, 0)), false, &["a", "b"]))
        .await
        .unwrap();
    put(&partition, batch(None, false, &["c"])).await.unwrap();
    let opened = partition.open().await.unwrap();
    opened.log.roll().unwrap();
    put(&partition, batch(None, false, &["d"])).await.unwrap();
    let aside = Aside::new(CancellationToken::new());
    let dirty = partition.dirty(opened).unwrap();
    assert!(partition.clean_aside(dirty, [1, 2], &aside).await.unwrap());
    let kept = [(2, Some("c".to_owned())), (3, Some("d".to_owned()))];
    assert_eq!(values(&partition).await, kept, "the open segment is not touched");
    assert!(partition.dirty(opened).is_none(), "nothing is dirty");
    for partition in [partition.clone(), bench.partition(policy)] {
        let again = put(&partition, batch(Some((5, 0, 0)), false, &["a", "b"])).await;
        assert_eq!(again, Ok(0), "the empty batch holds the sequence");
        assert_eq!(partition.open().await.unwrap().log_end(), 4);
    }
}

#[tokio::test]
async fn compaction_keeps_its_pace() {
    let bench = Bench::new();
    let partition = bench.partition(Policy {
        compact: true,
        ..Policy::default()
    });
    let rate = (
        "log.cleaner.io.max.bytes.per.second".to_owned(),
        "1000".to_owned(),
    );
    partition.env.config.store(Arc::new(BrokerConfig {
        cluster: [rate].into(),
        ..BrokerConfig::default()
    }));
    for _ in 0..2 {
        put(&partition, batch(None, false, &["a"])).await.unwrap();
    }
    let opened = partition.open().await.unwrap();
    opened.log.roll().unwrap();
    let bytes = opened.range().bytes;
    let clock = server_kit::SystemClock::new();
    let since = clock.elapsed();
    let dirty = partition.dirty(opened).unwrap();
    partition.clean(opened, dirty, [1, 2]).await.unwrap();
    // All of it is read twice.
    let least = Duration::from_millis(2 * bytes);
    assert!(
        clock.elapsed() - since >= least,
        "{bytes} bytes in {:?}",
        clock.elapsed() - since
    );
}

#[tokio::test]
async fn compaction_goes_on_once_its_pace_is_raised() {
    let bench = Bench::new();
    let partition = bench.partition(Policy {
        compact: true,
        ..Policy::default()
    });
    let set = |rate: &str| {
        let rate = ("log.cleaner.io.max.bytes.per.second".to_owned(), rate.to_owned());
        partition.env.config.store(Arc::new(BrokerConfig {
            cluster: [rate].into(),
            ..BrokerConfig::default()
        }));
    };
    set("0.001");
    for _ in 0..2 {
        put(&partition, batch(None, false, &["a"])).await.unwrap();
    }
    let opened = partition.open().await.unwrap();
    opened.log.roll().unwrap();
    let dirty = partition.dirty(opened).unwrap();
    let raised = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        set("1000000000");
    };
    let cleaned = partition.clean(opened, dirty, [1, 2]);
    let both = async { tokio::join!(cleaned, raised).0 };
    tokio::time::timeout(Duration::from_secs(40), both)
        .await
        .unwrap()
        .unwrap();
    assert!(partition.dirty(opened).is_none());
}

#[tokio::test]
async fn compaction_drops_aborted_records() {
    let bench = Bench::new();
    let policy = Policy {
        compact: true,
        delete: false,
        ..Policy::default()
    };
    let partition = bench.partition(policy);
    put(&partition, batch(None, false, &["committed"])).await.unwrap();
    put(&partition, batch(Some((5, 0, 0)), true, &["aborted"]))
        .await
        .unwrap();
    partition.append_marker(5, 0, false, 0).await.unwrap();
    let opened = partition.open().await.unwrap();
    opened.log.roll().unwrap();
    let dirty = partition.dirty(opened).unwrap();
    partition.clean(opened, dirty, [1, 2]).await.unwrap();
    let left = values(&partition).await;
    assert_eq!(left[0], (0, Some("committed".to_owned())), "{left:?}");
    assert_eq!(left.len(), 2, "and the marker");
}

#[tokio::test]
async fn retention_drops_what_is_too_old_even_the_last_segment() {
    let bench = Bench::new();
    let policy = Policy {
        retention_ms: Some(1000),
        ..Policy::default()
    };
    let partition = bench.partition(policy);
    put(&partition, batch(None, false, &["a", "b"])).await.unwrap();
    let opened = partition.open().await.unwrap();
    partition.retain(opened, NOW_MS + 900).await.unwrap();
    assert_eq!(opened.log_start(), 0);
    partition.retain(opened, NOW_MS + 2000).await.unwrap();
    assert_eq!((opened.log_start(), opened.log_end()), (2, 2));
    assert_eq!(put(&partition, batch(None, false, &["c"])).await, Ok(2));
}

#[tokio::test]
async fn leaders_that_wrote_are_known_after_restarts() {
    let bench = Bench::new();
    let start = || bench.partition(Policy::default());
    assert_eq!(put(&start(), batch(None, false, &["a", "b"])).await, Ok(0));
    start().open().await.unwrap(); // the second leader writes nothing
    let third = start();
    assert_eq!(put(&third, batch(None, false, &["c"])).await, Ok(2));
    third.save_producers().await.unwrap();
    assert_eq!(put(&start(), batch(None, false, &["d"])).await, Ok(3));
    let fifth = start();
    let opened = fifth.open().await.unwrap();
    let ends = [
        (0, Some((0, 0))),
        (1, Some((1, 2))),
        (2, Some((1, 2))),
        (3, Some((3, 3))),
        (4, Some((4, 4))),
        (5, Some((5, 4))),
        (6, None),
    ];
    for (epoch, end) in ends {
        assert_eq!(opened.end_of_epoch(epoch), end, "epoch {epoch}");
    }
    let at = [0, 1, 2, 3, 4].map(|offset| opened.epoch_at(offset));
    assert_eq!(at, [1, 1, 3, 4, 5].map(Some));
    fifth.trim(3).await.unwrap();
    assert_eq!(opened.end_of_epoch(1), Some((1, 3)), "nothing is left of it");
    assert_eq!(fifth.check_leader_epoch(4).unwrap_err().wire(), 74, "FENCED");
    assert_eq!(fifth.check_leader_epoch(6).unwrap_err().wire(), 75, "UNKNOWN");
    assert!(fifth.check_leader_epoch(5).is_ok() && fifth.check_leader_epoch(-1).is_ok());
}

#[tokio::test]
async fn a_partition_is_settled_once_nobody_writes_to_it() {
    let bench = Bench::new();
    let partition = bench.partition(Policy::default());
    let unsettled = |partition: &Partition| {
        let state = partition.opened().unwrap().state.lock();
        (state.unsettled.bytes, state.uncovered_bytes)
    };
    partition.settle().await.unwrap();
    assert!(partition.opened().is_none(), "nobody is opened for it");
    put(&partition, batch(None, false, &["little"])).await.unwrap();
    partition.settle().await.unwrap();
    partition.settle().await.unwrap();
    let little = unsettled(&partition).0;
    assert!(little > 0, "not worth it");
    put(
        &partition,
        batch(Some((9, 0, 0)), false, &["x".repeat(200_000).as_str()]),
    )
    .await
    .unwrap();
    partition.settle().await.unwrap();
    assert!(
        unsettled(&partition).0 > little,
        "it was written to since the last look"
    );
    partition.settle().await.unwrap();
    assert_eq!(unsettled(&partition), (0, 0));
    let reopened = bench.partition(Policy::default());
    assert_eq!(reopened.open().await.unwrap().log_end(), 2);
    assert_eq!(unsettled(&reopened).1, 0, "nothing of producers is read back");
}
