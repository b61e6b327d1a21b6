use super::Encoding;
use crate::{
    core::{
        agent,
        master::{HEARTBEAT_INTERVAL, event_of},
    },
    shell::{Attached, Subscription},
};
use axum::{
    body::Body,
    http::{HeaderValue, header::CONTENT_TYPE},
    response::Response,
};
use bytes::Bytes;
use futures_util::stream;
use mesos_proto::{
    recordio,
    v1::{executor, master, scheduler::event},
};
use prost::Message;
use serde::Serialize;
use std::{collections::VecDeque, convert::Infallible};
use tokio::{
    sync::mpsc,
    time::{Interval, MissedTickBehavior, interval},
};

/// Where an answer's records come from. What `kept` holds lives as long as the answer.
struct Open<T, Kept> {
    first: VecDeque<T>,
    events: mpsc::Receiver<T>,
    heartbeat: T,
    heartbeats: Interval,
    encoding: Encoding,
    _kept: Kept,
}

/// An answer that lasts: a framework's events, each a record.
pub(crate) fn events(mut subscription: Subscription, encoding: Encoding) -> Response {
    let id = HeaderValue::from_str(&subscription.stream);
    let (_, none) = mpsc::channel(1);
    let events = std::mem::replace(&mut subscription.events, none);
    let heartbeat = event_of(event::Type::Heartbeat);
    let mut response = lasting(VecDeque::new(), events, heartbeat, encoding, subscription);
    if let Ok(id) = id {
        response.headers_mut().insert("mesos-stream-id", id);
    }
    response
}

/// The same for an executor.
pub(crate) fn executor_events(mut attached: Attached, encoding: Encoding) -> Response {
    let (_, none) = mpsc::channel(1);
    let events = std::mem::replace(&mut attached.events, none);
    let heartbeat = agent::event_of(executor::event::Type::Heartbeat);
    lasting(VecDeque::new(), events, heartbeat, encoding, attached)
}

/// The same for operators.
pub(crate) fn told(
    first: Vec<master::Event>,
    events: mpsc::Receiver<master::Event>,
    heartbeat: master::Event,
    encoding: Encoding,
) -> Response {
    lasting(first.into(), events, heartbeat, encoding, ())
}

fn lasting<T, Kept>(
    first: VecDeque<T>,
    events: mpsc::Receiver<T>,
    heartbeat: T,
    encoding: Encoding,
    kept: Kept,
) -> Response
where
    T: Message + Serialize + Clone + 'static,
    Kept: Send + 'static,
{
    let mut heartbeats = interval(HEARTBEAT_INTERVAL);
    heartbeats.reset(); // the first one, too, is due only after its time
    heartbeats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let open = Open {
        first,
        events,
        heartbeat,
        heartbeats,
        encoding,
        _kept: kept,
    };
    let mut response = Response::new(Body::from_stream(stream::unfold(open, next)));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(encoding.media_type()));
    response
}

async fn next<T, Kept>(mut open: Open<T, Kept>) -> Option<(Result<Bytes, Infallible>, Open<T, Kept>)>
where
    T: Message + Serialize + Clone,
{
    let event = match open.first.pop_front() {
        Some(event) => event,
        None => tokio::select! {
            event = open.events.recv() => event?,
            _ = open.heartbeats.tick() => open.heartbeat.clone(),
        },
    };
    let record = recordio::encode(&open.encoding.write(&event));
    Some((Ok(record), open))
}
