use crate::{
    broker::Broker,
    config::{
        Config,
        alter::{self, Change, Operation, Scope},
        broker::Source,
        describe,
    },
    core::topics::Wanted,
    error::ApiError,
    wire::ResponseError,
};
use std::sync::Arc;

async fn broker() -> Arc<Broker> {
    let broker = Broker::in_memory(Config::default()).await;
    broker.create_topics(&[Wanted::by_default("t")], false).await;
    broker
}

async fn alter(
    broker: &Broker,
    (scope, name): (Scope, &str),
    operation: Operation,
    key: &str,
    value: &str,
) -> Result<(), ApiError> {
    let change = Change {
        name: key.to_owned(),
        operation,
        value: Some(value.to_owned()),
    };
    let changes = [change];
    broker
        .configs
        .alter(&broker.topics, scope, name, false, |now, config| {
            alter::apply(scope, now, &changes, config)
        })
        .await
}

const T: (Scope, &str) = (Scope::Topic, "t");
const ME: (Scope, &str) = (Scope::Broker, "1");
const ALL: (Scope, &str) = (Scope::Cluster, "");
const G: (Scope, &str) = (Scope::Group, "g");

async fn refused(broker: &Broker, of: (Scope, &str), key: &str, value: &str) -> (ResponseError, String) {
    let error = alter(broker, of, Operation::Set, key, value).await.unwrap_err();
    (error.code, error.message.unwrap())
}

fn retention(broker: &Broker) -> i64 {
    broker.topics.image().get("t").unwrap().config.retention_ms
}

#[tokio::test]
async fn a_topic_follows_its_own_keys_then_the_brokers() {
    let broker = broker().await;
    alter(&broker, ALL, Operation::Set, "log.retention.ms", "1000")
        .await
        .unwrap();
    assert_eq!(retention(&broker), 1000);
    alter(&broker, ME, Operation::Set, "log.retention.ms", "2000")
        .await
        .unwrap();
    assert_eq!(retention(&broker), 2000);
    alter(&broker, T, Operation::Set, "retention.ms", "3000")
        .await
        .unwrap();
    assert_eq!(retention(&broker), 3000);
    let partition = broker.topics.image().get("t").unwrap().partitions[0].clone();
    assert_eq!(partition.policy().retention_ms, Some(3000));
    for of in [T, ME, ALL] {
        let key = if of == T {
            "retention.ms"
        } else {
            "log.retention.ms"
        };
        alter(&broker, of, Operation::Delete, key, "").await.unwrap();
    }
    assert_eq!(retention(&broker), 604_800_000);
    assert!(Arc::ptr_eq(
        &partition,
        &broker.topics.image().get("t").unwrap().partitions[0]
    ));
}

#[tokio::test]
async fn lists_are_appended_to_and_subtracted_from() {
    let broker = broker().await;
    let policy = || {
        let image = broker.topics.image();
        let config = &image.get("t").unwrap().record.config;
        config.get("cleanup.policy").cloned()
    };
    alter(&broker, T, Operation::Append, "cleanup.policy", "compact")
        .await
        .unwrap();
    alter(&broker, T, Operation::Append, "cleanup.policy", "compact")
        .await
        .unwrap();
    assert_eq!(policy().unwrap(), "delete,compact");
    alter(&broker, T, Operation::Subtract, "cleanup.policy", "delete")
        .await
        .unwrap();
    assert_eq!(policy().unwrap(), "compact");
    let error = alter(&broker, T, Operation::Append, "retention.ms", "1")
        .await
        .unwrap_err();
    assert_eq!(
        error.message.unwrap(),
        "Can't APPEND to key retention.ms because its type is not LIST."
    );
}

