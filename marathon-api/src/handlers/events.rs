//! `/v2/events`: what happens, as it happens.

use super::Asked;
use crate::{error::Fault, wire::events::Sent};
use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, Response, header::CACHE_CONTROL, header::CONTENT_TYPE},
};
use futures_util::stream;
use serde_json::json;
use std::{convert::Infallible, time::Duration};
use tokio::sync::broadcast::error::RecvError;

/// How often something is sent where nothing happens, so that peers that are gone are noticed.
const QUIET_MAX: Duration = Duration::from_secs(15);

pub(super) async fn watch(asked: Asked) -> Result<Response<Body>, Fault> {
    let kinds: Vec<String> = asked.query.all("event_type").map(str::to_owned).collect();
    let events = asked.context.handle.watch();
    let peer = json!({ "remoteAddress": asked.context.address.ip().to_string() });
    let at = asked.look(|_, now| now.wall).await?;
    let attached = Sent::new("event_stream_attached", peer, at);
    let first = takes(&kinds, attached.kind).then(|| attached.text.into_bytes());
    let following = stream::unfold(
        (events, kinds, first),
        |(mut events, kinds, mut first)| async move {
            if let Some(first) = first.take() {
                return Some((Ok::<_, Infallible>(Bytes::from(first)), (events, kinds, None)));
            }
            loop {
                let text = match tokio::time::timeout(QUIET_MAX, events.recv()).await {
                    Err(_) => "\r\n".to_owned(),
                    Ok(Ok(sent)) if takes(&kinds, sent.kind) => sent.text.clone(),
                    Ok(Ok(_)) => continue,
                    // Who is behind begins anew, and looks at what is.
                    Ok(Err(RecvError::Lagged(_) | RecvError::Closed)) => return None,
                };
                return Some((Ok(Bytes::from(text)), (events, kinds, None)));
            }
        },
    );
    let mut response = Response::new(Body::from_stream(following));
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream;charset=utf-8"),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

/// Whether a kind is wanted: all are where none is named.
fn takes(kinds: &[String], kind: &str) -> bool {
    kinds.is_empty() || kinds.iter().any(|wanted| wanted == kind)
}
