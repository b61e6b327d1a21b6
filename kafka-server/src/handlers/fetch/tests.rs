use crate::{
    broker::Broker,
    config::Config,
    handlers::{Reply, Session, dispatch},
    state::topics::TopicRecord,
    wire::{
        compression::Compression,
        messages::{
            FetchRequest, FetchResponse, ProduceRequest, ProduceResponse, TopicName,
            fetch_request::{FetchPartition, FetchTopic, ForgottenTopic},
            produce_request::{PartitionProduceData, TopicProduceData},
        },
        records::{BatchBuilder, Batches, NewRecord},
        text,
    },
};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Request};
use server_kit::{ManualClock, Random};
use std::{sync::Arc, time::Duration};
use storage::{ReadSlices, memory::Store};

const NOW_MS: i64 = 1_000_000;
const TOPIC_ID: uuid::Uuid = uuid::Uuid::from_bytes([7; 16]);

struct World {
    broker: Arc<Broker>,
}

impl World {
    async fn new() -> Self {
        World::of(Config::default()).await
    }

    async fn of(config: Config) -> Self {
        let (clock, random) = (ManualClock::new(NOW_MS), Arc::new(Random::from_seed(1)));
        let shard = Store::default().open();
        let broker = Broker::over(config, shard, clock, random).await;
        let record = TopicRecord {
            name: "t".to_owned(),
            id: TOPIC_ID.into_bytes(),
            partitions: 3,
            config: Default::default(),
            made_under: Default::default(),
        };
        broker.topics.create(vec![record]).await.unwrap();
        World { broker }
    }

    /// What a client of its own gets for `request`; `None` where there is no answer.
    async fn ask<R>(&self, version: i16, request: R) -> Option<R::Response>
    where
        R: Request + Encodable + HeaderVersion,
        R::Response: Decodable + HeaderVersion,
    {
        let mut frame = BytesMut::new();
        frame.put_i16(R::KEY);
        frame.put_i16(version);
        frame.put_i32(77);
        frame.put_i16(-1);
        if R::header_version(version) >= 2 {
            frame.put_u8(0);
        }
        request.encode(&mut frame, version).unwrap();
        let peer = "127.0.0.1:1".parse().unwrap();
        let session = Session::new(self.broker.clone(), peer, "PLAINTEXT".into());
        let started = dispatch(&session, 1, frame.freeze()).unwrap();
        let Reply::Frame(slices) = started.answer.await.unwrap() else {
            return None;
        };
        let bytes = slices.iter().map(|slice| slice.len()).sum();
        let mut answer = crate::partition::contiguous(ReadSlices { slices, bytes }).unwrap();
        assert_eq!(answer.get_i32() as usize, answer.remaining());
        assert_eq!(answer.get_i32(), 77);
        if R::Response::header_version(version) >= 1 {
            assert_eq!(answer.get_u8(), 0);
        }
        Some(R::Response::decode(&mut answer, version).unwrap())
    }

    async fn produce(&self, partition: i32, records: Bytes) -> ProduceResponse {
        self.ask(9, produce(partition, records, -1)).await.unwrap()
    }

    async fn fetch(&self, request: FetchRequest) -> FetchResponse {
        self.ask(12, request).await.unwrap()
    }
}

fn produce(partition: i32, records: Bytes, acks: i16) -> ProduceRequest {
    let data = PartitionProduceData::default()
        .with_index(partition)
        .with_records(Some(records));
    let topic = TopicProduceData::default()
        .with_name(TopicName(text("t")))
        .with_partition_data(vec![data]);
    ProduceRequest::default()
        .with_acks(acks)
        .with_topic_data(vec![topic])
}

fn records(value: &[u8]) -> Bytes {
    let mut builder = BatchBuilder::new(0, NOW_MS);
    let record = NewRecord {
        offset: 0,
        timestamp: NOW_MS,
        key: None,
        value: Some(value),
    };
    builder.push(&record, std::iter::empty());
    builder.finish(Compression::None, None, None).unwrap().bytes
}

/// A request for `(partition, offset)`s.
fn fetch(session: (i32, i32), wanted: &[(i32, i64)]) -> FetchRequest {
    let partition = |(index, offset): &(i32, i64)| {
        FetchPartition::default()
            .with_partition(*index)
            .with_fetch_offset(*offset)
            .with_current_leader_epoch(-1)
            .with_partition_max_bytes(1 << 20)
    };
    let topic = FetchTopic::default()
        .with_topic(TopicName(text("t")))
        .with_topic_id(TOPIC_ID)
        .with_partitions(wanted.iter().map(partition).collect());
    FetchRequest::default()
        .with_min_bytes(1)
        .with_max_bytes(1 << 20)
        .with_session_id(session.0)
        .with_session_epoch(session.1)
        .with_topics(if wanted.is_empty() { vec![] } else { vec![topic] })
}

