//! The console: one page at the operators' port that shows what every server shows of itself, as it changes.
//!
//! Rooms: `view` (what a section may show: facts and tables, whose columns have units), `guard` (who may ask).
//! Knows: HTTP, the page's text. Never: what a section shows, or a request that changes anything.

mod guard;
mod view;

pub use view::{Cell, Column, Fact, Link, Table, Unit, View};

use axum::{
    Router,
    extract::{Path, State},
    http::{StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Serialize;
use serde_json::json;
use std::{pin::Pin, sync::Arc};

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

type Shown = Pin<Box<dyn Future<Output = View> + Send>>;

/// What one server shows of itself.
#[derive(Clone)]
pub struct Section {
    /// In addresses: a word.
    name: &'static str,
    /// For people.
    title: &'static str,
    show: Arc<dyn Fn() -> Shown + Send + Sync>,
}

impl Section {
    /// A section that `show` puts together whenever somebody looks.
    pub fn new<F: Future<Output = View> + Send + 'static>(
        name: &'static str,
        title: &'static str,
        show: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self {
        Section {
            name,
            title,
            show: Arc::new(move || Box::pin(show())),
        }
    }
}

/// The routes of the page and of its sections.
pub(crate) fn routes(sections: Vec<Section>) -> Router {
    Router::new()
        .route("/", get(|| async { text("text/html", PAGE) }))
        .route("/console/page.css", get(|| async { text("text/css", STYLE) }))
        .route(
            "/console/page.js",
            get(|| async { text("text/javascript", SCRIPT) }),
        )
        .route("/console/sections", get(names))
        .route("/console/sections/{name}", get(show))
        .layer(middleware::from_fn(guard::check))
        .with_state(Arc::new(sections))
}

fn text(kind: &str, body: &'static str) -> Response {
    let kind = format!("{kind}; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], body).into_response()
}

fn as_json(shown: &impl Serialize) -> Response {
    match serde_json::to_vec(shown) {
        Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn names(State(sections): State<Arc<Vec<Section>>>) -> Response {
    let names = sections
        .iter()
        .map(|one| json!({ "name": one.name, "title": one.title }));
    as_json(&json!({
        "version": env!("CARGO_PKG_VERSION"),
        "sections": names.collect::<Vec<_>>(),
    }))
}

async fn show(State(sections): State<Arc<Vec<Section>>>, Path(name): Path<String>) -> Response {
    match sections.iter().find(|one| one.name == name) {
        Some(section) => as_json(&(section.show)().await),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

#[cfg(test)]
mod tests;
