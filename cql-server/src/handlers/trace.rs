//! What a traced request leaves in `system_traces`: its session, and an event for each step.

use super::Context;
use crate::{
    core::types::{elements::Collection, show},
    engine::{ColumnSpec, Parameters, Steps, Value},
};
use bytes::Bytes;
use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use uuid::Uuid;

/// How long a trace is kept, as the original does.
const TTL_SECONDS: u32 = 24 * 60 * 60;

/// Characters of a bound value that a trace shows.
const VALUE_CHARS_MAX: usize = 1000;

/// A request that is traced.
pub(super) struct Traced {
    id: Uuid,
    request: &'static str,
    parameters: BTreeMap<String, String>,
    started_at_ms: i64,
    since: Duration,
    steps: Steps,
}

/// Begins a trace where the client asked for one.
pub(super) fn begin(
    cx: &Context,
    request: &'static str,
    text: Option<&str>,
    parameters: Option<&Parameters>,
) -> Option<Traced> {
    let id = cx.trace?;
    let mut shown = BTreeMap::new();
    let mut show = |name: &str, value: Option<String>| {
        value.map(|value| shown.insert(name.to_owned(), value));
    };
    show("query", text.map(str::to_owned));
    if let Some(parameters) = parameters {
        show("consistency_level", Some(parameters.consistency.to_string()));
        let serial = parameters.serial_consistency;
        show("serial_consistency_level", serial.map(|level| level.to_string()));
        show("page_size", parameters.page_size.map(|size| size.to_string()));
    }
    Some(Traced {
        id,
        request,
        parameters: shown,
        started_at_ms: cx.service.clock.now_ms(),
        since: cx.service.clock.elapsed(),
        steps: Steps::default(),
    })
}

/// Where the steps of a request are to be noted.
pub(super) fn steps(traced: Option<&Traced>) -> Option<Steps> {
    traced.map(|traced| traced.steps.clone())
}

impl Traced {
    /// Shows the values that `markers` are bound to.
    pub(super) fn bind(&mut self, markers: &[ColumnSpec], values: &[Value]) {
        for (at, (marker, value)) in markers.iter().zip(values).enumerate() {
            let mut shown = match value {
                Value::Set(bytes) => show::cql(&marker.kind, bytes),
                Value::Null => "null".to_owned(),
                Value::Unset => "UNSET".to_owned(),
            };
            if let Some((end, _)) = shown.char_indices().nth(VALUE_CHARS_MAX) {
                shown.truncate(end);
            }
            self.parameters
                .insert(format!("bound_var_{at}_{}", marker.name), shown);
        }
    }
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
    for (at, (when, activity)) in (0..).zip(traced.steps.take()) {
        let elapsed_us = when.saturating_sub(traced.since).as_micros();
        let elapsed_us = i32::try_from(elapsed_us).unwrap_or(i32::MAX);
        let text = format!(
            "INSERT INTO system_traces.events (session_id, event_id, activity, source, source_port, source_elapsed, \
             thread) VALUES (?, ?, ?, ?, ?, ?, ?) USING TTL {TTL_SECONDS}"
        );
        let values = [
            id.clone(),
            Bytes::copy_from_slice(cx.service.time_id(traced.started_at_ms, at).as_bytes()),
            Bytes::from(activity),
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
        map(&traced.parameters),
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
    let session = crate::engine::Session::internal(cx.session.peer);
    cx.service
        .engine
        .query(text, parameters, &session)
        .await
        .map(drop)
}

/// Where this server is reached.
fn here(cx: &Context) -> SocketAddr {
    let config = &cx.service.config;
    let bound = config.listeners.first().and_then(|first| first.bind.parse().ok());
    let mut here = bound.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 9042)));
    if let Some(told) = config.broadcast_rpc_address {
        here.set_ip(told);
    }
    here
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

/// A `map<text, text>`.
fn map(entries: &BTreeMap<String, String>) -> Bytes {
    let mut map = Collection::default();
    for (key, value) in entries {
        map.entry(key.as_bytes(), value.as_bytes());
    }
    map.finish().into()
}
