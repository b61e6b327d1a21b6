use super::*;
use server_kit::TlsOptions;
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

async fn outside(dynamic: &BrokerConfig) -> Listeners {
    let listener = config::Listener {
        name: "OUTSIDE".to_owned(),
        bind: "127.0.0.1:0".to_owned(),
        tls: Some(TlsOptions {
            certificates: PEM.to_owned(),
            key: PEM.to_owned(),
            ..TlsOptions::default()
        }),
        ..config::Listener::default()
    };
    let config = Config {
        listeners: vec![listener],
        ..Config::default()
    };
    Listeners::start(&config, dynamic).await.unwrap()
}

/// How many certificates would be renewed.
async fn renewed(
    listeners: &Listeners,
    now: &BrokerConfig,
    next: &BrokerConfig,
) -> Result<usize, AlterFault> {
    let change = listeners.prepare(now, next, false).await?;
    Ok(change.renewals.len())
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
    let refused = async |pairs: &[(&str, &str)]| {
        let told = renewed(&listeners, &nothing, &own(pairs)).await;
        told.unwrap_err().to_string()
    };
    let class = "Invalid value org.apache.kafka.common.config.ConfigException: Validation of dynamic config update of \
                 SSLFactory failed: org.apache.kafka.common.errors.InvalidConfigurationException: ";
    let end = " for configuration Invalid dynamic configuration";
    let load = "Failed to load PEM SSL keystore /nowhere";
    assert_eq!(
        refused(&[(location, "/nowhere")]).await,
        format!("{class}{load}{end}")
    );
    let trust = "listener.name.outside.ssl.truststore.location";
    assert_eq!(
        refused(&[(trust, "/nowhere")]).await,
        format!("{class}{load}{end}")
    );
    let password = "SSL key store is specified, but key store password is not specified.";
    let jks = ("listener.name.outside.ssl.keystore.type", "JKS");
    assert_eq!(refused(&[jks]).await, format!("{class}{password}{end}"));
    let again = own(&[(location, PEM)]);
    assert_eq!(renewed(&listeners, &nothing, &again).await.unwrap(), 1);
}

/// A file that was right when it was named, and is not any more, stays as it was read.
#[tokio::test]
async fn a_certificate_that_was_spoilt_later_refuses_nothing_else() {
    let gone = own(&[("listener.name.outside.ssl.keystore.location", "/nowhere")]);
    let listeners = outside(&gone).await;
    let mut next = gone.clone();
    next.own.insert("log.cleaner.threads".to_owned(), "2".to_owned());
    assert_eq!(renewed(&listeners, &gone, &next).await.unwrap(), 0);
}

/// Two that were set to swap their places, as far as one of them could.
#[tokio::test]
async fn what_was_set_and_cannot_be_opened_keeps_none_from_starting() {
    let free = || std::net::TcpListener::bind("127.77.0.1:0").unwrap();
    let held = [free(), free(), free()];
    let [first, second, taken] = held.each_ref().map(|one| one.local_addr().unwrap().to_string());
    let [one, other, _taken] = held;
    drop((one, other));
    let listener = |(name, bind): (&str, &String)| config::Listener {
        name: name.to_owned(),
        bind: bind.clone(),
        ..config::Listener::default()
    };
    let config = Config {
        listeners: [("A", &first), ("B", &second)].map(listener).to_vec(),
        ..Config::default()
    };
    let set = own(&[
        (LISTENERS, &format!("B://{first},A://{taken}")),
        (PROTOCOLS, "A:PLAINTEXT,B:PLAINTEXT"),
    ]);
    let swapped = wanted(&config.listeners, &config.listeners, &set).unwrap();
    assert_eq!(swapped[0].bind, first);
    let listeners = Listeners::start(&config, &set).await.unwrap();
    let open = listeners.open();
    let places: Vec<_> = open
        .iter()
        .map(|one| one.listener.address().to_string())
        .collect();
    assert_eq!(places, [first, second]);
}
