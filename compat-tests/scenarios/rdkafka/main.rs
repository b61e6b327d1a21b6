//! The Rust client: rdkafka over its own build of librdkafka.
//!
//! Knows: the scenarios that every client runs, as `rdkafka NAME`: it checks by value, prints facts as JSON in its last line, and
//! exits non-zero when it fails. Never: the workspace. `clients/install.sh` compiles it apart, so that nobody waits for its C.

use futures_executor::block_on;
use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::{ClientContext, DefaultClientContext};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const TIMEOUT: Duration = Duration::from_secs(40);
/// A fixed moment, so that timestamps can be checked and compared.
const T0: i64 = 1_700_000_000_000;

fn main() {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let facts = match wanted.as_str() {
        "admin_calls" => admin_calls(),
        "group_classic" => group("classic"),
        "group_consumer" => group("consumer"),
        "large_and_empty" => large_and_empty(),
        "offsets" => offsets(),
        "round_trip" => round_trip(),
        "transactions" => transactions(),
        other => panic!("no scenario {other}"),
    };
    println!("{}", facts.to_string().replace(&variable("RUN"), "RUN"));
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"))
}

/// A name that no other run uses.
fn name(stem: &str) -> String {
    format!("{stem}-{}", variable("RUN"))
}

/// A value that can be recomputed from its number.
fn payload(i: i64) -> String {
    format!("record {i} of this run, ").repeat(4)
}

fn config() -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", variable("KAFKA"));
    config
}

fn admin() -> AdminClient<DefaultClientContext> {
    config().create().expect("an admin client")
}

fn try_create(topic: &str, partitions: i32, replicas: i32) -> String {
    let new = NewTopic::new(topic, partitions, TopicReplication::Fixed(replicas));
    let answers = block_on(admin().create_topics([&new], &AdminOptions::new())).expect("create_topics");
    match &answers[0] {
        Ok(_) => "none".to_owned(),
        Err((_, code)) => format!("{code:?}"),
    }
}

fn create(topic: &str, partitions: i32) {
    assert_eq!(try_create(topic, partitions, 1), "none", "creating {topic}");
}

/// What became of each record, in the order of the answers.
#[derive(Default)]
struct Reports(Mutex<Vec<Result<i64, KafkaError>>>);

impl ClientContext for Reports {}

impl ProducerContext for Reports {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let report = match result {
            Ok(message) => Ok(message.offset()),
            Err((error, _)) => Err(error.clone()),
        };
        self.0.lock().expect("no panic").push(report);
    }
}

fn producer(settings: &[(&str, &str)]) -> BaseProducer<Reports> {
    let mut config = config();
    config.set("linger.ms", "5").set("acks", "all");
    for (key, value) in settings {
        config.set(*key, *value);
    }
    config
        .create_with_context(Reports::default())
        .expect("a producer")
}

/// Sends everything and gives the reports; an answer must have come for each record.
fn sent<'a>(
    producer: &BaseProducer<Reports>,
    records: impl IntoIterator<Item = BaseRecord<'a, str, str>>,
) -> Vec<Result<i64, KafkaError>> {
    let mut count = 0;
    for record in records {
        producer
            .send(record)
            .map_err(|(error, _)| error)
            .expect("room in the queue");
        producer.poll(Duration::ZERO);
        count += 1;
    }
    producer.flush(TIMEOUT).expect("flushed");
    let reports = std::mem::take(&mut *producer.context().0.lock().expect("no panic"));
    assert_eq!(reports.len(), count, "reports");
    reports
}

fn send_all<'a>(
    producer: &BaseProducer<Reports>,
    records: impl IntoIterator<Item = BaseRecord<'a, str, str>>,
) {
    for report in sent(producer, records) {
        report.expect("delivered");
    }
}

fn consumer(settings: &[(&str, &str)]) -> BaseConsumer {
    let mut config = config();
    config
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .set("group.id", name("reader"));
    for (key, value) in settings {
        config.set(*key, *value);
    }
    config.create().expect("a consumer")
}

