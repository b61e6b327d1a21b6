use super::{end, init, maintenance, members::offsets_partition};
use crate::{
    broker::Broker,
    config::Config,
    core::transactions::{Members, Producer, State, Version},
    failing::Failing,
    groups::{CommitPartition, CommitRequest, CommitTopic},
    partition::{ReadFrom, Unpacking},
    state::topics::TopicRecord,
    wire::{
        ResponseError,
        compression::Compression,
        records::{Attributes, BatchBuilder, HEAD_BYTES, Header, NewRecord},
    },
};
use bytes::Bytes;
use server_kit::{ManualClock, Random};
use std::{sync::Arc, time::Duration};
use storage::{Shard, memory::Store};

const TIMEOUT_MS: i32 = 60_000;

/// A broker on a store that outlives it, as a disk outlives a process that is killed.
struct World {
    store: Store,
    failing: Failing,
    clock: Arc<ManualClock>,
    broker: Arc<Broker>,
}

impl World {
    async fn new() -> Self {
        let (store, clock) = (Store::default(), ManualClock::new(1_000_000));
        let failing = Failing::default();
        let broker = open(failing.wrap(store.open()), &clock).await;
        let record = TopicRecord {
            name: "orders".to_owned(),
            id: [7; 16],
            partitions: 3,
            config: Default::default(),
            made_under: Default::default(),
        };
        broker.topics.create(vec![record]).await.unwrap();
        World {
            store,
            failing,
            clock,
            broker,
        }
    }

    /// Kills the process, mid-flight tasks included, and starts it again.
    async fn crash(&mut self) {
        self.broker.transactions.stop.cancel();
        self.broker = open(self.failing.wrap(self.store.open()), &self.clock).await;
    }

    fn state(&self, id: &str) -> State {
        self.broker.transactions.get(id).unwrap().state
    }

    async fn completed(&self, id: &str) -> State {
        let slot = self.broker.transactions.slot(id).unwrap();
        let patience = std::pin::pin!(tokio::time::sleep(Duration::from_secs(40)));
        assert!(slot.settled(patience).await);
        self.state(id)
    }

    async fn add(&self, id: &str, producer: Producer, partition: i32) -> Result<(), ResponseError> {
        let members = Members::of_partitions([("orders", partition)]);
        let added = self
            .broker
            .transactions
            .add(id, producer, &members, Version::V1)
            .await;
        added.map_err(|error| error.code)
    }

    async fn write(&self, producer: Producer, partition: i32, sequence: i32) -> Result<u64, ResponseError> {
        let image = self.broker.topics.image();
        let partition = image.get("orders").unwrap().partition(partition).unwrap();
        let opened = partition.open().await.unwrap();
        let mut unpacking = Unpacking::new(&self.broker.unpacking);
        let records = batch(producer, sequence);
        let checked = partition.check(Some(&records), 12, &mut unpacking).await;
        let appended = checked.and_then(|checked| partition.append(opened, &checked, 12, |_| Ok(())));
        appended
            .map(|appended| appended.base_offset)
            .map_err(|refused| refused.error.code)
    }

    async fn commit_offset(&self, producer: Producer, offset: i64) {
        let partition = CommitPartition {
            partition: 0,
            offset,
            leader_epoch: -1,
            metadata: "".into(),
        };
        let request = CommitRequest {
            member_id: "".into(),
            instance_id: None,
            generation: -1,
            retention_ms: None,
            topics: vec![CommitTopic {
                name: "orders".into(),
                partitions: vec![partition],
            }],
            missing: ResponseError::IllegalGeneration,
            version: 5,
        };
        self.broker
            .transactions
            .group_added("t", producer, "readers")
            .await
            .unwrap();
        let groups = &self.broker.groups;
        let committed = groups
            .commit_in_transaction("readers", producer.id, producer.epoch, request)
            .await;
        assert_eq!(committed.unwrap(), [[(0, Ok(()))]]);
    }

