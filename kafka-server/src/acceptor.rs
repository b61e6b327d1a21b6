//! Binds listeners and takes connections in by them.

use crate::{
    broker::Broker,
    config::Listener,
    connection::{self, Buffers, Entrance, Parts},
    handlers::Session,
    metrics::Metrics,
    server::StartError,
};
use server_kit::{NoSeat, Place, Stream, TlsAcceptor, read_proxy_header};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Pause after a failed accept: the cause, such as too many open files, seldom ends at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How often who waits for a seat looks whether more of them were allowed.
const SEAT_PAUSE: Duration = Duration::from_secs(1);

/// A bound listener.
pub(crate) struct Bound {
    pub(crate) name: Arc<str>,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// What clients that come by it are told: `(host, port)`.
    pub(crate) advertised: (String, u16),
    socket: TcpListener,
    proxy_protocol: bool,
    tls: Option<TlsAcceptor>,
}

impl Bound {
    pub(crate) async fn bind(listener: &Listener) -> Result<Self, StartError> {
        let bind = |source| StartError::Bind {
            address: listener.bind.clone(),
            source,
        };
        let tls = |source| StartError::Tls {
            listener: listener.name.clone(),
            source,
        };
        let socket = server_kit::listen(&listener.bind).await.map_err(bind)?;
        let address = socket.local_addr().map_err(bind)?;
        let advertised = match &listener.advertised {
            Some(told) => host_and_port(told, address.port())?,
            None if address.ip().is_unspecified() => (server_kit::host_name(), address.port()),
            None => (address.ip().to_string(), address.port()),
        };
        Ok(Bound {
            name: listener.name.as_str().into(),
            address,
            advertised,
            socket,
            proxy_protocol: listener.proxy_protocol,
            tls: listener
                .tls
                .as_ref()
                .map(TlsAcceptor::new)
                .transpose()
                .map_err(tls)?,
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
pub(crate) async fn accept(listener: Bound, house: House, stop: CancellationToken) {
    let listener = Arc::new(listener);
    loop {
        let accepted = tokio::select! {
            accepted = listener.socket.accept() => accepted,
            () = stop.cancelled() => return,
        };
        match accepted {
            Ok((socket, peer)) => {
                tokio::select! {
                    () = enter(&listener, &house, socket, peer) => {}
                    () = stop.cancelled() => return,
                }
            }
            Err(error) => {
                tracing::warn!(listener = %listener.name, %error, "accept failed");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Answers when one more connection may be taken in; those behind it wait in the backlog.
async fn turn(house: &House) {
    loop {
        let wait = house.entrance.wait(house.broker.clock.elapsed());
        if wait.is_zero() {
            return;
        }
        sleep(wait).await;
    }
}

/// A seat, as soon as one is free: as with the original, whoever comes when all are taken waits, and the listener with it.
async fn seat(house: &House, ip: IpAddr) -> Result<Place, NoSeat> {
    loop {
        let left = house.entrance.connections.left();
        match house.entrance.enter(ip) {
            Err(NoSeat::Full) => drop(timeout(SEAT_PAUSE, left).await),
            found => return found,
        }
    }
}

async fn enter(listener: &Arc<Bound>, house: &House, socket: TcpStream, peer: SocketAddr) {
    house.metrics.accepted.inc();
    turn(house).await;
    let Ok(place) = seat(house, peer.ip()).await else {
        house.metrics.refused.inc();
        return;
    };
    let (listener, house) = (listener.clone(), house.clone());
    house.tasks.clone().spawn(async move {
        let (stream, peer) = match prepare(&listener, socket, peer).await {
            Ok(prepared) => prepared,
            Err(why) => {
                house.metrics.broken.inc();
                tracing::debug!(%peer, %why, "connection refused");
                return;
            }
        };
        let session = Session::new(house.broker, peer, listener.name.clone());
        drop(listener);
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

/// What comes before the first request: who the client is behind a proxy, and TLS. Boxed where it needs much, since
/// what an idle connection holds is multiplied by ten thousand.
async fn prepare(
    listener: &Bound,
    mut socket: TcpStream,
    mut peer: SocketAddr,
) -> io::Result<(Stream, SocketAddr)> {
    if listener.proxy_protocol {
        peer = Box::pin(read_proxy_header(&mut socket)).await?.unwrap_or(peer);
    }
    let stream = match &listener.tls {
        Some(tls) => Box::pin(tls.accept(socket)).await?,
        None => Stream::plain(socket)?,
    };
    Ok((stream, peer))
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
