use crate::{
    HttpLimits, Listener,
    console::{self, Section},
    serve_http,
};
use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};
use prometheus_client::registry::Registry;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// From a connection's start to the last byte of its one answer.
const TIME_MAX: Duration = Duration::from_secs(30);

/// What operators may take of a machine that is there for others. Requests here have no body, and none is read.
const LIMITS: HttpLimits = HttpLimits {
    connections_max: 64,
    head_bytes_max: 16 << 10,
    head_time_max: TIME_MAX,
    answer_time_max: Some(TIME_MAX),
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

/// The operators' HTTP port: `/healthz` (the process answers), `/readyz` (its servers do), `/metrics` (Prometheus), and the
/// console, which is for people.
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
    /// Serves until `stop`. The console shows `sections`.
    pub fn start(
        listener: Listener,
        registry: Registry,
        ready: Ready,
        sections: Vec<Section>,
        stop: CancellationToken,
    ) -> Self {
        Self::limited(listener, registry, ready, sections, LIMITS, stop)
    }

    fn limited(
        listener: Listener,
        registry: Registry,
        ready: Ready,
        sections: Vec<Section>,
        limits: HttpLimits,
        stop: CancellationToken,
    ) -> Self {
        let address = listener.address();
        let answers = Answers {
            ready,
            registry: Arc::new(registry),
        };
        let routes = Router::new()
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics))
            .with_state(answers)
            .merge(console::routes(sections));
        tokio::spawn(serve_http(listener, routes, limits, TaskTracker::new(), stop));
        Admin { address }
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

#[cfg(test)]
mod tests;
