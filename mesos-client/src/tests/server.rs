//! A master that says what it is told to.

use crate::http::STREAM_ID;
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
    serve::ListenerExt,
};
use bytes::Bytes;
use futures_util::stream;
use mesos_proto::recordio;
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpListener, sync::mpsc, time::timeout};

/// What somebody asked.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) message: Vec<u8>,
    pub(super) stream_id: Option<String>,
}

/// A stream of events that somebody opened. Dropping it ends it.
pub(super) struct Open {
    pub(super) id: String,
    records: mpsc::Sender<Bytes>,
}

impl Open {
    pub(super) async fn say(&mut self, event: &impl prost::Message) {
        self.say_bytes(recordio::encode(&event.encode_to_vec())).await;
    }

    pub(super) async fn say_bytes(&mut self, bytes: Bytes) {
        self.records.send(bytes).await.unwrap();
    }
}

#[derive(Default)]
struct Says {
    answers: HashMap<String, (u16, Vec<u8>)>,
    elsewhere: Option<String>,
    asked: Vec<Said>,
    calls: Vec<Said>,
    streams: usize,
    refuses_streams: Option<String>,
    calls_fail: Option<(u16, String)>,
}

#[derive(Clone)]
struct Shared {
    says: Arc<Mutex<Says>>,
    opened: mpsc::Sender<Open>,
}

pub(super) struct Server {
    address: String,
    shared: Shared,
    opened: tokio::sync::Mutex<mpsc::Receiver<Open>>,
    connections: Arc<AtomicUsize>,
}

impl Server {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = connections.clone();
        let listener = listener.tap_io(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
        });
        let (open, opened) = mpsc::channel(8);
        let shared = Shared {
            says: Arc::default(),
            opened: open,
        };
        let routes = Router::new().fallback(answer).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Server {
            address,
            shared,
            opened: tokio::sync::Mutex::new(opened),
            connections,
        }
    }

    pub(super) fn address(&self) -> String {
        self.address.clone()
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    pub(super) fn answers(&self, path: &str, status: u16, body: &[u8]) {
        let answer = (status, body.to_vec());
        self.shared.says.lock().answers.insert(path.to_owned(), answer);
    }

    pub(super) fn sends_to(&self, other: String) {
        self.shared.says.lock().elsewhere = Some(other);
    }

    pub(super) fn refuses_streams(&self, why: &str) {
        self.shared.says.lock().refuses_streams = Some(why.to_owned());
    }

    pub(super) fn takes_streams(&self) {
        self.shared.says.lock().refuses_streams = None;
    }

    pub(super) fn refuses_calls(&self, why: &str) {
        self.shared.says.lock().calls_fail = Some((400, why.to_owned()));
    }

    pub(super) fn breaks_calls(&self) {
        self.shared.says.lock().calls_fail = Some((503, String::new()));
    }

    pub(super) fn asked(&self) -> Vec<Said> {
        self.shared.says.lock().asked.clone()
    }

    pub(super) fn calls(&self) -> Vec<Said> {
        self.shared.says.lock().calls.clone()
    }

    /// The next stream that somebody opens.
    pub(super) async fn stream(&self) -> Open {
        let mut opened = self.opened.lock().await;
        timeout(Duration::from_secs(20), opened.recv())
            .await
            .unwrap()
            .unwrap()
    }
}

async fn answer(State(shared): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let stream_id = parts.headers.get(STREAM_ID);
    let said = Said {
        stream_id: stream_id.map(|id| id.to_str().unwrap().to_owned()),
        message: to_bytes(body, 1 << 20).await.unwrap().to_vec(),
    };
    let path = parts.uri.path();
    {
        let mut says = shared.says.lock();
        if said.stream_id.is_some() {
            says.calls.push(said);
            return match &says.calls_fail {
                Some((status, why)) => (StatusCode::from_u16(*status).unwrap(), why.clone()).into_response(),
                None => StatusCode::ACCEPTED.into_response(),
            };
        }
        says.asked.push(said);
        if let Some(other) = &says.elsewhere {
            let location = [(LOCATION, format!("//{other}{path}"))];
            return (StatusCode::TEMPORARY_REDIRECT, location).into_response();
        }
        if let Some((status, body)) = says.answers.get(path) {
            return (StatusCode::from_u16(*status).unwrap(), body.clone()).into_response();
        }
        if !path.starts_with("/api/v1") {
            return StatusCode::NOT_FOUND.into_response();
        }
        if let Some(why) = &says.refuses_streams {
            return (StatusCode::FORBIDDEN, why.clone()).into_response();
        }
    }
    open(&shared).await
}

async fn open(shared: &Shared) -> Response {
    let id = {
        let mut says = shared.says.lock();
        says.streams += 1;
        format!("stream-{}", says.streams)
    };
    let (records, told) = mpsc::channel::<Bytes>(64);
    let opened = Open {
        id: id.clone(),
        records,
    };
    shared.opened.send(opened).await.unwrap();
    let body = stream::unfold(told, |mut told| async move {
        told.recv().await.map(|bytes| (Ok::<_, Infallible>(bytes), told))
    });
    let mut headers = HeaderMap::new();
    headers.insert(STREAM_ID, id.parse().unwrap());
    (headers, Body::from_stream(body)).into_response()
}
