//! ZooKeeper's protocol: frames of big-endian numbers and texts with their lengths.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Bytes that a frame may take; ZooKeeper's own limit is one MiB.
const FRAME_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The number of an answer that is none: a watch fired.
pub(crate) const WATCH_XID: i32 = -1;
/// The number of a ping and of its answer.
pub(crate) const PING_XID: i32 = -2;
/// The number of a log-in and of its answer.
pub(crate) const AUTH_XID: i32 = -4;
/// There is no such node.
pub(crate) const NO_NODE: i32 = -101;

const GET_DATA: i32 = 4;
const GET_CHILDREN: i32 = 8;
const PING: i32 = 11;
const AUTH: i32 = 100;

/// Why bytes are no answer of ZooKeeper.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("ZooKeeper's answer cannot be read")]
pub struct Malformed;

/// Asks for a session.
pub(crate) fn connect(timeout_ms: i32) -> BytesMut {
    frame(|to| {
        to.put_i32(0); // version
        to.put_i64(0); // what was seen of the past
        to.put_i32(timeout_ms);
        to.put_i64(0); // no session before
        buffer(to, &[0; 16]);
        to.put_u8(0); // no read-only server
    })
}

/// Logs in as `user:password`.
pub(crate) fn auth(credentials: &str) -> BytesMut {
    frame(|to| {
        to.put_i32(AUTH_XID);
        to.put_i32(AUTH);
        to.put_i32(0);
        buffer(to, b"digest");
        buffer(to, credentials.as_bytes());
    })
}

/// Says that the client is there.
pub(crate) fn ping() -> BytesMut {
    frame(|to| {
        to.put_i32(PING_XID);
        to.put_i32(PING);
    })
}

/// Asks for the names below a node, and to be told once when they change.
pub(crate) fn get_children(xid: i32, path: &str) -> BytesMut {
    frame(|to| {
        to.put_i32(xid);
        to.put_i32(GET_CHILDREN);
        buffer(to, path.as_bytes());
        to.put_u8(1);
    })
}

/// Asks for what a node holds.
pub(crate) fn get_data(xid: i32, path: &str) -> BytesMut {
    frame(|to| {
        to.put_i32(xid);
        to.put_i32(GET_DATA);
        buffer(to, path.as_bytes());
        to.put_u8(0);
    })
}

fn frame(fill: impl FnOnce(&mut BytesMut)) -> BytesMut {
    let mut body = BytesMut::new();
    fill(&mut body);
    let mut framed = BytesMut::with_capacity(body.len() + 4);
    buffer(&mut framed, &body);
    framed
}

fn buffer(to: &mut BytesMut, bytes: &[u8]) {
    // What this client says is a few hundred bytes.
    to.put_i32(i32::try_from(bytes.len()).unwrap_or(i32::MAX));
    to.put_slice(bytes);
}

/// Cuts the next frame from what was received, if it is whole.
pub fn cut(received: &mut BytesMut) -> Result<Option<Bytes>, Malformed> {
    let Some(mut head) = received.get(..4) else {
        return Ok(None);
    };
    let length = usize::try_from(head.get_i32()).map_err(|_| Malformed)?;
    if length > FRAME_BYTES_MAX {
        return Err(Malformed);
    }
    if received.len() < 4 + length {
        return Ok(None);
    }
    received.advance(4);
    Ok(Some(received.split_to(length).freeze()))
}

/// What a server grants a session: how long it lives without a word, in milliseconds; nothing if it is over.
pub fn connected(mut frame: Bytes) -> Result<Option<u32>, Malformed> {
    let _version = frame.try_get_i32().map_err(|_| Malformed)?;
    let timeout = frame.try_get_i32().map_err(|_| Malformed)?;
    Ok(u32::try_from(timeout).ok().filter(|timeout| *timeout > 0))
}

/// An answer: whose, with which error, and what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The number of the question.
    pub xid: i32,
    /// Zero, or what went wrong.
    pub error: i32,
    body: Bytes,
}

impl Answer {
    /// Reads the head of an answer.
    pub fn parse(mut frame: Bytes) -> Result<Self, Malformed> {
        let xid = frame.try_get_i32().map_err(|_| Malformed)?;
        let _zxid = frame.try_get_i64().map_err(|_| Malformed)?;
        let error = frame.try_get_i32().map_err(|_| Malformed)?;
        Ok(Answer {
            xid,
            error,
            body: frame,
        })
    }

    /// The names that were asked for.
    pub fn children(mut self) -> Result<Vec<String>, Malformed> {
        let count = self.body.try_get_i32().map_err(|_| Malformed)?;
        (0..count.max(0))
            .map(|_| String::from_utf8(self.bytes()?.into()).map_err(|_| Malformed))
            .collect()
    }

    /// The content that was asked for.
    pub fn data(mut self) -> Result<Bytes, Malformed> {
        self.bytes()
    }

    fn bytes(&mut self) -> Result<Bytes, Malformed> {
        let length = self.body.try_get_i32().map_err(|_| Malformed)?;
        // A buffer that was never set has the length -1.
        let length = usize::try_from(length.max(0)).map_err(|_| Malformed)?;
        match length <= self.body.len() {
            true => Ok(self.body.split_to(length)),
            false => Err(Malformed),
        }
    }
}

/// The node of the leading master among the names below the masters' node: the one that stands there longest.
pub fn leading(names: &[String]) -> Option<&str> {
    let number = |name: &str| name.strip_prefix("json.info_")?.parse::<u64>().ok();
    let numbered = names.iter().filter_map(|name| Some((number(name)?, name)));
    numbered.min().map(|(_, name)| name.as_str())
}
