//! Serves HTTP connections of a listener by its routes.

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use server_kit::Listener;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpStream, sync::Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long a peer may take to send the head of a request.
const HEAD_MAX: Duration = Duration::from_secs(60);
/// Bytes of a request's head at the most.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// Serves `routes` until `stop`. Connections beyond the limit wait until one has left.
pub(crate) async fn serve(
    listener: Listener,
    routes: Router,
    connections_max: usize,
    tasks: TaskTracker,
    stop: CancellationToken,
) {
    let seats = Arc::new(Semaphore::new(connections_max));
    while let Some(Ok(seat)) = stop.run_until_cancelled(seats.clone().acquire_owned()).await
        && let Some((socket, peer)) = listener.accept(&stop).await
    {
        let (routes, stop) = (routes.clone(), stop.clone());
        tasks.spawn(async move {
            stop.run_until_cancelled(connection(socket, peer, routes)).await;
            drop(seat);
        });
    }
}

/// Serves one connection. Event streams last; they end with the stop.
async fn connection(socket: TcpStream, peer: SocketAddr, routes: Router) {
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%peer, %error, "connection refused");
        return;
    }
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .title_case_headers(true);
    let serving = http.serve_connection(TokioIo::new(socket), TowerToHyperService::new(routes));
    // Connections of agents become their way to the master.
    let serving = serving.with_upgrades();
    if let Err(error) = serving.await {
        tracing::debug!(%peer, %error, "connection ended");
    }
}