#[tokio::test]
async fn what_is_refused_is_refused_as_by_kafka() {
    let broker = broker().await;
    let request = |why: &str| (ResponseError::InvalidRequest, why.to_owned());
    let config = |why: &str| (ResponseError::InvalidConfig, why.to_owned());
    assert_eq!(
        refused(&broker, ME, "node.id", "2").await,
        request("Cannot update these configs dynamically: [node.id]")
    );
    assert_eq!(
        refused(&broker, ALL, "ssl.keystore.location", "/x").await,
        request(
            "These security configs can be dynamically updated only per-listener using the listener prefix: \
             [ssl.keystore.location]"
        )
    );
    assert_eq!(
        refused(&broker, ME, "log.segment.bytes", "1").await,
        request("Invalid value 1 for configuration log.segment.bytes: Value must be at least 1048576")
    );
    assert_eq!(
        refused(&broker, G, "consumer.session.timeout.ms", "1").await,
        config(
            "consumer.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms"
        )
    );
    assert_eq!(
        refused(&broker, G, "streams.num.standby.replicas", "9").await,
        config(
            "streams.num.standby.replicas must be less than or equal to group.streams.max.standby.replicas"
        )
    );
    assert_eq!(
        refused(&broker, (Scope::ClientMetrics, "m"), "interval.ms", "5").await,
        request("Invalid value 5 for interval.ms, interval must be between 100 and 3600000 (1 hour)")
    );
    let (code, why) = refused(&broker, (Scope::Topic, "none"), "retention.ms", "5").await;
    assert_eq!(
        (code, why.as_str()),
        (
            ResponseError::UnknownTopicOrPartition,
            "The topic 'none' does not exist."
        )
    );
}

#[tokio::test]
async fn settings_outlive_the_broker() {
    let first = broker().await;
    alter(&first, ALL, Operation::Set, "message.max.bytes", "5000")
        .await
        .unwrap();
    alter(&first, G, Operation::Set, "consumer.session.timeout.ms", "50000")
        .await
        .unwrap();
    let (shard, clock, random) = (first.shard.clone(), first.clock.clone(), first.random.clone());
    let again = Broker::over(Config::default(), shard, clock, random).await;
    assert_eq!(
        again.topics.image().get("t").unwrap().config.max_message_bytes,
        5000
    );
    assert_eq!(
        again.configs.group_value("g", "consumer.session.timeout.ms"),
        Some(50_000)
    );
}

#[tokio::test]
async fn descriptions_say_who_set_what() {
    let broker = broker().await;
    alter(&broker, ALL, Operation::Set, "log.retention.ms", "1000")
        .await
        .unwrap();
    alter(&broker, ME, Operation::Set, "foo.bar", "9").await.unwrap();
    let config = broker.dynamic.load();
    let topic = describe::topic(&Default::default(), &config);
    let entry = topic.iter().find(|entry| entry.name == "retention.ms").unwrap();
    assert_eq!(
        (entry.value.as_deref(), entry.source),
        (Some("1000"), Source::DynamicDefault)
    );
    let under: Vec<_> = entry
        .synonyms
        .iter()
        .map(|(name, _, source)| (name.as_str(), *source))
        .collect();
    assert_eq!(
        under,
        [
            ("log.retention.ms", Source::DynamicDefault),
            ("log.retention.hours", Source::Default)
        ]
    );
    let all = describe::broker(&config);
    let opaque = all.iter().find(|entry| entry.name == "foo.bar").unwrap();
    assert!(opaque.sensitive && opaque.read_only && opaque.value.is_none());
    assert_eq!(describe::cluster(&config).len(), 1);
}