    /// The group's offset as a consumer that starts finds it.
    async fn offset(&self) -> Result<Option<i64>, ResponseError> {
        let topics = Some(vec![("orders".into(), vec![0])]);
        let mut found = self
            .broker
            .groups
            .fetch("readers", None, topics, true)
            .await
            .unwrap();
        let (_, offset) = found.pop().unwrap().1.pop().unwrap();
        offset.map(|committed| committed.map(|committed| committed.offset))
    }

    /// Where a read_committed consumer of a partition has to stop, and which producers' batches it leaves out.
    async fn visible(&self, partition: i32) -> (u64, Vec<i64>) {
        let image = self.broker.topics.image();
        let opened = image
            .get("orders")
            .unwrap()
            .partition(partition)
            .unwrap()
            .open()
            .await
            .unwrap();
        let from = ReadFrom {
            offset: 0,
            bytes_max: 1 << 20,
            at_least_one: true,
            committed: true,
        };
        let found = opened.read(from).await.unwrap();
        let aborted = found.aborted.unwrap_or_default();
        (
            found.last_stable,
            aborted.iter().map(|aborted| aborted.producer_id).collect(),
        )
    }
}

async fn open(shard: Shard, clock: &Arc<ManualClock>) -> Arc<Broker> {
    let random = Arc::new(Random::from_seed(1));
    Broker::over(Config::default(), shard, clock.clone(), random).await
}

/// One transactional record.
fn batch(producer: Producer, sequence: i32) -> Bytes {
    let header = Header {
        base_offset: 0,
        bytes: HEAD_BYTES,
        leader_epoch: -1,
        crc: 0,
        attributes: Attributes(1 << 4),
        last_offset_delta: 0,
        base_timestamp: 1_000_000,
        max_timestamp: -1,
        producer_id: producer.id,
        producer_epoch: producer.epoch,
        base_sequence: sequence,
        record_count: 0,
    };
    let mut builder = BatchBuilder::like(header);
    let record = NewRecord {
        timestamp: 1_000_000,
        value: Some(b"value"),
        ..NewRecord::default()
    };
    builder.push(&record, std::iter::empty());
    builder.finish(Compression::None, None, None).unwrap().bytes
}

async fn begin(world: &World, id: &str) -> Producer {
    init(&world.broker, id, TIMEOUT_MS, None).await.unwrap()
}

#[tokio::test]
async fn a_commit_shows_its_records_once_every_marker_is_written() {
    let world = World::new().await;
    let producer = begin(&world, "t").await;
    for partition in [0, 2] {
        world.add("t", producer, partition).await.unwrap();
        world.write(producer, partition, 0).await.unwrap();
        assert_eq!(world.visible(partition).await, (0, vec![]));
    }
    let next = end(&world.broker, "t", producer, true, Version::V2)
        .await
        .unwrap();
    assert_eq!((next.id, next.epoch), (producer.id, producer.epoch + 1));
    assert_eq!(world.completed("t").await, State::CompleteCommit);
    for partition in [0, 2] {
        assert_eq!(world.visible(partition).await, (2, vec![]));
        // The marker carried the next epoch: what the old one still sends comes too late.
        let late = world.write(producer, partition, 1).await;
        assert_eq!(late, Err(ResponseError::InvalidProducerEpoch));
    }
}

#[tokio::test]
async fn an_abort_leaves_its_records_out() {
    let world = World::new().await;
    let producer = begin(&world, "t").await;
    world.add("t", producer, 0).await.unwrap();
    world.write(producer, 0, 0).await.unwrap();
    end(&world.broker, "t", producer, false, Version::V1)
        .await
        .unwrap();
    assert_eq!(world.completed("t").await, State::CompleteAbort);
    assert_eq!(world.visible(0).await, (2, vec![producer.id]));
}

