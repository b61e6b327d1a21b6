use super::{Encoding, MESSAGE_CONTENT_TYPE, RECORDIO, Streamed};
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
    v1::{
        DurationInfo,
        agent::{ProcessIo, process_io as io},
        executor, master,
        scheduler::event,
    },
};
use prost::Message;
use serde::Serialize;
use std::{collections::VecDeque, convert::Infallible, time::Duration};
use tokio::{
    sync::mpsc,
    time::{Interval, MissedTickBehavior, interval},
};

/// How often a container's output says that it goes on; the original's.
const IO_HEARTBEAT_INTERVAL: Duration = Duration::from_secs(30);

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

/// What a container writes. `kept` lives as long as the answer.
pub(crate) fn process_io<Out, Kept>(
    output: mpsc::Receiver<Out>,
    shown: fn(Out) -> ProcessIo,
    kept: Kept,
    streamed: Streamed,
) -> Response
where
    Out: Send + 'static,
    Kept: Send + 'static,
{
    let mut heartbeats = interval(IO_HEARTBEAT_INTERVAL);
    heartbeats.reset();
    let encoding = streamed.encoding;
    let records = stream::unfold(
        (output, heartbeats, kept),
        move |(mut output, mut heartbeats, kept)| async move {
            let record = tokio::select! {
                piece = output.recv() => shown(piece?),
                _ = heartbeats.tick() => still_there(),
            };
            let record = recordio::encode(&encoding.write(&record));
            Some((Ok::<_, Infallible>(record), (output, heartbeats, kept)))
        },
    );
    let mut response = Response::new(Body::from_stream(records));
    let kind = HeaderValue::from_static(encoding.media_type());
    let headers = response.headers_mut();
    if streamed.records {
        headers.insert(MESSAGE_CONTENT_TYPE, kind);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(RECORDIO));
    } else {
        headers.insert(CONTENT_TYPE, kind);
    }
    response
}

fn still_there() -> ProcessIo {
    let nanoseconds = i64::try_from(IO_HEARTBEAT_INTERVAL.as_nanos()).unwrap_or(i64::MAX);
    ProcessIo {
        r#type: Some(io::Type::Control as i32),
        control: Some(io::Control {
            r#type: Some(io::control::Type::Heartbeat as i32),
            heartbeat: Some(io::control::Heartbeat {
                interval: Some(DurationInfo { nanoseconds }),
            }),
            tty_info: None,
        }),
        data: None,
    }
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
