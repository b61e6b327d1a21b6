use crate::Listener;
use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};
use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use prometheus_client::registry::Registry;
use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpStream, sync::Semaphore, time::timeout};
use tokio_util::sync::CancellationToken;

/// Bytes of a request that are held. Requests here have no body, and none is read.
const REQUEST_BYTES_MAX: usize = 16 << 10;

/// What operators may take of a machine that is there for others.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Connections at the same time: who comes beyond them waits in the backlog.
    connections_max: usize,
    /// From a connection's start to the last byte of its one answer.
    time_max: Duration,
}

const LIMITS: Limits = Limits {
    connections_max: 64,
    time_max: Duration::from_secs(30),
};

/// Whether the servers answer: what `/readyz` tells.
#[derive(Debug, Clone, Default)]
pub struct Ready(Arc<AtomicBool>);

impl Ready {
    /// Says whether they do.
    pub fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Release);
    }

    fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// The operators' HTTP port: `/healthz` (the process answers), `/readyz` (its servers do) and `/metrics` (Prometheus).
#[derive(Debug)]
pub struct Admin {
    address: SocketAddr,
}

#[derive(Clone)]
struct Answers {
    ready: Ready,
    registry: Arc<Registry>,
}

impl Admin {
    /// Serves on `bind` until `stop`.
    pub async fn start(
        bind: &str,
        registry: Registry,
        ready: Ready,
        stop: CancellationToken,
    ) -> io::Result<Self> {
        Self::limited(bind, registry, ready, LIMITS, stop).await
    }

    async fn limited(
        bind: &str,
        registry: Registry,
        ready: Ready,
        limits: Limits,
        stop: CancellationToken,
    ) -> io::Result<Self> {
        let listener = Listener::bind(bind, false, None).await?;
        let address = listener.address();
        let answers = Answers {
            ready,
            registry: Arc::new(registry),
        };
        let routes = Router::new()
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics))
            .with_state(answers);
        tokio::spawn(accept(listener, routes, limits, stop));
        Ok(Admin { address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Takes connections in until `stop`; what was taken is still answered.
async fn accept(listener: Listener, routes: Router, limits: Limits, stop: CancellationToken) {
    let seats = Arc::new(Semaphore::new(limits.connections_max));
    while let Some(Ok(seat)) = stop.run_until_cancelled(seats.clone().acquire_owned()).await
        && let Some((socket, peer)) = listener.accept(&stop).await
    {
        let served = serve(socket, routes.clone());
        tokio::spawn(async move {
            if !matches!(timeout(limits.time_max, served).await, Ok(Ok(()))) {
                tracing::debug!(%peer, "admin connection given up");
            }
            drop(seat);
        });
    }
}

/// One request and its answer: no connection is kept for a second one, so that one limit of time bounds a peer that
/// says nothing, one that stops in the middle, and one that takes no answer.
async fn serve(socket: TcpStream, routes: Router) -> hyper::Result<()> {
    http1::Builder::new()
        .keep_alive(false)
        .max_buf_size(REQUEST_BYTES_MAX)
        .serve_connection(TokioIo::new(socket), TowerToHyperService::new(routes))
        .await
}

async fn readyz(State(answers): State<Answers>) -> impl IntoResponse {
    if answers.ready.get() {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
    }
}

async fn metrics(State(answers): State<Answers>) -> impl IntoResponse {
    let mut text = String::new();
    let code = match prometheus_client::encoding::text::encode(&mut text, &answers.registry) {
        Ok(()) => StatusCode::OK,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    (code, [(CONTENT_TYPE, kind)], text)
}

#[cfg(test)]
mod tests;
