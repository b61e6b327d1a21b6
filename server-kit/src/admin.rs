use crate::listener::listen;
use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};
use prometheus_client::registry::Registry;
use std::{
    future::IntoFuture,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio_util::sync::CancellationToken;

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
        let listener = listen(bind).await?;
        let address = listener.local_addr()?;
        let answers = Answers {
            ready,
            registry: Arc::new(registry),
        };
        let routes = Router::new()
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics))
            .with_state(answers);
        let served = axum::serve(listener, routes).with_graceful_shutdown(stop.cancelled_owned());
        tokio::spawn(served.into_future());
        Ok(Admin { address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
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
