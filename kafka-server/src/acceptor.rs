//! Binds listeners and takes connections in by them.

use crate::{
    broker::Broker,
    config,
    connection::{self, Buffers, Entrance, Parts},
    handlers::Session,
    listeners::Secured,
    metrics::Metrics,
    server::StartError,
};
use server_kit::{Listener, NoSeat, Place, TlsAcceptor};
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

/// A bound listener.
pub(crate) struct Bound {
    /// Its place among the listeners.
    pub(crate) place: usize,
    pub(crate) name: Arc<str>,
    /// What clients that come by it are told: `(host, port)`.
    pub(crate) advertised: (String, u16),
    pub(crate) listener: Listener,
    pub(crate) tls: Option<TlsAcceptor>,
}

impl Bound {
    pub(crate) async fn bind(place: usize, config: &config::Listener) -> Result<Self, StartError> {
        let tls = config.tls.as_ref().map(TlsAcceptor::new).transpose();
        let tls = tls.map_err(|source| StartError::Tls {
            listener: config.name.clone(),
            source,
        })?;
        let listener = Listener::bind(&config.bind, config.proxy_protocol, tls.clone()).await;
        let listener = listener.map_err(|source| StartError::Bind {
            address: config.bind.clone(),
            source,
        })?;
        let address = listener.address();
        let advertised = match &config.advertised {
            Some(told) => host_and_port(told, address.port())?,
            None if address.ip().is_unspecified() => (server_kit::host_name(), address.port()),
            None => (address.ip().to_string(), address.port()),
        };
        Ok(Bound {
            place,
            name: config.name.as_str().into(),
            advertised,
            listener,
            tls,
        })
    }

    /// What of it may change, where it speaks TLS.
    pub(crate) fn secured(&self, config: &config::Listener) -> Option<Secured> {
        Some(Secured {
            name: config.name.clone(),
            started: config.tls.clone()?,
            acceptor: self.tls.clone()?,
        })
    }
}

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

/// Accepts until `stop`.
pub(crate) async fn accept(bound: Bound, house: House, stop: CancellationToken) {
    let bound = Arc::new(bound);
    while let Some((socket, peer)) = bound.listener.accept(&stop).await {
        stop.run_until_cancelled(enter(&bound, &house, socket, peer))
            .await;
    }
}

/// Answers when one more connection may be taken in; those behind it wait in the backlog.
async fn turn(house: &House, listener: usize) {
    loop {
        let wait = house.entrance.wait(listener, house.broker.clock.elapsed());
        if wait.is_zero() {
            return;
        }
        sleep(wait).await;
    }
}

/// A seat, as soon as one is free: as with the original, whoever comes when all are taken waits, and the listener with it.
async fn seat(house: &House, listener: usize, ip: IpAddr) -> Result<Place, NoSeat> {
    loop {
        let left = house.entrance.connections.left();
        match house.entrance.enter(listener, ip) {
            Err(NoSeat::Full) => drop(timeout(SEAT_PAUSE, left).await),
            found => return found,
        }
    }
}

async fn enter(bound: &Arc<Bound>, house: &House, socket: TcpStream, peer: SocketAddr) {
    house.metrics.traffic.accepted.inc();
    turn(house, bound.place).await;
    let Ok(place) = seat(house, bound.place, peer.ip()).await else {
        house.metrics.traffic.refused.inc();
        return;
    };
    let (bound, house) = (bound.clone(), house.clone());
    house.tasks.clone().spawn(async move {
        let (stream, peer) = match bound.listener.prepare(socket, peer).await {
            Ok(prepared) => prepared,
            Err(why) => {
                house.metrics.traffic.broken.inc();
                tracing::debug!(%peer, %why, "connection refused");
                return;
            }
        };
        let session = Session::new(house.broker, peer, bound.name.clone());
        drop(bound);
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

/// An advertised address; port 0 is the bound one.
fn host_and_port(address: &str, bound: u16) -> Result<(String, u16), StartError> {
    let wrong = || StartError::Address(address.to_owned());
    let (host, port) = address.rsplit_once(':').ok_or_else(wrong)?;
    let port = match port.parse().map_err(|_| wrong())? {
        0 => bound,
        port => port,
    };
    Ok((host.trim_matches(['[', ']']).to_owned(), port))
}