/// Reads partitions from an offset on, until `count` records came.
fn read(
    topic: &str,
    partitions: i32,
    from: Offset,
    count: usize,
    settings: &[(&str, &str)],
    mut each: impl FnMut(&BorrowedMessage<'_>),
) {
    let consumer = consumer(settings);
    let mut list = TopicPartitionList::new();
    for partition in 0..partitions {
        list.add_partition_offset(topic, partition, from)
            .expect("an offset");
    }
    consumer.assign(&list).expect("assigned");
    let end = Instant::now() + TIMEOUT;
    let mut seen = 0;
    while seen < count {
        assert!(Instant::now() < end, "only {seen} of {count} records of {topic}");
        if let Some(message) = consumer.poll(Duration::from_millis(200)) {
            each(&message.expect("a record"));
            seen += 1;
        }
    }
}

fn round_trip() -> Value {
    let mut facts = Map::new();
    for codec in ["none", "gzip", "snappy", "lz4"] {
        let topic = name(&format!("round-{codec}"));
        create(&topic, 3);
        let values: Vec<(String, String)> = (0..300).map(|i| (format!("key-{i}"), payload(i))).collect();
        let records = values.iter().zip(0_i64..).map(|((key, value), i)| {
            let headers = OwnedHeaders::new().insert(Header {
                key: "n",
                value: Some(&i.to_string()),
            });
            let partition = (i % 3) as i32;
            BaseRecord::to(&topic)
                .partition(partition)
                .key(key.as_str())
                .payload(value.as_str())
                .timestamp(T0 + i)
                .headers(headers)
        });
        send_all(&producer(&[("compression.type", codec)]), records);
        let mut seen = BTreeSet::new();
        read(
            &topic,
            3,
            Offset::Beginning,
            300,
            &[("check.crcs", "true")],
            |message| {
                let i = i64::from(message.partition()) + 3 * message.offset();
                assert_eq!(
                    message.key_view::<str>(),
                    Some(Ok(format!("key-{i}").as_str())),
                    "key"
                );
                assert_eq!(
                    message.payload_view::<str>(),
                    Some(Ok(payload(i).as_str())),
                    "value"
                );
                assert_eq!(message.timestamp().to_millis(), Some(T0 + i), "timestamp");
                let headers = message.headers().expect("headers");
                assert_eq!(headers.get(0).value, Some(i.to_string().as_bytes()), "header");
                seen.insert(i);
            },
        );
        facts.insert(codec.to_owned(), json!(seen.len()));
    }
    Value::Object(facts)
}

fn admin_calls() -> Value {
    let (topic, options) = (name("admin"), AdminOptions::new());
    create(&topic, 2);
    let again = try_create(&topic, 1, 1);
    let replicas = try_create(&name("replicas"), 1, 4);
    let bad_name = try_create("a b", 1, 1);
    let admin = admin();
    let code = |answers: Vec<Result<String, (String, RDKafkaErrorCode)>>| match &answers[0] {
        Ok(_) => "none".to_owned(),
        Err((_, code)) => format!("{code:?}"),
    };
    let added = code(
        block_on(admin.create_partitions([&NewPartitions::new(&topic, 4)], &options))
            .expect("create_partitions"),
    );
    let fewer = code(
        block_on(admin.create_partitions([&NewPartitions::new(&topic, 3)], &options))
            .expect("create_partitions"),
    );
    until("four partitions", || {
        let metadata = admin
            .inner()
            .fetch_metadata(Some(&topic), TIMEOUT)
            .expect("metadata");
        metadata.topics()[0].partitions().len() == 4
    });
    let altered = AlterConfig::new(ResourceSpecifier::Topic(&topic)).set("retention.ms", "98765");
    block_on(admin.alter_configs([&altered], &options)).expect("alter_configs")[0]
        .as_ref()
        .expect("altered");
    let mut retention = json!(null);
    // The original's brokers learn what its controller has decided a moment later.
    until("the altered value", || {
        let resource = ResourceSpecifier::Topic(&topic);
        let described = block_on(admin.describe_configs([&resource], &options)).expect("describe_configs");
        let entry = described[0]
            .as_ref()
            .expect("described")
            .get("retention.ms")
            .expect("retention.ms");
        retention = json!([
            entry.value,
            format!("{:?}", entry.source),
            entry.is_read_only,
            entry.is_sensitive
        ]);
        entry.value.as_deref() == Some("98765")
    });
    let deleted = code(block_on(admin.delete_topics(&[&topic], &options)).expect("delete_topics"));
    let missing = code(block_on(admin.delete_topics(&[&name("missing")], &options)).expect("delete_topics"));
    json!({
        "again": again, "replicas": replicas, "bad name": bad_name, "added": added, "fewer": fewer, "retention.ms": retention,
        "deleted": deleted, "missing": missing,
    })
}

/// Values `from..to` for each of four partitions.
fn send_to_four(topic: &str, from: i64, to: i64) {
    let values: Vec<String> = (from..to).map(payload).collect();
    let records = (0..4).flat_map(|partition| {
        let to_partition = move |value| {
            BaseRecord::<str, str>::to(topic)
                .partition(partition)
                .payload(value)
        };
        values.iter().map(String::as_str).map(to_partition)
    });
    send_all(&producer(&[]), records);
}

fn member(protocol: &str, id: &str) -> BaseConsumer {
    let mut settings = vec![("group.id", id), ("group.protocol", protocol)];
    if protocol == "classic" {
        // In the other protocol the group says.
        settings.extend([("session.timeout.ms", "10000"), ("heartbeat.interval.ms", "300")]);
    }
    consumer(&settings)
}

fn group(protocol: &str) -> Value {
    let (topic, id) = (
        name(&format!("group-{protocol}")),
        name(&format!("members-{protocol}")),
    );
    create(&topic, 4);
    let (seen, stop, end) = (
        Mutex::new(BTreeSet::new()),
        AtomicBool::new(false),
        Instant::now() + 3 * TIMEOUT,
    );
    // Subscribing joins, and who has joined must poll.
    let work = |member: &BaseConsumer| {
        member.subscribe(&[&topic]).expect("subscribed");
        while !stop.load(Ordering::Acquire) && Instant::now() < end {
            let Some(message) = member.poll(Duration::from_millis(100)) else {
                continue;
            };
            let message = message.expect("a record");
            let value = payload(message.offset());
            assert_eq!(message.payload_view::<str>(), Some(Ok(value.as_str())), "value");
            seen.lock()
                .expect("no panic")
                .insert((message.partition(), message.offset()));
            // A rebalance may take the partition away in between: then its next owner reads and commits the record again.
            let _ = member.commit_message(&message, CommitMode::Async);
        }
    };
    send_to_four(&topic, 0, 100);
    let (one, two) = (member(protocol, &id), member(protocol, &id));
    std::thread::scope(|scope| {
        scope.spawn(|| work(&one));
        until("one member has read everything", || {
            seen.lock().expect("no panic").len() == 400
        });
        scope.spawn(|| work(&two));
        let shares = || [&one, &two].map(|member| member.assignment().map_or(0, |list| list.count()));
        until("two members share", || shares() == [2, 2]);
        send_to_four(&topic, 100, 120);
        until("every record is read", || {
            seen.lock().expect("no panic").len() == 480
        });
        until("every record is committed", || {
            committed(&one, &topic) == [120; 4]
        });
        stop.store(true, Ordering::Release);
    });
    let offsets = committed(&one, &topic);
    drop((one, two));
    let deleted =
        || block_on(admin().delete_groups(&[&id], &AdminOptions::new())).expect("delete_groups")[0].is_ok();
    until("the empty group can be deleted", deleted);
    json!({ "committed": offsets })
}

fn committed(member: &BaseConsumer, topic: &str) -> Vec<i64> {
    let mut list = TopicPartitionList::new();
    list.add_partition_range(topic, 0, 3);
    let answer = member
        .committed_offsets(list, TIMEOUT)
        .expect("committed offsets");
    answer
        .elements()
        .iter()
        .filter_map(|element| element.offset().to_raw())
        .collect()
}

fn offsets() -> Value {
    let topic = name("offsets");
    create(&topic, 1);
    let values: Vec<String> = (0..20).map(payload).collect();
    let producer = producer(&[]);
    // One batch each: times are looked up by batch first.
    for (value, i) in values.iter().zip(0_i64..) {
        send_all(
            &producer,
            [BaseRecord::<str, str>::to(&topic)
                .partition(0)
                .payload(value.as_str())
                .timestamp(T0 + 10 * i)],
        );
    }
    let reader = consumer(&[]);
    let ends = reader.fetch_watermarks(&topic, 0, TIMEOUT).expect("watermarks");
    let at = |time: i64| {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&topic, 0, Offset::Offset(time))
            .expect("a time");
        let answer = reader
            .offsets_for_times(list, TIMEOUT)
            .expect("offsets for times");
        format!("{:?}", answer.elements()[0].offset())
    };
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(&topic, 0, Offset::Offset(5))
        .expect("an offset");
    let deleted = block_on(admin().delete_records(&list, &AdminOptions::new())).expect("delete_records");
    let low = format!("{:?}", deleted.elements()[0].offset());
    let mut first = None;
    read(&topic, 1, Offset::Beginning, 15, &[], |message| {
        first.get_or_insert(message.offset());
    });
    let (start, end) = reader.fetch_watermarks(&topic, 0, TIMEOUT).expect("watermarks");
    json!({
        "ends": [ends.0, ends.1], "after deletion": [start, end], "first": first, "low": low,
        "at": [at(T0), at(T0 + 15), at(T0 + 190), at(T0 + 1000)],
    })
}

