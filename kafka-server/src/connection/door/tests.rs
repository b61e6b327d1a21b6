use super::*;
use std::collections::BTreeMap;

const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
/// The places of the listeners of [`entrance`].
const PLAIN: usize = 0;
const OUTSIDE: usize = 1;

fn cluster(pairs: &[(&str, &str)]) -> BrokerConfig {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    BrokerConfig {
        cluster: pairs.iter().map(owned).collect(),
        started: BTreeMap::from([("max.connections".to_owned(), "5".to_owned())]),
        ..BrokerConfig::default()
    }
}

async fn entrance(config: BrokerConfig, spared: &str) -> Entrance {
    let limits = Limits {
        connections_max: 5,
        ..Limits::default()
    };
    let listeners = Arc::new(Listeners::start(Vec::new(), &config).await);
    let names = ["PLAIN", "OUTSIDE"].map(Arc::from).to_vec();
    Entrance::new(
        limits,
        Arc::new(ArcSwap::from_pointee(config)),
        listeners,
        names,
        spared,
    )
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
        let door = entrance(cluster(set), "").await.door(OUTSIDE, HOME);
        let found = (door.connections_max, door.of_listener_max, door.from_ip_max);
        assert_eq!(found, (total, of_listener, from_ip), "{set:?}");
    }
}

#[tokio::test]
async fn connections_follow_the_limits_of_the_moment() {
    let entrance = entrance(cluster(&[]), "").await;
    let set = |pairs: &[(&str, &str)]| entrance.config.store(Arc::new(cluster(pairs)));
    let _first = entrance.enter(PLAIN, HOME).unwrap();
    set(&[("max.connections", "1")]);
    assert_eq!(entrance.enter(PLAIN, HOME).unwrap_err(), NoSeat::Full);
    set(&[("max.connections", "2")]);
    let _second = entrance.enter(PLAIN, HOME).unwrap();
    set(&[("max.connections.per.ip", "2")]);
    assert_eq!(entrance.enter(PLAIN, HOME).unwrap_err(), NoSeat::Address);
    assert!(entrance.enter(PLAIN, "10.0.0.1".parse().unwrap()).is_ok());
    set(&[("listener.name.plain.max.connections", "2")]);
    assert_eq!(entrance.enter(PLAIN, HOME).unwrap_err(), NoSeat::Full);
    assert!(entrance.enter(OUTSIDE, HOME).is_ok());
}

#[tokio::test]
async fn the_listener_of_brokers_takes_who_comes_when_the_others_are_full() {
    let entrance = entrance(cluster(&[("max.connections", "1")]), "PLAIN").await;
    let first = entrance.enter(OUTSIDE, HOME).unwrap();
    assert_eq!(entrance.enter(OUTSIDE, HOME).unwrap_err(), NoSeat::Full);
    let _second = entrance.enter(PLAIN, HOME).unwrap();
    assert_eq!(first.watched().told(), server_kit::Told::Close);
    assert_eq!(
        entrance.enter(PLAIN, HOME).unwrap_err(),
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
    let entrance = entrance(rates, "").await;
    let wait = |listener, ms: u64| entrance.wait(listener, Duration::from_millis(ms)).as_millis();
    assert_eq!([1000, 1100, 1200].map(|ms| wait(OUTSIDE, ms)), [0, 0, 800]);
    assert_eq!(
        (wait(PLAIN, 1200), wait(PLAIN, 1300)),
        (0, 700),
        "all listeners together"
    );
    assert_eq!([2000, 2000, 2999].map(|ms| wait(OUTSIDE, ms)), [0, 0, 1]);
}
