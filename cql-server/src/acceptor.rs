//! Binds listeners and takes connections in by them.

use crate::{
    config,
    connection::{self, Parts},
    handlers::{Client, Service},
    metrics::Metrics,
    server::StartError,
};
use server_kit::{Connections, Door, Listener, TlsAcceptor};
use std::{net::SocketAddr, sync::Arc};
use tokio::{net::TcpStream, sync::Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

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

/// Binds what is configured.
pub(crate) async fn bind(config: &config::Listener) -> Result<Listener, StartError> {
    let address = config.bind.clone();
    let tls = match config.tls.as_ref().map(TlsAcceptor::new).transpose() {
        Ok(tls) => tls,
        Err(source) => return Err(StartError::Tls { address, source }),
    };
    let bound = Listener::bind(&address, config.proxy_protocol, tls).await;
    bound.map_err(|source| StartError::Bind { address, source })
}

/// Accepts until `stop`.
pub(crate) async fn accept(listener: Listener, over_tls: bool, house: House, stop: CancellationToken) {
    let listener = Arc::new(listener);
    while let Some((socket, peer)) = listener.accept(&stop).await {
        enter(&listener, over_tls, &house, (socket, peer));
    }
}

fn enter(listener: &Arc<Listener>, over_tls: bool, house: &House, (socket, peer): (TcpStream, SocketAddr)) {
    house.metrics.traffic.accepted.inc();
    let Ok(place) = house.connections.enter(peer.ip(), house.door) else {
        house.metrics.traffic.refused.inc();
        return;
    };
    let (listener, house) = (listener.clone(), house.clone());
    house.tasks.clone().spawn(async move {
        let (stream, peer) = match listener.prepare(socket, peer).await {
            Ok(prepared) => prepared,
            Err(why) => {
                house.metrics.traffic.broken.inc();
                tracing::debug!(%peer, %why, "connection refused");
                return;
            }
        };
        drop(listener);
        connection::serve(Parts {
            stream,
            client: Client::new(house.service, peer, over_tls),
            metrics: house.metrics,
            place,
            in_flight: house.in_flight,
            tasks: house.tasks,
        })
        .await;
    });
}
