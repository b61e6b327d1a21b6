use super::Encoding;
use crate::{core::master::event_of, shell::Subscription};
use axum::{
    body::Body,
    http::{HeaderValue, header::CONTENT_TYPE},
    response::Response,
};
use bytes::Bytes;
use futures_util::stream;
use mesos_proto::{recordio, v1::scheduler::event};
use std::{convert::Infallible, time::Duration};
use tokio::time::{Interval, MissedTickBehavior, interval};

/// How often an event stream shows that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(15);

struct Open {
    subscription: Subscription,
    heartbeats: Interval,
    encoding: Encoding,
}

/// An answer that lasts: a framework's events, each a record.
pub(crate) fn events(subscription: Subscription, encoding: Encoding) -> Response {
    let id = HeaderValue::from_str(&subscription.stream);
    let mut heartbeats = interval(HEARTBEAT);
    heartbeats.reset(); // the first one, too, is due only after its time
    heartbeats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let open = Open {
        subscription,
        heartbeats,
        encoding,
    };
    let mut response = Response::new(Body::from_stream(stream::unfold(open, next)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(encoding.media_type()));
    if let Ok(id) = id {
        headers.insert("mesos-stream-id", id);
    }
    response
}

async fn next(mut open: Open) -> Option<(Result<Bytes, Infallible>, Open)> {
    let event = tokio::select! {
        event = open.subscription.events.recv() => event?,
        _ = open.heartbeats.tick() => event_of(event::Type::Heartbeat),
    };
    let record = recordio::encode(&open.encoding.write(&event));
    Some((Ok(record), open))
}
