//! One question to one server, and its answer.
//!
//! Rooms: `body` (what is read of an answer, within a bound). Knows: connections, how long each step may take.
//! Never: who leads, or what is asked.

mod body;

pub(crate) use body::{all, end, piece, text};

use crate::ClientError;
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode, Uri,
    body::Incoming,
    client::conn::http1::{self, SendRequest},
    header::{ACCEPT, CONNECTION, CONTENT_TYPE, HOST, HeaderName, HeaderValue, LOCATION},
};
use hyper_util::rt::TokioIo;
use mesos_proto::masters::Address;
use std::time::Duration;
use tokio::{net::TcpStream, time::timeout};

/// How long a server may take to accept a connection.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// How long it may take from a question to the head of its answer.
const HEAD_TIME_MAX: Duration = Duration::from_secs(30);
/// Bytes of an answer's head, and of what is read ahead of an answer.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// A framework's stream of events, without which no call is taken.
pub(crate) const STREAM_ID: &str = "mesos-stream-id";
const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");

/// A question: a GET where there is no message.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) path: String,
    pub(crate) message: Option<Bytes>,
    pub(crate) stream_id: Option<HeaderValue>,
}

impl Ask {
    pub(crate) fn get(path: &str) -> Self {
        Ask {
            path: path.to_owned(),
            message: None,
            stream_id: None,
        }
    }

    pub(crate) fn post(path: &str, message: Bytes) -> Self {
        Ask {
            path: path.to_owned(),
            message: Some(message),
            stream_id: None,
        }
    }

    fn request(&self, of: &Address) -> Result<Request<Full<Bytes>>, ClientError> {
        let wrong = |error: hyper::http::Error| ClientError::Malformed(error.to_string());
        let uri: Uri = self
            .path
            .parse()
            .map_err(|error| wrong(hyper::http::Error::from(error)))?;
        let request = Request::builder().uri(uri).header(HOST, of.to_string());
        let request = match &self.message {
            None => request.method(Method::GET).header(CONNECTION, "keep-alive"),
            Some(_) => request
                .method(Method::POST)
                .header(CONTENT_TYPE, PROTOBUF)
                .header(ACCEPT, PROTOBUF),
        };
        let request = match &self.stream_id {
            Some(id) => request.header(HeaderName::from_static(STREAM_ID), id),
            None => request,
        };
        let body = Full::new(self.message.clone().unwrap_or_default());
        request.body(body).map_err(wrong)
    }
}

/// A connection to one server, which takes one question after the other.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) address: Address,
    sender: SendRequest<Full<Bytes>>,
}

impl Connection {
    pub(crate) async fn open(address: &Address) -> Result<Self, ClientError> {
        let unreachable = |why: String| ClientError::Unreachable(address.clone(), why);
        let connecting = async {
            let socket = TcpStream::connect((address.host.as_str(), address.port)).await?;
            socket.set_nodelay(true)?;
            Ok::<_, std::io::Error>(socket)
        };
        let socket = timeout(CONNECT_MAX, connecting)
            .await
            .map_err(|_| unreachable("it does not answer".to_owned()))?
            .map_err(|error| unreachable(error.to_string()))?;
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(HEAD_BYTES_MAX)
            .handshake(TokioIo::new(socket))
            .await
            .map_err(|error| unreachable(error.to_string()))?;
        // It ends with the last of who asks by it and of what is read of it.
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to a master ended");
            }
        });
        Ok(Connection {
            address: address.clone(),
            sender,
        })
    }

    /// Whether another question can be asked by it.
    pub(crate) fn is_ready(&self) -> bool {
        self.sender.is_ready()
    }

    /// Whether another question may be asked by it, as far as is known.
    pub(crate) fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// Asks. Where the connection ended before anything was sent, nothing was asked, and the answer is none.
    pub(crate) async fn ask(&mut self, ask: &Ask) -> Result<Option<Response<Incoming>>, ClientError> {
        let request = ask.request(&self.address)?;
        let unreachable = |why: String| ClientError::Unreachable(self.address.clone(), why);
        if self.sender.ready().await.is_err() {
            return Ok(None);
        }
        match timeout(HEAD_TIME_MAX, self.sender.try_send_request(request)).await {
            Ok(Ok(response)) => Ok(Some(response)),
            Ok(Err(mut error)) => match error.take_message() {
                Some(_) => Ok(None),
                None => Err(unreachable(error.into_error().to_string())),
            },
            Err(_) => Err(unreachable("it does not answer".to_owned())),
        }
    }
}

/// Where an answer sends whoever asked, if it does.
pub(crate) fn elsewhere(response: &Response<Incoming>) -> Option<Address> {
    const SENT: [StatusCode; 4] = [
        StatusCode::MOVED_PERMANENTLY,
        StatusCode::FOUND,
        StatusCode::TEMPORARY_REDIRECT,
        StatusCode::PERMANENT_REDIRECT,
    ];
    if !SENT.contains(&response.status()) {
        return None;
    }
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    Address::of_location(location)
}
