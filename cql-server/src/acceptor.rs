//! Binds listeners and takes connections in by them.

use crate::{
    config::Listener,
    connection::{self, Parts},
    handlers::{Client, Service},
    metrics::Metrics,
    server::StartError,
};
use server_kit::{Connections, Door, Stream, TlsAcceptor, read_proxy_header};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::sleep,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Pause after a failed accept: the cause, such as too many open files, seldom ends at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A bound listener.
pub(crate) struct Bound {
    /// Where it listens.
    pub(crate) address: SocketAddr,
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
            address: listener.bind.clone(),
            source,
        };
        let socket = server_kit::listen(&listener.bind).await.map_err(bind)?;
        let address = socket.local_addr().map_err(bind)?;
        Ok(Bound {
            address,
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
    pub(crate) service: Arc<Service>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) door: Door,
    pub(crate) metrics: Arc<Metrics>,
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
            Ok((socket, peer)) => enter(&listener, &house, socket, peer),
            Err(error) => {
                tracing::warn!(listener = %listener.address, %error, "accept failed");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn enter(listener: &Arc<Bound>, house: &House, socket: TcpStream, peer: SocketAddr) {
    house.metrics.accepted.inc();
    let Ok(place) = house.connections.enter(peer.ip(), house.door) else {
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
        drop(listener);
        connection::serve(Parts {
            stream,
            client: Client::new(house.service, peer),
            metrics: house.metrics,
            place,
            in_flight: house.in_flight,
            tasks: house.tasks,
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
