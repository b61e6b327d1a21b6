use super::*;

const PATIENCE: Patience = Patience {
    idle_max: None,
    write_stall_max: Duration::from_secs(60),
};

fn door(connections_max: usize, from_ip_max: usize) -> Door {
    Door {
        connections_max,
        from_ip_max,
        ..Door::default()
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

#[tokio::test]
async fn a_protected_listener_is_never_full() {
    let home: IpAddr = "127.0.0.1".parse().unwrap();
    let connections = Connections::new(PATIENCE);
    let plain = door(2, 9);
    let inner = Door {
        listener: 1,
        of_listener_max: 2,
        is_protected: true,
        ..plain
    };
    let places = [plain, plain, inner].map(|door| connections.enter(home, door).unwrap());
    let told = || places.each_ref().map(|place| place.watched().told());
    // Both are as silent: who came first goes, and counts no more.
    assert_eq!(told(), [Told::Close, Told::Nothing, Told::Nothing]);
    connections.shrink(2, Some(1));
    assert_eq!(told(), [Told::Close, Told::Nothing, Told::Nothing]);
    let _fourth = connections.enter(home, inner).unwrap();
    assert_eq!(told(), [Told::Close, Told::Close, Told::Nothing]);
    assert_eq!(connections.enter(home, inner).unwrap_err(), NoSeat::Full);
    assert_eq!(connections.enter(home, plain).unwrap_err(), NoSeat::Full);
}

#[tokio::test]
async fn fewer_seats_send_the_quietest_away() {
    let home: IpAddr = "127.0.0.1".parse().unwrap();
    let connections = Connections::new(PATIENCE);
    let places = [(); 3].map(|()| connections.enter(home, Door::default()).unwrap());
    connections.ticks.fetch_add(5, Ordering::Relaxed);
    places[0].watched().touch();
    connections.shrink(1, None);
    let told = places.each_ref().map(|place| place.watched().told());
    assert_eq!(told, [Told::Nothing, Told::Close, Told::Close]);
}

#[tokio::test]
async fn who_came_by_a_listener_that_closes_is_let_go() {
    let home: IpAddr = "127.0.0.1".parse().unwrap();
    let connections = Connections::new(PATIENCE);
    let (plain, other) = (
        door(9, 9),
        Door {
            listener: 1,
            ..door(9, 9)
        },
    );
    let places = [plain, other].map(|door| connections.enter(home, door).unwrap());
    connections.dismiss(1);
    // Who was on the way in then comes too late; the other listener stays open.
    assert_eq!(connections.enter(home, other).unwrap_err(), NoSeat::Draining);
    assert!(connections.enter(home, plain).is_ok());
    assert_eq!(
        places.map(|place| place.watched().told()),
        [Told::Nothing, Told::Drain]
    );
}
