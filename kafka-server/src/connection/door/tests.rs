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

#[test]
fn limits_set_while_it_runs_go_first() {
    let limits = Limits {
        connections_max: 5,
        ..Limits::default()
    };
    let door = |config: &BrokerConfig| {
        let door = super::door(&limits, config, HOME);
        (door.connections_max, door.from_ip_max)
    };
    assert_eq!(door(&cluster(&[])), (5, i32::MAX as usize));
    let both = cluster(&[("max.connections", "7"), ("max.connections.per.ip", "2")]);
    assert_eq!(door(&both), (7, 2));
    let overrides = ("max.connections.per.ip.overrides", "::1:9, 127.0.0.1:3,example:1");
    assert_eq!(
        door(&cluster(&[("max.connections.per.ip", "2"), overrides])),
        (5, 3)
    );
}

#[test]
fn connections_follow_the_limits_of_the_moment() {
    let config = Arc::new(ArcSwap::from_pointee(cluster(&[])));
    let entrance = Entrance::new(Limits::default(), config.clone());
    let _first = entrance.enter(HOME).unwrap();
    config.store(Arc::new(cluster(&[("max.connections", "1")])));
    assert_eq!(entrance.enter(HOME).unwrap_err(), NoSeat::Full);
    config.store(Arc::new(cluster(&[("max.connections", "2")])));
    let _second = entrance.enter(HOME).unwrap();
    config.store(Arc::new(cluster(&[("max.connections.per.ip", "2")])));
    assert_eq!(entrance.enter(HOME).unwrap_err(), NoSeat::Address);
    assert!(entrance.enter("10.0.0.1".parse().unwrap()).is_ok());
}

#[test]
fn so_many_in_a_second_and_no_more() {
    let (mut pace, config) = (Pace::default(), cluster(&[("max.connection.creation.rate", "2")]));
    let mut wait = |ms: u64| pace.wait(Duration::from_millis(ms), &config).as_millis();
    assert_eq!((wait(1000), wait(1100), wait(1200)), (0, 0, 800));
    assert_eq!((wait(2000), wait(2000), wait(2999)), (0, 0, 1));
}
