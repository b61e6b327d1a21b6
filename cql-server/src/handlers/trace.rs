//! What a traced request leaves in `system_traces`: its session, and two events.

use super::Context;
use crate::engine::{Parameters, Value};
use bytes::{BufMut, Bytes, BytesMut};
use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use uuid::Uuid;

/// How long a trace is kept, as the original does.
const TTL_SECONDS: u32 = 24 * 60 * 60;

/// A request that is traced.
pub(super) struct Traced {
    id: Uuid,
    request: &'static str,
    parameters: Bytes,
    started_at_ms: i64,
    since: Duration,
}

/// Begins a trace where the client asked for one.
pub(super) fn begin(
    cx: &Context,
    request: &'static str,
    text: &str,
    parameters: &Parameters,
) -> Option<Traced> {
    let id = cx.trace?;
    let consistency = format!("{:?}", parameters.consistency).to_uppercase();
    let page_size = parameters.page_size.unwrap_or(-1).to_string();
    Some(Traced {
        id,
        request,
        parameters: map(&[
            ("consistency_level", &consistency),
            ("page_size", &page_size),
            ("query", text),
        ]),
        started_at_ms: cx.service.clock.now_ms(),
        since: cx.service.clock.elapsed(),
    })
}

/// Stores the trace. A trace that cannot be stored fails nobody's request.
pub(super) async fn end(cx: &Context, traced: Option<Traced>) {
    let Some(traced) = traced else {
        return;
    };
    let took = cx.service.clock.elapsed().saturating_sub(traced.since);
    if let Err(error) = store(cx, &traced, took).await {
        tracing::warn!(%error, "a trace was not stored");
    }
}

async fn store(cx: &Context, traced: &Traced, took: Duration) -> crate::error::Result<()> {
    let here = here(cx);
    let took_us = i32::try_from(took.as_micros()).unwrap_or(i32::MAX);
    let id = Bytes::copy_from_slice(traced.id.as_bytes());
    let events = [
        ("Parsing and executing the statement", 0),
        ("Request complete", took_us),
    ];
    for (activity, elapsed_us) in events {
        let text = format!(
            "INSERT INTO system_traces.events (session_id, event_id, activity, source, source_port, source_elapsed, \
             thread) VALUES (?, ?, ?, ?, ?, ?, ?) USING TTL {TTL_SECONDS}"
        );
        let values = [
            id.clone(),
            Bytes::copy_from_slice(cx.service.trace_id().as_bytes()),
            Bytes::from_static(activity.as_bytes()),
            inet(here.ip()),
            int(here.port().into()),
            int(elapsed_us),
            Bytes::from_static(b"smack"),
        ];
        write(cx, &text, values.into()).await?;
    }
    let text = format!(
        "INSERT INTO system_traces.sessions (session_id, client, command, coordinator, coordinator_port, duration, \
         parameters, request, started_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) USING TTL {TTL_SECONDS}"
    );
    let values = [
        id,
        inet(cx.session.peer.ip()),
        Bytes::from_static(b"QUERY"),
        inet(here.ip()),
        int(here.port().into()),
        int(took_us),
        traced.parameters.clone(),
        Bytes::from_static(traced.request.as_bytes()),
        Bytes::copy_from_slice(&traced.started_at_ms.to_be_bytes()),
    ];
    write(cx, &text, values.into()).await
}

async fn write(cx: &Context, text: &str, values: Vec<Bytes>) -> crate::error::Result<()> {
    let parameters = Parameters {
        values: values.into_iter().map(Value::Set).collect(),
        ..Parameters::default()
    };
    let session = crate::engine::Session::new(cx.session.peer);
    cx.service
        .engine
        .query(text, parameters, &session)
        .await
        .map(drop)
}

/// Where this server is reached.
fn here(cx: &Context) -> SocketAddr {
    let bind = cx
        .service
        .config
        .listeners
        .first()
        .map(|listener| listener.bind.as_str());
    let address = bind.and_then(|bind| bind.parse().ok());
    address.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 9042)))
}

fn int(value: i32) -> Bytes {
    Bytes::copy_from_slice(&value.to_be_bytes())
}

fn inet(address: IpAddr) -> Bytes {
    match address {
        IpAddr::V4(ip) => Bytes::copy_from_slice(&ip.octets()),
        IpAddr::V6(ip) => Bytes::copy_from_slice(&ip.octets()),
    }
}

/// A `map<text, text>`, its keys in order.
fn map(entries: &[(&str, &str)]) -> Bytes {
    let mut out = BytesMut::new();
    out.put_i32(entries.len() as i32);
    for text in entries.iter().flat_map(|(key, value)| [key, value]) {
        out.put_i32(text.len() as i32);
        out.put_slice(text.as_bytes());
    }
    out.freeze()
}