/// `(partition, error, base offsets)` of an answer.
fn told(response: &FetchResponse) -> Vec<(i32, i16, Vec<i64>)> {
    let partitions = response.responses.iter().flat_map(|topic| &topic.partitions);
    let part = |part: &kafka_protocol::messages::fetch_response::PartitionData| {
        let bytes = part.records.clone().unwrap_or_default();
        let offsets = Batches::new(bytes).map(|batch| batch.unwrap().header.base_offset);
        (part.partition_index, part.error_code, offsets.collect())
    };
    partitions.map(part).collect()
}

#[tokio::test]
async fn what_was_produced_is_fetched() {
    let world = World::new().await;
    for at in 0..2 {
        let response = world.produce(1, records(b"x")).await;
        let partition = &response.responses[0].partition_responses[0];
        assert_eq!((partition.error_code, partition.base_offset), (0, at));
    }
    let response = world.fetch(fetch((0, -1), &[(1, 0), (0, 0), (9, 0)])).await;
    let expected = [(1, 0, vec![0, 1]), (0, 0, vec![]), (9, 3, vec![])];
    assert_eq!(told(&response), expected);
    let by_id: FetchResponse = world.ask(16, fetch((0, -1), &[(1, 1)])).await.unwrap();
    assert_eq!(told(&by_id), [(1, 0, vec![1])]);
    assert_eq!(by_id.responses[0].topic_id, TOPIC_ID);
}

#[tokio::test]
async fn acks_0_is_not_answered_and_other_acks_are_refused() {
    let world = World::new().await;
    assert!(world.ask(9, produce(0, records(b"x"), 0)).await.is_none());
    let response = world.fetch(fetch((0, -1), &[(0, 0)])).await;
    assert_eq!(told(&response), [(0, 0, vec![0])]);
    let refused = world.ask(9, produce(0, records(b"x"), 2)).await.unwrap();
    assert_eq!(refused.responses[0].partition_responses[0].error_code, 21);
}

#[tokio::test]
async fn a_session_tells_only_what_is_new() {
    let world = World::new().await;
    let opened = world.fetch(fetch((0, 0), &[(0, 0), (1, 0)])).await;
    assert_eq!(told(&opened).len(), 2);
    let id = opened.session_id;
    assert_ne!(id, 0);
    let silent = world.fetch(fetch((id, 1), &[])).await;
    assert_eq!(
        (silent.error_code, silent.session_id, told(&silent).len()),
        (0, id, 0)
    );
    world.produce(1, records(b"x")).await;
    let news = world.fetch(fetch((id, 2), &[])).await;
    assert_eq!(told(&news), [(1, 0, vec![0])]);
    let moved = world.fetch(fetch((id, 3), &[(1, 1)])).await;
    assert_eq!(told(&moved), []);
    let again = world.fetch(fetch((id, 3), &[])).await;
    assert_eq!(again.error_code, 71, "INVALID_FETCH_SESSION_EPOCH");
    let forgotten = ForgottenTopic::default()
        .with_topic(TopicName(text("t")))
        .with_partitions(vec![0, 1]);
    let last = fetch((id, 4), &[]).with_forgotten_topics_data(vec![forgotten]);
    assert_eq!(world.fetch(last).await.session_id, 0, "nothing is read any more");
    let gone = world.fetch(fetch((id, 5), &[])).await;
    assert_eq!(gone.error_code, 70, "FETCH_SESSION_ID_NOT_FOUND");
}

#[tokio::test]
async fn a_session_keeps_to_one_way_of_naming_topics() {
    let world = World::new().await;
    let opened = world.fetch(fetch((0, 0), &[(0, 0)])).await;
    let by_id: FetchResponse = world.ask(13, fetch((opened.session_id, 1), &[])).await.unwrap();
    assert_eq!(by_id.error_code, 106, "FETCH_SESSION_TOPIC_ID_ERROR");
}

#[tokio::test]
async fn a_session_is_told_that_its_topic_was_replaced() {
    let world = World::new().await;
    let opened: FetchResponse = world.ask(16, fetch((0, 0), &[(0, 0)])).await.unwrap();
    assert_eq!(told(&opened), [(0, 0, vec![])]);
    let topic = world.broker.topics.image().get("t").unwrap().clone();
    let id = world.broker.topics.image().get("t").unwrap().record.uuid();
    world.broker.delete_topics(&[id]).await.unwrap();
    while topic.partitions[0].open().await.is_ok() {
        tokio::task::yield_now().await;
    }
    let mut record = topic.record.clone();
    record.id = [8; 16];
    world.broker.topics.create(vec![record]).await.unwrap();
    for epoch in 1..3 {
        let next: FetchResponse = world
            .ask(16, fetch((opened.session_id, epoch), &[]))
            .await
            .unwrap();
        assert_eq!(told(&next), [(0, 103, vec![])], "INCONSISTENT_TOPIC_ID");
    }
    let unknown: FetchResponse = world.ask(16, fetch((0, -1), &[(0, 0)])).await.unwrap();
    assert_eq!(told(&unknown), [(0, 100, vec![])], "UNKNOWN_TOPIC_ID");
}