fn large_and_empty() -> Value {
    let topic = name("large");
    create(&topic, 1);
    let (big, bigger) = ("b".repeat(900_000), "c".repeat(2_000_000));
    let producer = producer(&[("message.max.bytes", "10000000"), ("enable.idempotence", "true")]);
    send_all(&producer, [BaseRecord::<str, str>::to(&topic).payload(&big)]);
    let refused = sent(&producer, [BaseRecord::<str, str>::to(&topic).payload(&bigger)]).remove(0);
    read(&topic, 1, Offset::Beginning, 1, &[], |message| {
        assert!(
            message.payload() == Some(big.as_bytes()),
            "the large value is another"
        );
    });
    let empty = name("empty");
    create(&empty, 1);
    let reader = consumer(&[("enable.partition.eof", "true")]);
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(&empty, 0, Offset::Beginning)
        .expect("an offset");
    reader.assign(&list).expect("assigned");
    let mut said = None;
    until("the end of an empty topic", || {
        said = reader
            .poll(Duration::from_millis(200))
            .map(|message| message.map(|message| message.offset()));
        said.is_some()
    });
    json!({
        "too large": format!("{:?}", refused.err().and_then(|error| error.rdkafka_error_code())),
        "empty": format!("{:?}", said.map(|message| message.map_err(|error| error.to_string()))),
    })
}