/// A change and what Kafka 4.3.1 said to it when it was asked the same.
const ASKED: &[((Scope, &str), &str, &str, &str)] = &[
    (
        ME,
        "ssl.key.password",
        "x",
        "These security configs can be dynamically updated only per-listener using the listener prefix: \
         [ssl.key.password]",
    ),
    (
        ALL,
        "ssl.client.auth",
        "required",
        "Cannot update these configs at default cluster level, broker id must be specified: [ssl.client.auth]",
    ),
    (
        ALL,
        "sasl.enabled.mechanisms",
        "PLAIN",
        "Cannot update these configs at default cluster level, broker id must be specified: [sasl.enabled.mechanisms]",
    ),
    (
        ALL,
        "listener.name.outside.ssl.keystore.location",
        "/x",
        "Cannot update these configs at default cluster level, broker id must be specified: \
         [listener.name.outside.ssl.keystore.location]",
    ),
    (
        ME,
        "listener.name.two.max.connections",
        "0",
        "Invalid value org.apache.kafka.common.config.ConfigException: Invalid max.connections 0 for configuration \
         Invalid dynamic configuration",
    ),
    (
        ME,
        "listener.name.two.max.connections",
        "-1",
        "Invalid value -1 for configuration max.connections: Value must be at least 0",
    ),
    (
        ME,
        "listener.name.two.max.connections",
        "x",
        "Invalid value x for configuration max.connections: Not a number of type INT",
    ),
    (
        ME,
        "listener.name.two.max.connection.creation.rate",
        "0",
        "Invalid value org.apache.kafka.common.config.ConfigException: Invalid max.connection.creation.rate 0 for \
         configuration Invalid dynamic configuration",
    ),
    (
        ME,
        "listener.name.two.num.network.threads",
        "100",
        "Invalid value org.apache.kafka.common.config.ConfigException: Dynamic thread count update validation failed for \
         num.network.threads=100, value should not be greater than double the current value 3 for configuration Invalid \
         dynamic configuration",
    ),
    (
        ALL,
        "max.connections",
        "0",
        "Invalid value org.apache.kafka.common.config.ConfigException: Invalid max.connections 0 for configuration \
         Invalid dynamic configuration",
    ),
    (
        ALL,
        "max.connections.per.ip",
        "0",
        "requirement failed: max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides property \
         is set.",
    ),
    (
        ALL,
        "max.connections.per.ip.overrides",
        "localhost",
        "Error parsing configuration property 'max.connections.per.ip.overrides': begin 0, end -1, length 9",
    ),
    (
        ALL,
        "max.connections.per.ip.overrides",
        "localhost:x",
        "For input string: \"x\"",
    ),
    (
        ALL,
        "max.connections.per.ip.overrides",
        "a b:1",
        "max.connections.per.ip.overrides contains invalid addresses : a b",
    ),
    (
        ME,
        "advertised.listeners",
        "PLAINTEXT://127.0.0.1:19092",
        "Cannot update these configs dynamically: [advertised.listeners]",
    ),
    (
        ME,
        "cordoned.log.dirs",
        "/nowhere",
        "requirement failed: All entries in cordoned.log.dirs must be present in log.dirs or log.dir. Missing entries : \
         /nowhere",
    ),
    (
        ALL,
        "log.cleaner.threads",
        "10",
        "Invalid value org.apache.kafka.common.config.ConfigException: Log cleaner threads cannot be increased to more \
         than double the current value 1 for configuration Invalid dynamic configuration",
    ),
    (
        ALL,
        "log.retention.ms",
        "0",
        "requirement failed: log.retention.ms must be unlimited (-1) or, greater than or equal to 1",
    ),
];

#[tokio::test]
async fn what_the_original_refused_is_refused_in_its_words() {
    let broker = broker().await;
    for (of, key, value, why) in ASKED {
        let told = refused(&broker, *of, key, value).await;
        assert_eq!(
            told,
            (ResponseError::InvalidRequest, (*why).to_owned()),
            "{key}={value}"
        );
    }
}

/// As the original took these, and as it told them afterwards.
#[tokio::test]
async fn keys_of_one_listener_are_taken_and_told() {
    let broker = broker().await;
    let limit = "listener.name.two.max.connections";
    for (of, value) in [(ME, "5"), (ALL, "6")] {
        alter(&broker, of, Operation::Set, limit, value).await.unwrap();
    }
    for key in [
        "listener.name.two.no.such",
        "listener.name.none.ssl.keystore.location",
    ] {
        alter(&broker, ME, Operation::Set, key, "4").await.unwrap();
    }
    let told =
        |name: &str, entries: Vec<describe::Entry>| entries.into_iter().find(|entry| entry.name == name);
    let mine = told(limit, describe::broker(&broker.dynamic.load())).unwrap();
    assert_eq!((mine.value.as_deref(), mine.read_only), (Some("5"), true));
    let synonym = |name: &str, value: &str, source| (name.to_owned(), Some(value.to_owned()), source);
    assert_eq!(
        mine.synonyms,
        [
            synonym(limit, "5", Source::DynamicBroker),
            synonym(limit, "6", Source::DynamicDefault),
            synonym("max.connections", "2147483647", Source::Default),
        ]
    );
    let all = told(limit, describe::cluster(&broker.dynamic.load())).unwrap();
    assert_eq!((all.value.as_deref(), all.read_only), (Some("6"), true));
}