#[tokio::test]
async fn the_last_stable_offset_waits_for_the_oldest_of_several_transactions() {
    let world = World::new().await;
    let (first, second) = (begin(&world, "first").await, begin(&world, "second").await);
    for (id, producer) in [("first", first), ("second", second)] {
        world.add(id, producer, 0).await.unwrap();
        world.write(producer, 0, 0).await.unwrap();
    }
    end(&world.broker, "second", second, true, Version::V1)
        .await
        .unwrap();
    world.completed("second").await;
    assert_eq!(world.visible(0).await, (0, vec![]));
    end(&world.broker, "first", first, false, Version::V2)
        .await
        .unwrap();
    world.completed("first").await;
    assert_eq!(world.visible(0).await, (4, vec![first.id]));
}

#[tokio::test]
async fn a_decision_survives_a_crash_before_its_markers() {
    for commit in [true, false] {
        let mut world = World::new().await;
        let producer = begin(&world, "t").await;
        world.add("t", producer, 0).await.unwrap();
        world.write(producer, 0, 0).await.unwrap();
        // The task that would write the markers never gets to run.
        end(&world.broker, "t", producer, commit, Version::V2)
            .await
            .unwrap();
        assert!(world.state("t").is_prepared());
        world.crash().await;
        assert_eq!(world.visible(0).await.0, 0);
        maintenance::resume(&world.broker);
        let state = world.completed("t").await;
        assert_eq!(state == State::CompleteCommit, commit);
        let left_out = if commit { vec![] } else { vec![producer.id] };
        assert_eq!(world.visible(0).await, (2, left_out));
    }
}

#[tokio::test]
async fn a_crash_between_markers_repeats_them_without_harm() {
    let mut world = World::new().await;
    let producer = begin(&world, "t").await;
    for partition in [0, 1] {
        world.add("t", producer, partition).await.unwrap();
        world.write(producer, partition, 0).await.unwrap();
    }
    end(&world.broker, "t", producer, false, Version::V1)
        .await
        .unwrap();
    let marker = world.broker.transactions.get("t").unwrap().marker().unwrap();
    super::write_marker(&world.broker, ("orders", 0), marker, 0)
        .await
        .unwrap();
    world.crash().await;
    maintenance::resume(&world.broker);
    assert_eq!(world.completed("t").await, State::CompleteAbort);
    for partition in [0, 1] {
        assert_eq!(world.visible(partition).await.1, [producer.id]);
    }
    // The next transaction in the same epoch is its own.
    world.add("t", producer, 0).await.unwrap();
    world.write(producer, 0, 1).await.unwrap();
    end(&world.broker, "t", producer, true, Version::V1)
        .await
        .unwrap();
    assert_eq!(world.completed("t").await, State::CompleteCommit);
    assert_eq!(world.visible(0).await.1, [producer.id]);
}

#[tokio::test]
async fn offsets_are_committed_or_not_with_the_transaction() {
    let mut world = World::new().await;
    for (version, commit, expected) in [
        (Version::V2, false, None),
        (Version::V1, true, Some(1)),
        (Version::V2, true, Some(2)),
        (Version::V1, false, Some(2)),
    ] {
        let producer = begin(&world, "t").await;
        world.commit_offset(producer, expected.unwrap_or(0)).await;
        assert_eq!(world.offset().await, Err(ResponseError::UnstableOffsetCommit));
        end(&world.broker, "t", producer, commit, version).await.unwrap();
        world.crash().await;
        assert_eq!(world.offset().await, Err(ResponseError::UnstableOffsetCommit));
        maintenance::resume(&world.broker);
        world.completed("t").await;
        assert_eq!(world.offset().await, Ok(expected));
    }
}

#[tokio::test]
async fn what_is_going_on_survives_a_crash() {
    let mut world = World::new().await;
    let producer = begin(&world, "t").await;
    world.add("t", producer, 0).await.unwrap();
    world.write(producer, 0, 0).await.unwrap();
    world.crash().await;
    maintenance::resume(&world.broker);
    assert_eq!(world.state("t"), State::Ongoing);
    end(&world.broker, "t", producer, true, Version::V2)
        .await
        .unwrap();
    assert_eq!(world.completed("t").await, State::CompleteCommit);
    assert_eq!(world.visible(0).await, (2, vec![]));
}

