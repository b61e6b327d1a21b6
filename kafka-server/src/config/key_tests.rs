use super::{
    broker::{BrokerConfig, Source},
    broker_keys::{self, BROKER_KEYS},
    topic::{self, CompressionType, TimestampType, TopicConfig},
    topic_keys::{TOPIC_KEYS, broker_synonyms},
};
use std::collections::BTreeMap;

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

fn refused(key: &str, value: &str) -> String {
    topic::validate(&map(&[(key, value)])).unwrap_err()
}

#[test]
fn the_tables_are_sorted_whole_and_their_defaults_valid() {
    assert_eq!(BROKER_KEYS.len(), broker_keys::lines().count());
    assert!(
        BROKER_KEYS
            .windows(2)
            .all(|pair| pair[0].definition.name < pair[1].definition.name)
    );
    assert!(TOPIC_KEYS.windows(2).all(|pair| pair[0].name < pair[1].name));
    for key in TOPIC_KEYS
        .iter()
        .chain(BROKER_KEYS.iter().map(|key| &key.definition))
    {
        // Kafka never checks the defaults of these lists either.
        if let Some(value) = key.default.filter(|value| !value.is_empty()) {
            assert_eq!(key.validate(value), Ok(()), "{}", key.name);
        }
    }
    for (name, _) in TOPIC_KEYS.iter().flat_map(|key| broker_synonyms(key.name)) {
        assert!(broker_keys::find(name).is_some(), "{name}");
    }
}

/// A key is said to be without effect exactly where a configuration file that sets it is warned about.
#[test]
fn every_key_says_what_it_does_and_whether_it_does_it_here() {
    for key in BROKER_KEYS.iter().map(|key| &key.definition) {
        assert!(key.documentation.ends_with('.'), "{}", key.name);
        let without = key.documentation.contains("ithout effect");
        let honoured = super::properties::HONOURED.binary_search(&key.name).is_ok();
        // There is no other role than the one this process has.
        let neither = key.name == "process.roles";
        assert!(
            without != honoured || neither,
            "{}: {}",
            key.name,
            key.documentation
        );
    }
    for key in TOPIC_KEYS {
        assert!(key.documentation.ends_with('.'), "{}", key.name);
    }
}

#[test]
fn defaults_are_those_of_kafka() {
    let config = TopicConfig::default();
    assert!(config.delete && !config.compact);
    assert_eq!(config.compression_type, CompressionType::Producer);
    assert_eq!(config.message_timestamp_type, TimestampType::CreateTime);
    assert_eq!((config.retention_ms, config.retention_bytes), (604_800_000, -1));
    assert_eq!((config.segment_ms, config.segment_bytes), (604_800_000, 1 << 30));
    assert_eq!(
        (config.flush_messages, config.max_message_bytes),
        (i64::MAX, 1_048_588)
    );
    assert_eq!(config.min_cleanable_dirty_ratio, 0.5);
}

#[test]
fn a_topic_goes_before_its_broker_and_milliseconds_before_hours() {
    let mut broker = BrokerConfig {
        started: map(&[
            ("log.retention.hours", "2"),
            ("log.segment.bytes", "2000000"),
            ("log.roll.hours", "-1"),
        ]),
        ..BrokerConfig::default()
    };
    let config = TopicConfig::resolve(&map(&[("segment.bytes", "3000000")]), &broker);
    assert_eq!(
        (config.retention_ms, config.segment_bytes),
        (7_200_000, 3_000_000)
    );
    assert_eq!(config.segment_ms, -1);
    broker.cluster = map(&[("log.retention.ms", "5")]);
    assert_eq!(TopicConfig::resolve(&BTreeMap::new(), &broker).retention_ms, 5);
    broker.own = map(&[("log.retention.ms", "6")]);
    assert_eq!(TopicConfig::resolve(&BTreeMap::new(), &broker).retention_ms, 6);
    assert_eq!(
        broker.value("log.retention.ms"),
        Some(("6", Source::DynamicBroker))
    );
    assert_eq!(broker.value("num.io.threads"), Some(("8", Source::Default)));
}

