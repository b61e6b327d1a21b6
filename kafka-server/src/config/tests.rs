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
    let (config, unknown) = applied(
        "process.roles=broker,controller\nnode.id=7\nlisteners=PLAINTEXT://:9092,CONTROLLER://:9093\n\
         advertised.listeners=PLAINTEXT://localhost:9092\ncontroller.listener.names=CONTROLLER\n\
         log.dirs=/tmp/logs\nnum.partitions=3\nnum.io.threads=8\nconnections.max.idle.ms=1000\n\
         log.retention.hours=168\n",
    );
    assert_eq!(unknown, ["num.io.threads", "process.roles"]);
    assert_eq!((config.node_id, config.num_partitions), (7, 3));
    assert_eq!(config.listeners.len(), 1);
    assert_eq!(config.listeners[0].bind, "0.0.0.0:9092");
    assert_eq!(config.listeners[0].advertised.as_deref(), Some("localhost:9092"));
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
        "num.partitions=many: not a value of type i32"
    );
    assert_eq!(
        refused("listeners=nowhere"),
        "listeners=nowhere: not of the form NAME://host:port"
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
