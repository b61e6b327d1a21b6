use super::*;
use std::collections::BTreeMap;

const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn cluster(pairs: &[(&str, &str)]) -> BrokerConfig {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    BrokerConfig {
        cluster: pairs.iter().map(owned).collect(),
        started: BTreeMap::from([("max.connections".to_owned(), "5".to_owned())]),
        ..BrokerConfig::default()
    }
}

/// A way in by the listeners PLAIN and OUTSIDE, of which `spared` is that of brokers.
async fn entrance(dynamic: BrokerConfig, spared: &str) -> (Entrance, [Arc<Way>; 2]) {
    let listener = |name: &str| crate::Listener {
        name: name.to_owned(),
        bind: "127.0.0.1:0".to_owned(),
        ..crate::Listener::default()
    };
    let config = crate::Config {
        listeners: ["PLAIN", "OUTSIDE"].map(listener).to_vec(),
        properties: BTreeMap::from([("inter.broker.listener.name".to_owned(), spared.to_owned())]),
        ..crate::Config::default()
    };
    let limits = Limits {
        connections_max: 5,
        ..Limits::default()
    };
    let listeners = Arc::new(Listeners::start(&config, &dynamic).await.unwrap());
    let ways = [0, 1].map(|at| listeners.open()[at].way.clone());
    let entrance = Entrance::new(limits, Arc::new(ArcSwap::from_pointee(dynamic)), listeners);
    (entrance, ways)
}

#[tokio::test]
async fn limits_set_while_it_runs_go_first() {
    for (set, total, of_listener, from_ip) in [
        (&[][..], 5, 5, i32::MAX as usize),
        (
            &[("max.connections", "7"), ("max.connections.per.ip", "2")],
            7,
            7,
            2,
        ),
        (
            &[("listener.name.outside.max.connections", "3")],
            5,
            3,
            i32::MAX as usize,
        ),
        (
            &[
                ("max.connections.per.ip", "2"),
                ("max.connections.per.ip.overrides", "::1:9,127.0.0.1:3"),
            ],
            5,
            5,
            3,
        ),
    ] {
        let (entrance, [_, outside]) = entrance(cluster(set), "").await;
        let door = entrance.door(&outside, HOME);
        let found = (door.connections_max, door.of_listener_max, door.from_ip_max);
        assert_eq!(found, (total, of_listener, from_ip), "{set:?}");
    }
}

#[tokio::test]
async fn connections_follow_the_limits_of_the_moment() {
    let (entrance, [plain, outside]) = entrance(cluster(&[]), "").await;
    let set = |pairs: &[(&str, &str)]| entrance.config.store(Arc::new(cluster(pairs)));
    let _first = entrance.enter(&plain, HOME).unwrap();
    set(&[("max.connections", "1")]);
    assert_eq!(entrance.enter(&plain, HOME).unwrap_err(), NoSeat::Full);
    set(&[("max.connections", "2")]);
    let _second = entrance.enter(&plain, HOME).unwrap();
    set(&[("max.connections.per.ip", "2")]);
    assert_eq!(entrance.enter(&plain, HOME).unwrap_err(), NoSeat::Address);
    assert!(entrance.enter(&plain, "10.0.0.1".parse().unwrap()).is_ok());
    set(&[("listener.name.plain.max.connections", "2")]);
    assert_eq!(entrance.enter(&plain, HOME).unwrap_err(), NoSeat::Full);
    assert!(entrance.enter(&outside, HOME).is_ok());
}

#[tokio::test]
async fn the_listener_of_brokers_takes_who_comes_when_the_others_are_full() {
    let (entrance, [plain, outside]) = entrance(cluster(&[("max.connections", "1")]), "PLAIN").await;
    let first = entrance.enter(&outside, HOME).unwrap();
    assert_eq!(entrance.enter(&outside, HOME).unwrap_err(), NoSeat::Full);
    let _second = entrance.enter(&plain, HOME).unwrap();
    assert_eq!(first.watched().told(), server_kit::Told::Close);
    assert_eq!(
        entrance.enter(&plain, HOME).unwrap_err(),
        NoSeat::Full,
        "its own limit is the same"
    );
}

#[tokio::test]
async fn so_many_in_a_second_and_no_more() {
    let rates = cluster(&[
        ("max.connection.creation.rate", "3"),
        ("listener.name.outside.max.connection.creation.rate", "2"),
    ]);
    let (entrance, [plain, outside]) = entrance(rates, "").await;
    let wait = |listener: &Way, ms: u64| entrance.wait(listener, Duration::from_millis(ms)).as_millis();
    assert_eq!([1000, 1100, 1200].map(|ms| wait(&outside, ms)), [0, 0, 800]);
    assert_eq!(
        (wait(&plain, 1200), wait(&plain, 1300)),
        (0, 700),
        "all listeners together"
    );
    assert_eq!([2000, 2000, 2999].map(|ms| wait(&outside, ms)), [0, 0, 1]);
}