#[test]
fn what_is_wrong_is_said_in_the_words_of_kafka() {
    for unknown in ["foo", "internal.segment.bytes"] {
        assert_eq!(
            refused(unknown, "1"),
            format!("Unknown topic config name: {unknown}")
        );
    }
    assert_eq!(
        refused("retention.ms", "9223372036854775808"),
        "Invalid value 9223372036854775808 for configuration retention.ms: Not a number of type LONG"
    );
    assert_eq!(
        refused("segment.bytes", "3000000000"),
        "Invalid value 3000000000 for configuration segment.bytes: Not a number of type INT"
    );
    assert_eq!(
        refused("cleanup.policy", "delete,foo"),
        "Invalid value foo for configuration cleanup.policy: String must be one of: compact, delete"
    );
    assert_eq!(
        refused("compression.gzip.level", "0"),
        "Invalid value 0 for configuration compression.gzip.level: Value must be between 1 and 9 or equal to -1"
    );
    assert_eq!(
        refused("min.cleanable.dirty.ratio", "1.5"),
        "Invalid value 1.5 for configuration min.cleanable.dirty.ratio: Value must be no more than 1"
    );
    assert_eq!(
        refused("preallocate", "foo"),
        "Invalid value foo for configuration preallocate: Expected value to be either true or false"
    );
    assert_eq!(
        refused("leader.replication.throttled.replicas", "foo"),
        "Invalid value [foo] for configuration leader.replication.throttled.replicas: \
         leader.replication.throttled.replicas must be the literal '*' or a list of replicas in the following format: \
         [partitionId]:[brokerId],[partitionId]:[brokerId],..."
    );
    let pair = map(&[("min.compaction.lag.ms", "10"), ("max.compaction.lag.ms", "5")]);
    assert_eq!(
        topic::validate(&pair).unwrap_err(),
        "conflict topic config setting min.compaction.lag.ms (10) > max.compaction.lag.ms (5)"
    );
}

#[test]
fn what_kafka_takes_is_taken() {
    for (key, value) in [
        ("retention.ms", " 5 "),
        ("cleanup.policy", "compact, delete"),
        ("cleanup.policy", ""),
        ("preallocate", "TRUE"),
        ("leader.replication.throttled.replicas", "*"),
        ("leader.replication.throttled.replicas", "0:1,1:1"),
        ("compression.gzip.level", "-1"),
        ("retention.bytes", "-5"),
    ] {
        assert_eq!(topic::validate(&map(&[(key, value)])), Ok(()), "{key}={value}");
    }
}

/// What a client of the original is told of every broker's key.
#[test]
fn every_key_of_the_broker_is_described_as_by_the_original() {
    let path = "../compat-tests/facts/java-4.4.0/broker_definitions.json";
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let facts: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let told = super::describe::broker(&BrokerConfig::default());
    let mut names = Vec::new();
    for entry in told {
        let fact = &facts[&entry.name];
        let kind = format!("{:?}", entry.definition.unwrap().kind).to_uppercase();
        assert_eq!(fact["type"], kind, "{}", entry.name);
        assert_eq!(fact["sensitive"], entry.sensitive, "{}", entry.name);
        // Absent where a broker of the tests is started with it.
        if let Some(value) = fact.get("value") {
            assert_eq!(value.as_str(), entry.value.as_deref(), "{}", entry.name);
            let synonyms: Vec<&str> = fact["synonyms"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(|of| of[0].as_str())
                .collect();
            let own: Vec<&str> = entry.synonyms.iter().map(|(name, ..)| name.as_str()).collect();
            assert_eq!(synonyms, own, "{}", entry.name);
        }
        assert_eq!(fact["read only"], entry.read_only, "{}", entry.name);
        names.push(entry.name);
    }
    assert!(names.iter().eq(facts.keys()));
}
