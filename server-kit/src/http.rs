use crate::Listener;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{error::Error, sync::Arc, time::Duration};
use tokio::{net::TcpStream, sync::Semaphore, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What peers of an HTTP server may take.
#[derive(Debug, Clone, Copy)]
pub struct HttpLimits {
    /// Connections at the same time: who comes beyond them waits in the backlog.
    pub connections_max: usize,
    /// Bytes of a request's head.
    pub head_bytes_max: usize,
    /// How long a peer may take to send it.
    pub head_time_max: Duration,
    /// From a connection's start to the last byte of its answer, where it has but one: so that one limit bounds a peer that
    /// says nothing, one that stops in the middle, and one that takes no answer.
    pub answer_time_max: Option<Duration>,
}

/// Serves `routes` until `stop`, with which connections that last end; one that has but one answer still gives it.
pub async fn serve_http(
    listener: Listener,
    routes: Router,
    limits: HttpLimits,
    tasks: TaskTracker,
    stop: CancellationToken,
) {
    let seats = Arc::new(Semaphore::new(limits.connections_max));
    while let Some(Ok(seat)) = stop.run_until_cancelled(seats.clone().acquire_owned()).await
        && let Some((socket, peer)) = listener.accept(&stop).await
    {
        let (routes, stop) = (routes.clone(), stop.clone());
        tasks.spawn(async move {
            let serving = connection(socket, routes, limits);
            let ended = match limits.answer_time_max {
                Some(most) => timeout(most, serving)
                    .await
                    .unwrap_or_else(|late| Err(late.into())),
                None => stop.run_until_cancelled(serving).await.unwrap_or(Ok(())),
            };
            if let Err(error) = ended {
                tracing::debug!(%peer, %error, "HTTP connection ended");
            }
            drop(seat);
        });
    }
}

async fn connection(
    socket: TcpStream,
    routes: Router,
    limits: HttpLimits,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    socket.set_nodelay(true)?;
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.head_time_max)
        .max_buf_size(limits.head_bytes_max)
        .keep_alive(limits.answer_time_max.is_none())
        .title_case_headers(true);
    let serving = http.serve_connection(TokioIo::new(socket), TowerToHyperService::new(routes));
    // A connection may become something else than HTTP.
    Ok(serving.with_upgrades().await?)
}
