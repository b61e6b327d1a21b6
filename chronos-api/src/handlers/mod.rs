//! What each route answers. Every route of the scheduler is reached by two names: below `/v1/scheduler`, and, for clients
//! from before version 3, below `/scheduler`.
//!
//! Rooms: `put` (new jobs, and those in place of others), `job` (one job), `jobs` (all of them), `task` (their tasks), `graph`
//! (who waits for whom), `stats` (how long they took), `basics` (who leads, whether it is well, what it counts), `console`
//! (what operators' page shows), `body` and `query` (what a
//! client sends).
//! Never: what a job is decided to do, or how it is stored.

mod basics;
mod body;
mod console;
mod graph;
mod job;
mod jobs;
mod put;
mod query;
mod stats;
mod task;

pub(crate) use console::section;

use crate::{error::ApiError, shell::Handle, wire::Defaults};
use axum::{
    Router,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{MethodRouter, delete, get, post, put},
};
use server_kit::Clock;
use std::sync::Arc;

/// What every handler is given.
pub(crate) struct Scheduler {
    pub(crate) handle: Handle,
    pub(crate) defaults: Defaults,
    pub(crate) request_bytes_max: usize,
    /// `host:port` of this server.
    pub(crate) address: String,
    pub(crate) clock: Arc<dyn Clock>,
}

/// What is asked for, in order of the paths: method, path below the scheduler's, and who answers. THE TABLE.
fn table() -> Vec<(&'static str, MethodRouter<Arc<Scheduler>>)> {
    vec![
        // Version 3 knows no PUT here; clients of version 2 change jobs by it.
        ("/dependency", post(put::dependency).put(put::dependency)),
        ("/graph/csv", get(graph::csv)),
        ("/graph/dot", get(graph::dot)),
        ("/iso8601", post(put::iso8601).put(put::iso8601)),
        ("/job/stat/{name}", get(stats::of_job)),
        ("/job/success/{name}", put(job::succeed)),
        (
            "/job/{name}",
            get(job::show).put(job::trigger).delete(job::delete),
        ),
        ("/job/{name}/task/{task}/progress", post(task::progress)),
        ("/jobs", get(jobs::list)),
        ("/jobs/search", get(jobs::search)),
        ("/jobs/summary", get(jobs::summary)),
        ("/leader", get(basics::leader)),
        ("/stats/{percentile}", get(stats::of_all)),
        ("/task/kill/{name}", delete(task::kill)),
        ("/task/{task}", put(task::ended)),
    ]
}

/// Every route.
pub(crate) fn routes(scheduler: Arc<Scheduler>) -> Router {
    let mut own = Router::new();
    for (path, answers) in table() {
        own = own.route(path, answers);
    }
    Router::new()
        .nest("/v1/scheduler", own.clone())
        .nest("/scheduler", own)
        .route("/leader", get(basics::leader))
        .route("/metrics", get(basics::metrics))
        .route("/ping", get(basics::ping))
        .fallback(|| async { StatusCode::NOT_FOUND })
        .with_state(scheduler)
}

/// What a handler answers.
type Answer = Result<Response, ApiError>;

/// Done, and nothing to say.
fn done() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

fn json(value: &serde_json::Value) -> Response {
    let kind = [(axum::http::header::CONTENT_TYPE, "application/json")];
    (kind, value.to_string()).into_response()
}

fn text(text: String) -> Response {
    let kind = [(axum::http::header::CONTENT_TYPE, "text/plain")];
    (kind, text).into_response()
}