/// Where the original goes further: docs/compat/kafka-administration.md says so.
#[tokio::test]
async fn classes_are_kept_without_effect() {
    let broker = broker().await;
    for key in ["metric.reporters", "principal.builder.class"] {
        alter(&broker, ME, Operation::Set, key, "x.Y").await.unwrap();
    }
}

const EXTRA: &str = "EXTRA://127.0.0.1:0";
const MAP: &str = "PLAINTEXT:PLAINTEXT,EXTRA:PLAINTEXT,SEC:SSL";

/// Where the listeners are that `broker` has, by their names.
fn open(broker: &Broker) -> Vec<(String, std::net::SocketAddr)> {
    let open = broker.listeners.open();
    let told = open
        .iter()
        .map(|one| (one.asked.name.clone(), one.listener.address()));
    told.collect()
}

async fn listen(broker: &Broker, listeners: &str) -> Result<(), ApiError> {
    alter(broker, ME, Operation::Set, "listeners", listeners).await
}

/// A broker whose other listeners may be closed again.
async fn advertising() -> Arc<Broker> {
    let properties = [
        ("advertised.listeners", "PLAINTEXT://127.0.0.1:9092"),
        ("listener.security.protocol.map", MAP),
    ];
    let properties = properties.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let config = Config {
        properties: properties.into(),
        ..Config::default()
    };
    Broker::in_memory(config).await
}

#[tokio::test]
async fn listeners_are_opened_moved_and_closed() {
    let broker = advertising().await;
    let plain = format!("PLAINTEXT://{}", open(&broker)[0].1);
    listen(&broker, &format!("{plain},{EXTRA}")).await.unwrap();
    let first = open(&broker);
    assert_eq!(first.len(), 2);
    let ways: Vec<_> = broker.listeners.open().iter().map(|one| one.way.number).collect();
    // Said as it came about, it stays where it is; said otherwise, it moves.
    let extra = first[1].1;
    listen(&broker, &format!("{plain},EXTRA://{extra}"))
        .await
        .unwrap();
    assert_eq!(open(&broker), first);
    listen(&broker, &format!("{plain},EXTRA://127.0.0.2:0"))
        .await
        .unwrap();
    let moved = open(&broker);
    assert_eq!(
        (&moved[0], moved[1].1.ip().to_string()),
        (&first[0], "127.0.0.2".to_owned())
    );
    let after: Vec<_> = broker.listeners.open().iter().map(|one| one.way.number).collect();
    assert_eq!(ways, after, "a listener that moves stays the same");
    assert_eq!(
        broker.address("EXTRA"),
        ("127.0.0.2".to_owned(), moved[1].1.port())
    );
    // Who comes takes over from who goes.
    alter(
        &broker,
        ME,
        Operation::Set,
        "listener.security.protocol.map",
        "PLAINTEXT:PLAINTEXT,EXTRA:PLAINTEXT,B:PLAINTEXT",
    )
    .await
    .unwrap();
    listen(&broker, &format!("{plain},B://{}", moved[1].1))
        .await
        .unwrap();
    assert_eq!(
        broker.address("EXTRA"),
        ("127.0.0.2".to_owned(), moved[1].1.port()),
        "who is still connected is told what it was"
    );
    assert_eq!(open(&broker)[1], ("B".to_owned(), moved[1].1));
    alter(&broker, ME, Operation::Delete, "listeners", "")
        .await
        .unwrap();
    assert_eq!(open(&broker), first[..1]);
}

