use super::Cluster;
use crate::{
    server::VERSION,
    wire::{empty, json, refusal},
};
use axum::{
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header::LOCATION, uri::PathAndQuery},
    middleware::Next,
    response::{IntoResponse, Response},
};
use mesos_proto::masters::Address;
use serde_json::json;
use std::sync::Arc;

/// `/health`: it answers, so it is well.
pub(super) async fn health() -> Response {
    empty(StatusCode::OK)
}

/// `/version`
pub(super) async fn version() -> Response {
    json(&json!({ "version": VERSION }))
}

/// Lets through what the leading master is asked; what is asked of another one is sent there.
pub(super) async fn leads(State(cluster): State<Arc<Cluster>>, request: Request, next: Next) -> Response {
    let Some(leader) = cluster.master.elsewhere() else {
        return next.run(request).await;
    };
    let asked = request.uri().path_and_query();
    sent_to(leader, asked.map_or("/", PathAndQuery::as_str))
}

/// Sends a client to the leading master. Texts are the original's.
fn sent_to(leader: Option<Address>, path: &str) -> Response {
    let Some(leader) = leader else {
        return refusal(StatusCode::SERVICE_UNAVAILABLE, "No leader elected").into_response();
    };
    let mut response = empty(StatusCode::TEMPORARY_REDIRECT);
    if let Ok(location) = HeaderValue::from_str(&format!("//{leader}{path}")) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// `/redirect`: where the leading master is.
pub(super) async fn redirect(State(cluster): State<Arc<Cluster>>) -> Response {
    let leader = match cluster.master.elsewhere() {
        Some(leader) => leader,
        None => {
            let own = cluster
                .master
                .read(|master| Address::of_master_info(&master.info));
            own.await.ok().flatten()
        }
    };
    sent_to(leader, "")
}
