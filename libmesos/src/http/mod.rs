//! A small blocking HTTP/1.1 client: as much of it as the Mesos API needs.
//!
//! Knows: heads of requests and answers, the three ways a body ends, one connection.
//! Never: what is asked or answered, or when to ask again.

mod body;
mod connection;
mod head;
#[cfg(test)]
mod tests;

pub use body::Framing;
pub(crate) use connection::{Connection, Cutter, Request};
pub use head::Head;

/// Why bytes are no answer of HTTP, or do not come.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The head of the answer cannot be read.
    #[error("the answer is no HTTP: {0}")]
    Head(#[from] httparse::Error),
    /// The head of the answer does not end.
    #[error("the head of the answer is longer than {0} bytes")]
    HeadTooLong(usize),
    /// The body is framed in a way that this client does not know, or says two lengths.
    #[error("the body of the answer has no length that can be read")]
    Length,
    /// A piece of the body does not start with its length, or does not end where it says.
    #[error("a chunk of the answer's body is malformed")]
    Chunk,
    /// The connection ended before the answer did.
    #[error("the connection was closed before the answer ended")]
    Closed,
    /// The connection failed, or nothing came in time.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
