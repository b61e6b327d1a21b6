//! ZooKeeper's protocol, as far as masters and those who look for them need it: frames of big-endian numbers and texts
//! with their lengths.
//!
//! Rooms: `questions` (what is asked). Knows: bytes of questions and answers. Never: sockets, sessions, or what nodes mean.

mod questions;
#[cfg(test)]
mod tests;

pub use questions::{
    Access, Change, auth, close, connect, create, create_numbered, get_children, get_data, multi, ping,
};

use bytes::{Buf, Bytes, BytesMut};

/// Bytes that a frame may take; ZooKeeper's own limit is one MiB for questions, and none for lists of names.
const FRAME_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes of what a session is proven by.
const PASSWORD_BYTES: usize = 16;

/// The number of an answer that is none: a watch fired.
pub const WATCH_XID: i32 = -1;
/// The number of a ping and of its answer.
pub const PING_XID: i32 = -2;
/// The number of a log-in and of its answer.
pub const AUTH_XID: i32 = -4;
/// There is no such node.
pub const NO_NODE: i32 = -101;
/// There is one already.
pub const NODE_EXISTS: i32 = -110;

/// Why bytes are no answer of ZooKeeper.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("ZooKeeper's answer cannot be read")]
pub struct Malformed;

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

/// A session as a server grants it; what it takes to go on with it on another connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Session {
    /// Which one it is; 0 asks for a new one.
    pub id: i64,
    /// What proves that it is one's own.
    pub password: [u8; PASSWORD_BYTES],
    /// How long it lives without a word.
    pub timeout_ms: u32,
}

/// What a server grants; nothing if the session is over.
pub fn connected(mut frame: Bytes) -> Result<Option<Session>, Malformed> {
    let _version = frame.try_get_i32().map_err(|_| Malformed)?;
    let timeout = frame.try_get_i32().map_err(|_| Malformed)?;
    let id = frame.try_get_i64().map_err(|_| Malformed)?;
    let password = buffer(&mut frame)?;
    // A session that is over has no password worth reading.
    let password = password[..].try_into().unwrap_or_default();
    let timeout = u32::try_from(timeout).ok().filter(|timeout| *timeout > 0);
    Ok(timeout.map(|timeout_ms| Session {
        id,
        password,
        timeout_ms,
    }))
}

/// An answer: whose, with which error, and what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The number of the question.
    pub xid: i32,
    /// The newest change that the server had seen.
    pub zxid: i64,
    /// Zero, or what went wrong.
    pub error: i32,
    body: Bytes,
}

impl Answer {
    /// Reads the head of an answer.
    pub fn parse(mut frame: Bytes) -> Result<Self, Malformed> {
        let xid = frame.try_get_i32().map_err(|_| Malformed)?;
        let zxid = frame.try_get_i64().map_err(|_| Malformed)?;
        let error = frame.try_get_i32().map_err(|_| Malformed)?;
        Ok(Answer {
            xid,
            zxid,
            error,
            body: frame,
        })
    }

    /// The names that were asked for.
    pub fn children(mut self) -> Result<Vec<String>, Malformed> {
        let count = self.body.try_get_i32().map_err(|_| Malformed)?;
        (0..count.max(0)).map(|_| text(&mut self.body)).collect()
    }

    /// The content that was asked for.
    pub fn data(mut self) -> Result<Bytes, Malformed> {
        buffer(&mut self.body)
    }

    /// What the created node is called, from the root on.
    pub fn path(mut self) -> Result<String, Malformed> {
        text(&mut self.body)
    }

    /// Whether all of several changes were made, or which error kept all of them from being made.
    pub fn changed(mut self) -> Result<Result<(), i32>, Malformed> {
        const ERROR: i32 = -1;
        loop {
            let kind = self.body.try_get_i32().map_err(|_| Malformed)?;
            let done = self.body.try_get_u8().map_err(|_| Malformed)? != 0;
            let _error = self.body.try_get_i32().map_err(|_| Malformed)?;
            // All are refused, or none: what was made of each is of no interest.
            if kind != ERROR || done {
                return Ok(Ok(()));
            }
            // Those that would have been made are refused for no reason of their own.
            match self.body.try_get_i32().map_err(|_| Malformed)? {
                0 => {}
                error => return Ok(Err(error)),
            }
        }
    }
}

fn buffer(from: &mut Bytes) -> Result<Bytes, Malformed> {
    let length = from.try_get_i32().map_err(|_| Malformed)?;
    // A buffer that was never set has the length -1.
    let length = usize::try_from(length.max(0)).map_err(|_| Malformed)?;
    match length <= from.len() {
        true => Ok(from.split_to(length)),
        false => Err(Malformed),
    }
}

fn text(from: &mut Bytes) -> Result<String, Malformed> {
    String::from_utf8(buffer(from)?.into()).map_err(|_| Malformed)
}
