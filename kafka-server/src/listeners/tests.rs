use super::*;
use std::collections::BTreeMap;

/// A key and a certificate, as stock servers keep them.
const PEM: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../server-kit/src/stream/tests/server.pem"
);

fn own(pairs: &[(&str, &str)]) -> BrokerConfig {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    BrokerConfig {
        own: pairs.iter().map(owned).collect::<BTreeMap<_, _>>(),
        ..BrokerConfig::default()
    }
}

async fn outside(config: &BrokerConfig) -> Listeners {
    let started = TlsOptions {
        certificates: PEM.to_owned(),
        key: PEM.to_owned(),
        client_ca: None,
        client_required: false,
    };
    let acceptor = read(&started).unwrap();
    let name = "OUTSIDE".to_owned();
    Listeners::start(
        vec![Secured {
            name,
            started,
            acceptor,
        }],
        config,
    )
    .await
}

#[tokio::test]
async fn hosts_are_limited_by_address_and_by_name() {
    let config = own(&[(OVERRIDES, "localhost:3, ::1:4,10.0.0.1:-1,nobody.invalid:9")]);
    let listeners = outside(&config).await;
    let limit = |ip: &str| listeners.override_of(&config, ip.parse().unwrap());
    assert_eq!(limit("127.0.0.1"), Some(3));
    assert_eq!(limit("::ffff:127.0.0.1"), Some(3));
    assert_eq!(limit("::1"), Some(4));
    assert_eq!(limit("10.0.0.1"), Some(0));
    assert_eq!(limit("10.0.0.2"), None);
}

/// The texts are those of the original, asked the same.
#[tokio::test]
async fn certificates_that_cannot_be_read_are_refused() {
    let nothing = own(&[]);
    let listeners = outside(&nothing).await;
    let location = "listener.name.outside.ssl.keystore.location";
    let refused = |pairs: &[(&str, &str)]| listeners.read(&nothing, &own(pairs)).err().unwrap().to_string();
    let class = "Invalid value org.apache.kafka.common.config.ConfigException: Validation of dynamic config update of \
                 SSLFactory failed: org.apache.kafka.common.errors.InvalidConfigurationException: ";
    let end = " for configuration Invalid dynamic configuration";
    let load = "Failed to load PEM SSL keystore /nowhere";
    assert_eq!(refused(&[(location, "/nowhere")]), format!("{class}{load}{end}"));
    let trust = "listener.name.outside.ssl.truststore.location";
    assert_eq!(refused(&[(trust, "/nowhere")]), format!("{class}{load}{end}"));
    let password = "SSL key store is specified, but key store password is not specified.";
    let jks = ("listener.name.outside.ssl.keystore.type", "JKS");
    assert_eq!(refused(&[jks]), format!("{class}{password}{end}"));
    assert_eq!(
        listeners.read(&nothing, &own(&[(location, PEM)])).unwrap().len(),
        1
    );
}

/// A file that was right when it was named, and is not any more, stays as it was read.
#[tokio::test]
async fn a_certificate_that_was_spoilt_later_refuses_nothing_else() {
    let gone = own(&[("listener.name.outside.ssl.keystore.location", "/nowhere")]);
    let listeners = outside(&gone).await;
    let mut next = gone.clone();
    next.own.insert("log.cleaner.threads".to_owned(), "2".to_owned());
    assert!(listeners.read(&gone, &next).unwrap().is_empty());
}
