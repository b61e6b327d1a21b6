//! Takes connections in by the listeners that are open.

use crate::{
    broker::Broker,
    connection::{self, Buffers, Entrance, Parts},
    handlers::Session,
    listeners::{Open, Way},
    metrics::Metrics,
};
use server_kit::{NoSeat, Place};
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::TcpStream,
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How often who waits for a seat looks whether more of them were allowed.
const SEAT_PAUSE: Duration = Duration::from_secs(1);

/// What every connection is given.
#[derive(Clone)]
pub(crate) struct House {
    pub(crate) broker: Arc<Broker>,
    pub(crate) entrance: Arc<Entrance>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) buffers: Arc<Buffers>,
    pub(crate) in_flight: Arc<Semaphore>,
    pub(crate) tasks: TaskTracker,
}

/// Takes connections in by whichever listeners are open, until `stop`.
pub(crate) async fn listen(house: House, stop: CancellationToken) {
    let mut changes = house.broker.listeners.changes();
    let mut served: Vec<(Arc<Open>, CancellationToken)> = Vec::new();
    loop {
        let open = changes.borrow_and_update().clone();
        let stays = |one: &Arc<Open>| open.iter().any(|other| Arc::ptr_eq(one, other));
        let (staying, leaving): (Vec<_>, Vec<_>) = served.into_iter().partition(|(one, _)| stays(one));
        served = staying;
        for (one, end) in leaving {
            end.cancel();
            // One that only moves keeps its connections.
            if !open.iter().any(|other| other.way.number == one.way.number) {
                house.entrance.connections.dismiss(one.way.number);
            }
        }
        for one in open.iter() {
            if !served.iter().any(|(other, _)| Arc::ptr_eq(one, other)) {
                let end = stop.child_token();
                house.tasks.spawn(accept(one.clone(), house.clone(), end.clone()));
                served.push((one.clone(), end));
            }
        }
        drop(open);
        match stop.run_until_cancelled(changes.changed()).await {
            Some(Ok(())) => {}
            _ => return,
        }
    }
}

/// Accepts until `end`. Then the port is free at once, though others know of the listener for as long as connections drain.
async fn accept(open: Arc<Open>, house: House, end: CancellationToken) {
    while let Some((socket, peer)) = open.listener.accept(&end).await {
        end.run_until_cancelled(enter(&open, &house, socket, peer)).await;
    }
    open.listener.close();
}

/// Answers when one more connection may be taken in; those behind it wait in the backlog.
async fn turn(house: &House, way: &Way) {
    loop {
        let wait = house.entrance.wait(way, house.broker.clock.elapsed());
        if wait.is_zero() {
            return;
        }
        sleep(wait).await;
    }
}

/// A seat, as soon as one is free: as with the original, whoever comes when all are taken waits, and the listener with it.
async fn seat(house: &House, way: &Way, ip: IpAddr) -> Result<Place, NoSeat> {
    loop {
        let left = house.entrance.connections.left();
        match house.entrance.enter(way, ip) {
            Err(NoSeat::Full) => drop(timeout(SEAT_PAUSE, left).await),
            found => return found,
        }
    }
}

async fn enter(open: &Arc<Open>, house: &House, socket: TcpStream, peer: SocketAddr) {
    house.metrics.traffic.accepted.inc();
    turn(house, &open.way).await;
    let Ok(place) = seat(house, &open.way, peer.ip()).await else {
        house.metrics.traffic.refused.inc();
        return;
    };
    let (open, house) = (open.clone(), house.clone());
    house.tasks.clone().spawn(async move {
        let (stream, peer) = match open.listener.prepare(socket, peer).await {
            Ok(prepared) => prepared,
            Err(why) => {
                house.metrics.traffic.broken.inc();
                tracing::debug!(%peer, %why, "connection refused");
                return;
            }
        };
        let session = Session::new(house.broker, peer, open.way.name.clone());
        drop(open);
        connection::serve(Parts {
            stream,
            session,
            metrics: house.metrics,
            place,
            buffers: house.buffers,
            in_flight: house.in_flight,
        })
        .await;
    });
}