/// The texts are those of the original, asked the same, but for the last two: it takes these and says so in its log.
#[tokio::test]
async fn listeners_that_cannot_be_are_refused() {
    let broker = advertising().await;
    let plain = format!("PLAINTEXT://{}", open(&broker)[0].1);
    let before = open(&broker);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap();
    let class = "Invalid value org.apache.kafka.common.config.ConfigException: ";
    for (listeners, why) in [
        ("".to_owned(), "Configuration 'listeners' must not be empty. Valid values include: any non-empty value".to_owned()),
        (
            "nonsense".to_owned(),
            "Error creating broker listeners from '[nonsense]': Unable to parse nonsense to a broker endpoint".to_owned(),
        ),
        (
            format!("{plain},OTHER://127.0.0.1:1"),
            format!("Error creating broker listeners from '[{plain}, OTHER://127.0.0.1:1]': No security protocol defined for listener OTHER"),
        ),
        (
            format!("{plain},PLAINTEXT://127.0.0.1:1"),
            format!("Error creating broker listeners from '[{plain}, PLAINTEXT://127.0.0.1:1]': Each listener must have a different name, listeners: [{plain}, PLAINTEXT://127.0.0.1:1]"),
        ),
        (
            "PLAINTEXT://127.0.0.1:9,EXTRA://127.0.0.1:9".to_owned(),
            "Error creating broker listeners from '[PLAINTEXT://127.0.0.1:9, EXTRA://127.0.0.1:9]': If you have two listeners on the same port then one needs to be IPv4 and the other IPv6, listeners: [PLAINTEXT://127.0.0.1:9, EXTRA://127.0.0.1:9], port: 9".to_owned(),
        ),
        (
            EXTRA.to_owned(),
            "requirement failed: advertised.listeners listener names must be equal to or a subset of the ones defined in listeners. Found PLAINTEXT. The valid options based on the current configuration are EXTRA".to_owned(),
        ),
        (format!("{plain},EXTRA://{taken}"), format!("Socket server failed to bind to {taken}: Address already in use.")),
        (format!("{plain},SEC://127.0.0.1:0"), "ssl.keystore.location=: an SSL listener needs a certificate".to_owned()),
    ] {
        let told = refused(&broker, ME, "listeners", &listeners).await;
        assert_eq!(told, (ResponseError::InvalidRequest, why), "{listeners}");
    }
    assert_eq!(
        refused(&broker, ALL, "listeners", &plain).await.1,
        "Cannot update these configs at default cluster level, broker id must be specified: [listeners]"
    );
    let map = "listener.security.protocol.map";
    listen(&broker, &format!("{plain},{EXTRA}")).await.unwrap();
    for (value, why) in [
        (
            "EXTRA",
            format!("Error parsing configuration property '{map}': begin 0, end -1, length 5"),
        ),
        (
            "EXTRA:NONSENSE",
            format!("Invalid security protocol `NONSENSE` defined in {map}"),
        ),
        (
            "PLAINTEXT:PLAINTEXT,EXTRA:SSL",
            format!(
                "{class}Security protocol cannot be updated for existing listener ListenerName(EXTRA) for configuration Invalid dynamic configuration"
            ),
        ),
    ] {
        assert_eq!(refused(&broker, ME, map, value).await.1, why, "{value}");
    }
    assert_eq!(open(&broker)[..1], before);
}

/// Without `advertised.listeners` every listener is advertised, and stays.
#[tokio::test]
async fn what_is_advertised_stays() {
    let broker = broker().await;
    let plain = format!("PLAINTEXT://{}", open(&broker)[0].1);
    alter(&broker, ME, Operation::Set, "listener.security.protocol.map", MAP)
        .await
        .unwrap();
    listen(&broker, &format!("{plain},{EXTRA}")).await.unwrap();
    assert_eq!(
        refused(&broker, ME, "listeners", &plain).await.1,
        "Invalid value org.apache.kafka.common.config.ConfigException: Advertised listeners 'Set(ListenerName(PLAINTEXT), \
         ListenerName(EXTRA))' must be a subset of listeners 'Set(ListenerName(PLAINTEXT))' for configuration Invalid \
         dynamic configuration"
    );
    assert_eq!(
        refused(&broker, ME, "listeners", EXTRA).await.1,
        "requirement failed: inter.broker.listener.name must be a listener name defined in advertised.listeners. The valid \
         options based on currently configured listeners are EXTRA"
    );
}
