use super::{Config, parse_properties, properties::HONOURED};
use std::time::Duration;

fn applied(text: &str) -> (Config, Vec<String>) {
    let mut config = Config::default();
    let unknown = config.apply(parse_properties(text)).unwrap();
    (config, unknown)
}

fn refused(text: &str) -> String {
    Config::default()
        .apply(parse_properties(text))
        .unwrap_err()
        .to_string()
}

#[test]
fn the_honoured_keys_are_sorted() {
    assert!(HONOURED.windows(2).all(|pair| pair[0] < pair[1]));
}

#[test]
fn properties_are_read_as_java_reads_them() {
    let read = parse_properties("# no\n! no\n a = 1 \nb:2\nc 3\nd=x\\\n   y\ne\\=f=\\u0041\\\\\nempty=\n");
    let pairs: Vec<_> = read
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        pairs,
        [
            ("a", "1"),
            ("b", "2"),
            ("c", "3"),
            ("d", "xy"),
            ("e=f", "A\\"),
            ("empty", "")
        ]
    );
}

#[test]
fn the_file_of_a_stock_installation_is_taken() {
    // What the archive of 4.x has as config/server.properties, without its comments.
    let (config, unknown) = applied(
        "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.bootstrap.servers=localhost:9093\n\
         listeners=PLAINTEXT://:9092,CONTROLLER://:9093\ninter.broker.listener.name=PLAINTEXT\n\
         advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093\n\
         controller.listener.names=CONTROLLER\nlistener.security.protocol.map=CONTROLLER:PLAINTEXT,\
         PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL\nnum.network.threads=3\n\
         num.io.threads=8\nsocket.send.buffer.bytes=102400\nsocket.receive.buffer.bytes=102400\n\
         socket.request.max.bytes=104857600\nlog.dirs=/tmp/kraft-combined-logs\nnum.partitions=1\n\
         num.recovery.threads.per.data.dir=1\noffsets.topic.replication.factor=1\n\
         share.coordinator.state.topic.replication.factor=1\nshare.coordinator.state.topic.min.isr=1\n\
         transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n\
         log.retention.hours=168\nlog.segment.bytes=1073741824\nlog.retention.check.interval.ms=300000\n",
    );
    assert!(unknown.contains(&"num.io.threads".to_owned()), "{unknown:?}");
    assert!(!unknown.contains(&"log.dirs".to_owned()), "{unknown:?}");
    assert_eq!(config.listeners.len(), 1);
    assert_eq!(config.listeners[0].bind, "0.0.0.0:9092");
    assert_eq!(config.listeners[0].advertised.as_deref(), Some("localhost:9092"));
    assert_eq!((config.node_id, config.num_partitions), (1, 1));
    assert_eq!(config.log_dir, "/tmp/kraft-combined-logs");
}

#[test]
fn what_concerns_the_start_is_taken_from_the_file() {
    let (config, unknown) = applied(
        "process.roles=broker,controller\nnode.id=7\nnum.partitions=3\nnum.io.threads=8\n\
         connections.max.idle.ms=1000\nlog.retention.hours=168\nlog.dirs=/tmp/logs\n",
    );
    assert_eq!(unknown, ["num.io.threads", "process.roles"]);
    assert_eq!((config.node_id, config.num_partitions), (7, 3));
    assert_eq!(config.limits.connections_idle_max, Some(Duration::from_secs(1)));
    assert_eq!(config.property::<i64>("log.retention.hours"), Some(168));
    assert_eq!(config.log_dir, "/tmp/logs");
}

#[test]
fn an_ssl_listener_takes_its_own_keys_first() {
    let (config, unknown) = applied(
        "listeners=IN://127.0.0.1:1,OUT://[::1]:2\nlistener.security.protocol.map=IN:PLAINTEXT,OUT:SSL\n\
         ssl.keystore.location=/common.pem\nlistener.name.out.ssl.keystore.location=/out.pem\n\
         ssl.keystore.type=PEM\nssl.client.auth=required\nssl.truststore.location=/ca.pem\n",
    );
    assert_eq!(unknown, Vec::<String>::new());
    assert_eq!(config.listeners[0].tls, None);
    let tls = config.listeners[1].tls.as_ref().unwrap();
    assert_eq!(
        (tls.certificates.as_str(), tls.key.as_str()),
        ("/out.pem", "/out.pem")
    );
    assert_eq!(
        (tls.client_ca.as_deref(), tls.client_required),
        (Some("/ca.pem"), true)
    );
}

#[test]
fn what_cannot_be_taken_is_named() {
    assert_eq!(
        refused("num.partitions=many"),
        "Invalid value many for configuration num.partitions: Not a number of type INT"
    );
    assert_eq!(
        refused("log.cleanup.policy=bogus"),
        "Invalid value bogus for configuration log.cleanup.policy: String must be one of: compact, delete"
    );
    assert_eq!(
        refused("listeners=SSL://:1\nlistener.name.ssl.ssl.client.auth=maybe"),
        "Invalid value maybe for configuration ssl.client.auth: String must be one of: required, requested, none"
    );
    assert_eq!(
        refused("listeners=nowhere"),
        "Error creating broker listeners from '[nowhere]': Unable to parse nowhere to a broker endpoint"
    );
    assert_eq!(
        refused("listeners=SASL_SSL://:9092"),
        "listeners=SASL_SSL: security protocol SASL_SSL is not served"
    );
    assert_eq!(
        refused("advertised.listeners=OTHER://x:1"),
        "advertised.listeners=OTHER: no such listener"
    );
}

#[test]
fn listeners_are_told_as_they_are() {
    let (mut config, _) = applied(
        "listeners=CONTROLLER://:9093,PLAINTEXT://:9092,two://[::1]:1\ncontroller.listener.names=CONTROLLER\n\
         listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,TWO:PLAINTEXT\n",
    );
    let told = |config: &Config| super::listeners::listeners_of(&config.properties, &config.listeners);
    assert_eq!(
        told(&config),
        "PLAINTEXT://:9092,two://[::1]:1,CONTROLLER://:9093"
    );
    // As by a flag.
    config.listeners[0].bind = "127.0.0.1:0".to_owned();
    assert_eq!(
        told(&config),
        "PLAINTEXT://127.0.0.1:0,two://[::1]:1,CONTROLLER://:9093"
    );
    let secured = super::Listener {
        name: "PLAINTEXT".to_owned(),
        tls: Some(Default::default()),
        ..Default::default()
    };
    let map = super::listeners::protocols_of(None, &[secured]).unwrap();
    assert_eq!(
        map,
        "PLAINTEXT:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL"
    );
    assert_eq!(
        super::listeners::protocols_of(None, &Config::default().listeners),
        None
    );
}

#[test]
fn truth_is_read_in_any_case() {
    let (config, unknown) = applied("auto.create.topics.enable=FALSE\ndelete.topic.enable = False\n");
    assert_eq!(unknown, Vec::<String>::new());
    assert!(!config.auto_create_topics);
    assert_eq!(config.properties["delete.topic.enable"], "false");
    assert_eq!(config.property::<bool>("delete.topic.enable"), Some(false));
}

#[test]
fn a_key_of_one_listener_has_an_effect_only_where_listeners_differ_by_it() {
    let (_, unknown) = applied("listener.name.plaintext.connections.max.idle.ms=5\n");
    assert_eq!(unknown, ["listener.name.plaintext.connections.max.idle.ms"]);
}
