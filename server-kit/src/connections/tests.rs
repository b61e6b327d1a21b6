use super::*;

const PATIENCE: Patience = Patience {
    idle_max: None,
    write_stall_max: Duration::from_secs(60),
};

fn door(connections_max: usize, from_ip_max: usize) -> Door {
    Door {
        connections_max,
        from_ip_max,
    }
}

#[tokio::test]
async fn seats_are_counted_and_given_again() {
    let [home, away] = ["127.0.0.1", "10.0.0.1"].map(|ip| ip.parse::<IpAddr>().unwrap());
    let connections = Connections::new(PATIENCE);
    let first = connections.enter(home, door(2, 1)).unwrap();
    assert_eq!(connections.enter(home, door(2, 1)).unwrap_err(), NoSeat::Address);
    let _second = connections.enter(away, door(2, 1)).unwrap();
    assert_eq!(connections.enter(home, door(2, 9)).unwrap_err(), NoSeat::Full);
    assert_eq!(connections.open(), 2);
    let left = connections.left();
    drop(first);
    left.await;
    let first = connections.enter(home, door(2, 1)).unwrap();
    connections.drain();
    assert_eq!(first.watched().told(), Told::Drain);
    assert_eq!(connections.enter(home, door(9, 9)).unwrap_err(), NoSeat::Draining);
}
