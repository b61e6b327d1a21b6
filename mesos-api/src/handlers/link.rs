use super::Cluster;
use crate::{
    shell::carry,
    wire::{Refusal, link, refusal},
};
use axum::{
    body::Body,
    extract::{Request, State},
    http::{
        HeaderValue, StatusCode,
        header::{CONNECTION, UPGRADE},
    },
    response::Response,
};
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Messages that may wait between an agent's connection and its master.
const WAITING_MAX: usize = 1024;

/// `POST /smack/v1/agent`: the connection becomes an agent's way to the master.
pub(super) async fn connect(
    State(cluster): State<Arc<Cluster>>,
    mut request: Request,
) -> Result<Response, Refusal> {
    let named = request
        .headers()
        .get(UPGRADE)
        .and_then(|value| value.to_str().ok());
    if named != Some(link::PROTOCOL) {
        let why = format!("Expecting 'Upgrade' to be {}", link::PROTOCOL);
        return Err(refusal(StatusCode::UPGRADE_REQUIRED, why));
    }
    let upgrading = hyper::upgrade::on(&mut request);
    let joined = cluster.master.join().await;
    let mut joined = joined.map_err(|error| refusal(StatusCode::SERVICE_UNAVAILABLE, error.to_string()))?;
    tokio::spawn(async move {
        let Ok(socket) = upgrading.await else {
            return;
        };
        let (says, mut said) = mpsc::channel(WAITING_MAX);
        let (none, messages) = mpsc::channel(1);
        drop(none);
        let messages = std::mem::replace(&mut joined.messages, messages);
        let carrying = carry(TokioIo::new(socket), messages, says);
        let hearing = async {
            while let Some(message) = said.recv().await {
                // An agent whose master is behind comes back, and tells everything anew.
                if !joined.say(message) {
                    return;
                }
            }
        };
        // Either ends both; the master is told by what is dropped.
        tokio::select! {
            () = carrying => {}
            () = hearing => {}
        }
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static(link::PROTOCOL));
    Ok(response)
}