#[tokio::test]
async fn a_new_producer_aborts_what_the_old_one_left_and_fences_it() {
    let world = World::new().await;
    let old = begin(&world, "t").await;
    world.add("t", old, 0).await.unwrap();
    world.write(old, 0, 0).await.unwrap();
    let new = begin(&world, "t").await;
    assert_eq!((new.id, new.epoch), (old.id, old.epoch + 2));
    assert_eq!(world.visible(0).await, (2, vec![old.id]));
    assert_eq!(world.add("t", old, 1).await, Err(ResponseError::ProducerFenced));
    assert_eq!(
        world.write(old, 0, 1).await,
        Err(ResponseError::InvalidProducerEpoch)
    );
    let ended = end(&world.broker, "t", old, true, Version::V2).await;
    assert_eq!(ended.unwrap_err().code, ResponseError::ProducerFenced);
}

#[tokio::test]
async fn a_transaction_that_lasts_too_long_is_aborted() {
    let world = World::new().await;
    let producer = begin(&world, "t").await;
    world.add("t", producer, 0).await.unwrap();
    world.write(producer, 0, 0).await.unwrap();
    maintenance::abort_timed_out(&world.broker).await;
    assert_eq!(world.state("t"), State::Ongoing);
    world.clock.advance(Duration::from_millis(TIMEOUT_MS as u64 + 1));
    maintenance::abort_timed_out(&world.broker).await;
    assert_eq!(world.completed("t").await, State::CompleteAbort);
    assert_eq!(world.visible(0).await, (2, vec![producer.id]));
    assert_eq!(
        world.add("t", producer, 0).await,
        Err(ResponseError::ProducerFenced)
    );
}

#[tokio::test]
async fn a_deleted_topic_does_not_hold_a_transaction_up() {
    let world = World::new().await;
    let producer = begin(&world, "t").await;
    world.add("t", producer, 0).await.unwrap();
    let orders = world.broker.topics.image().get("orders").unwrap().record.uuid();
    world.broker.topics.remove(&[orders]).await.unwrap();
    end(&world.broker, "t", producer, true, Version::V2)
        .await
        .unwrap();
    assert_eq!(world.completed("t").await, State::CompleteCommit);
}

#[tokio::test]
async fn an_id_expires_and_starts_anew() {
    let mut world = World::new().await;
    let producer = begin(&world, "t").await;
    maintenance::forget_expired(&world.broker).await;
    assert_eq!(world.state("t"), State::Empty);
    world.clock.advance(Duration::from_secs(7 * 24 * 3600));
    maintenance::forget_expired(&world.broker).await;
    assert!(world.broker.transactions.get("t").is_none());
    assert_eq!(
        world.add("t", producer, 0).await,
        Err(ResponseError::InvalidProducerIdMapping)
    );
    world.crash().await;
    assert!(world.broker.transactions.get("t").is_none());
    assert_ne!(begin(&world, "t").await.id, producer.id);
}

#[tokio::test]
async fn a_replaced_owner_stores_nothing_more() {
    let world = World::new().await;
    let producer = begin(&world, "t").await;
    let _newer = world.store.open();
    assert_eq!(
        world.add("t", producer, 0).await,
        Err(ResponseError::CoordinatorNotAvailable)
    );
    assert_eq!(world.state("t"), State::Empty);
}

#[tokio::test]
async fn producing_adds_its_partition_and_old_clients_are_checked() {
    let world = World::new().await;
    let producer = begin(&world, "t").await;
    let transactions = &world.broker.transactions;
    let verify = |abortable| {
        let verified = transactions.verify("t", producer, "orders", 1, abortable);
        verified.map_err(|error| (error.code, error.message))
    };
    assert_eq!(verify(true), Err((ResponseError::TransactionAbortable, None)));
    let words = "Partition was not added to the transaction".to_owned();
    assert_eq!(verify(false), Err((ResponseError::InvalidTxnState, Some(words))));
    let partitions = [("orders".to_owned(), 1)];
    let added = |epoch| transactions.partition_added("t", producer.id, epoch, &partitions);
    assert_eq!(added(producer.epoch).await, Ok(()));
    assert_eq!(verify(true), Ok(()));
    let stale = added(producer.epoch - 1).await.unwrap_err();
    assert_eq!(stale.code, ResponseError::InvalidProducerEpoch);
}