fn transactions() -> Value {
    let (input, output, id) = (name("tx-in"), name("tx-out"), name("tx-group"));
    create(&input, 1);
    create(&output, 1);
    let values: Vec<String> = (0..10).map(payload).collect();
    let records = |topic| {
        values.iter().map(move |value| {
            BaseRecord::<str, str>::to(topic)
                .partition(0)
                .payload(value.as_str())
        })
    };
    send_all(&producer(&[]), records(&input));
    let reader = consumer(&[("group.id", &id)]);
    reader.subscribe(&[&input]).expect("subscribed");
    until("the group's partition", || {
        reader.poll(Duration::from_millis(100));
        reader.assignment().is_ok_and(|list| list.count() == 1)
    });
    let transactional = name("tx");
    let producer = producer(&[("transactional.id", &transactional)]);
    producer.init_transactions(TIMEOUT).expect("init");
    for (commit, to) in [(true, 4), (false, 7), (true, 10)] {
        producer.begin_transaction().expect("begin");
        send_all(&producer, records(&output));
        let mut offsets = TopicPartitionList::new();
        offsets
            .add_partition_offset(&input, 0, Offset::Offset(to))
            .expect("an offset");
        let member = reader.group_metadata().expect("a member");
        producer
            .send_offsets_to_transaction(&offsets, &member, TIMEOUT)
            .expect("offsets");
        match commit {
            true => producer.commit_transaction(TIMEOUT).expect("commit"),
            false => producer.abort_transaction(TIMEOUT).expect("abort"),
        }
    }
    let visible = |level, count| {
        let mut offsets = Vec::new();
        read(
            &output,
            1,
            Offset::Beginning,
            count,
            &[("isolation.level", level)],
            |message| offsets.push(message.offset()),
        );
        offsets
    };
    let mut list = TopicPartitionList::new();
    list.add_partition(&input, 0);
    let committed = reader
        .committed_offsets(list, TIMEOUT)
        .expect("committed offsets");
    let committed = format!("{:?}", committed.elements()[0].offset());
    // A second producer of the same name fences the first.
    let second = self::producer(&[("transactional.id", &transactional)]);
    second.init_transactions(TIMEOUT).expect("init of the second");
    producer.begin_transaction().expect("begin of the first");
    let _ = producer.send(BaseRecord::<str, str>::to(&output).partition(0).payload("late"));
    let fenced = producer.commit_transaction(TIMEOUT).err();
    let fenced = fenced.and_then(|error| error.rdkafka_error_code());
    json!({
        "read_committed": visible("read_committed", 20), "read_uncommitted": visible("read_uncommitted", 30),
        "committed": committed, "fenced": format!("{fenced:?}"),
    })
}

fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + TIMEOUT;
    while !condition() {
        assert!(Instant::now() < end, "did not happen: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