#[tokio::test]
async fn a_long_poll_is_answered_by_the_append() {
    let world = Arc::new(World::new().await);
    let waiting = world.clone();
    let poll = tokio::spawn(async move {
        let request = fetch((0, -1), &[(0, 0), (1, 0), (2, 0)]).with_max_wait_ms(60_000);
        waiting.fetch(request).await
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!poll.is_finished());
    world.produce(2, records(b"x")).await;
    let response = tokio::time::timeout(Duration::from_secs(10), poll)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(told(&response)[2], (2, 0, vec![0]));
}

#[tokio::test]
async fn a_batch_larger_than_every_limit_is_told_alone() {
    let world = World::new().await;
    for partition in 0..3 {
        world.produce(partition, records(&[b'x'; 1000])).await;
    }
    let mut request = fetch((0, -1), &[(0, 0), (1, 0), (2, 0)]).with_max_bytes(10);
    for partition in &mut request.topics[0].partitions {
        partition.partition_max_bytes = 10;
    }
    let response = world.fetch(request).await;
    assert_eq!(told(&response), [(0, 0, vec![0]), (1, 0, vec![]), (2, 0, vec![])]);
}

#[tokio::test]
async fn no_answer_is_larger_than_the_broker_allows() {
    let mut config = Config::default();
    config
        .properties
        .insert("fetch.max.bytes".to_owned(), "1024".to_owned());
    let world = World::of(config).await;
    for partition in 0..3 {
        world.produce(partition, records(&[b'x'; 1000])).await;
    }
    let response = world.fetch(fetch((0, -1), &[(0, 0), (1, 0), (2, 0)])).await;
    assert_eq!(told(&response), [(0, 0, vec![0]), (1, 0, vec![]), (2, 0, vec![])]);
}

#[tokio::test]
async fn each_partition_of_a_session_has_its_turn() {
    let world = World::new().await;
    for partition in 0..3 {
        world.produce(partition, records(&[b'x'; 1000])).await;
    }
    let first = fetch((0, 0), &[(0, 0), (1, 0), (2, 0)]).with_max_bytes(10);
    let opened = world.fetch(first).await;
    let mut served = vec![];
    for epoch in 1..4 {
        let next = fetch((opened.session_id, epoch), &[]).with_max_bytes(10);
        let answer = told(&world.fetch(next).await);
        served.extend(
            answer
                .into_iter()
                .filter(|part| !part.2.is_empty())
                .map(|part| part.0),
        );
    }
    assert_eq!(served, [1, 2, 0]);
}

#[tokio::test]
async fn epochs_and_offsets_out_of_range_are_refused() {
    let world = World::new().await;
    world.produce(0, records(b"x")).await;
    let mut request = fetch((0, -1), &[(0, 0), (1, 0), (0, 9)]);
    request.topics[0].partitions[0].current_leader_epoch = 1;
    request.topics[0].partitions.remove(1);
    let mut beyond = request.clone();
    beyond.topics[0].partitions.remove(0);
    request.topics[0].partitions.remove(1);
    assert_eq!(
        told(&world.fetch(request).await),
        [(0, 75, vec![])],
        "UNKNOWN_LEADER_EPOCH"
    );
    assert_eq!(told(&world.fetch(beyond.clone()).await), [(0, 1, vec![])]);
    beyond.topics[0].partitions[0].last_fetched_epoch = 0;
    let diverging = world.fetch(beyond).await;
    let part = &diverging.responses[0].partitions[0];
    assert_eq!((part.error_code, part.diverging_epoch.end_offset), (0, 1));
}

#[tokio::test]
async fn topics_and_errors_are_counted() {
    let world = World::new().await;
    world.produce(1, records(b"x")).await;
    world.produce(9, records(b"x")).await;
    let read = world.fetch(fetch((0, -1), &[(1, 0), (9, 0)])).await;
    let bytes = read.responses[0].partitions[0].records.as_ref().unwrap().len();
    let patience = server_kit::Patience {
        idle_max: None,
        write_stall_max: Duration::from_secs(60),
    };
    let connections = server_kit::Connections::new(patience);
    let mut registry = prometheus_client::registry::Registry::default();
    crate::metrics::Metrics::register(&mut registry, connections, &world.broker);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    for line in [
        r#"smack_kafka_request_errors_total{api="Produce",error="UNKNOWN_TOPIC_OR_PARTITION"} 1"#.to_owned(),
        r#"smack_kafka_request_errors_total{api="Fetch",error="UNKNOWN_TOPIC_OR_PARTITION"} 1"#.to_owned(),
        format!(r#"smack_kafka_topic_received_bytes_total{{topic="t"}} {bytes}"#),
        r#"smack_kafka_topic_received_records_total{topic="t"} 1"#.to_owned(),
        format!(r#"smack_kafka_topic_sent_bytes_total{{topic="t"}} {bytes}"#),
        format!(r#"smack_kafka_topic_log_bytes{{topic="t"}} {bytes}"#),
        "smack_kafka_topics 1".to_owned(),
        "smack_kafka_partitions 3".to_owned(),
    ] {
        assert!(text.lines().any(|told| told == line), "{line} in {text}");
    }
}