#[tokio::test]
async fn bad_asks_are_refused() {
    let world = World::new().await;
    let refused =
        async |id: &str, timeout_ms| init(&world.broker, id, timeout_ms, None).await.unwrap_err().code;
    assert_eq!(refused("", TIMEOUT_MS).await, ResponseError::InvalidRequest);
    assert_eq!(refused("t", 0).await, ResponseError::InvalidTransactionTimeout);
    assert_eq!(
        refused("t", 900_001).await,
        ResponseError::InvalidTransactionTimeout
    );
    let nobody = Producer { id: 1, epoch: 0 };
    assert_eq!(
        world.add("nobody", nobody, 0).await,
        Err(ResponseError::InvalidProducerIdMapping)
    );
    assert_eq!(world.add("", nobody, 0).await, Err(ResponseError::InvalidRequest));
}

#[test]
fn groups_hash_as_in_java() {
    assert_eq!(offsets_partition("g2y", 4), 2);
    assert_eq!(offsets_partition("", 50), 0);
    // "polygenelubricants".hashCode() is the least int there is.
    assert_eq!(offsets_partition("polygenelubricants", 50), 0);
}

/// Every step that the store does not take is refused, changes nothing, and succeeds once the store takes it.
#[tokio::test]
async fn a_failing_store_changes_no_transaction() {
    let mut world = World::new().await;
    let unavailable = ResponseError::CoordinatorNotAvailable;
    world.failing.set(true);
    let refused = init(&world.broker, "t", TIMEOUT_MS, None).await.unwrap_err();
    assert_eq!(refused.code, unavailable);
    assert!(world.broker.transactions.get("t").is_none());
    assert!(
        world.broker.transactions.slot("t").is_none(),
        "nothing is kept of it"
    );
    world.failing.set(false);
    let producer = init(&world.broker, "t", TIMEOUT_MS, None).await.unwrap();
    world.failing.set(true);
    assert_eq!(world.add("t", producer, 0).await, Err(unavailable));
    assert_eq!(world.state("t"), State::Empty);
    world.failing.set(false);
    world.add("t", producer, 0).await.unwrap();
    assert_eq!(world.write(producer, 0, 0).await, Ok(0));
    world.failing.set(true);
    let refused = end(&world.broker, "t", producer, true, Version::V1)
        .await
        .unwrap_err();
    assert_eq!(refused.code, unavailable);
    let before = world.broker.transactions.get("t").unwrap();
    assert_eq!(before.state, State::Ongoing);
    world.crash().await;
    assert_eq!(*world.broker.transactions.get("t").unwrap(), *before);
    world.failing.set(false);
    end(&world.broker, "t", producer, true, Version::V1)
        .await
        .unwrap();
    assert_eq!(world.completed("t").await, State::CompleteCommit);
    assert_eq!(world.visible(0).await, (2, vec![]));
}

/// A log that takes no batch leaves neither a record nor a sequence number behind.
#[tokio::test]
async fn a_failing_log_takes_nothing_and_the_same_batch_later() {
    let world = World::new().await;
    let producer = init(&world.broker, "t", TIMEOUT_MS, None).await.unwrap();
    world.add("t", producer, 0).await.unwrap();
    assert_eq!(world.write(producer, 0, 0).await, Ok(0));
    world.failing.set(true);
    for _ in 0..2 {
        let refused = world.write(producer, 0, 1).await;
        assert_eq!(refused, Err(ResponseError::KafkaStorageError));
    }
    assert_eq!(world.visible(0).await, (0, vec![]), "reads go on");
    world.failing.set(false);
    assert_eq!(world.write(producer, 0, 1).await, Ok(1));
    assert_eq!(
        world.write(producer, 0, 1).await,
        Ok(1),
        "a duplicate of what was taken"
    );
}
