use super::HttpError;
use bytes::{Buf, BytesMut};

/// Bytes that the line before a chunk may take.
const CHUNK_LINE_BYTES_MAX: usize = 1024;

/// Where one is in a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Framing(State);

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    /// So many bytes are left.
    Length(u64),
    UntilClose,
    /// The line with the length of the next chunk comes.
    ChunkLine,
    /// So many bytes of a chunk are left.
    Chunk(u64),
    /// The end of line after a chunk comes.
    ChunkEnd,
    /// Lines after the last chunk come, up to an empty one.
    Trailers,
    Ended,
}

impl Framing {
    /// A body of so many bytes.
    pub fn length(bytes: u64) -> Self {
        Framing(match bytes {
            0 => State::Ended,
            bytes => State::Length(bytes),
        })
    }

    /// A body in chunks, each with its length.
    pub fn chunked() -> Self {
        Framing(State::ChunkLine)
    }

    /// A body that ends with the connection.
    pub fn until_close() -> Self {
        Framing(State::UntilClose)
    }

    /// Whether all of the body was taken.
    pub fn ended(&self) -> bool {
        self.0 == State::Ended
    }

    /// Whether the body is whole when the connection ends now.
    pub(crate) fn may_end_here(&self) -> bool {
        matches!(self.0, State::Ended | State::UntilClose)
    }

    /// Takes as much as is there of the body from `received`, and puts its content at the end of `content`.
    pub fn take(&mut self, received: &mut BytesMut, content: &mut Vec<u8>) -> Result<(), HttpError> {
        while !received.is_empty() {
            self.0 = match self.0 {
                State::Ended => return Ok(()),
                State::UntilClose => {
                    content.append(&mut received.split().to_vec());
                    State::UntilClose
                }
                State::Length(left) => match move_some(left, received, content) {
                    0 => State::Ended,
                    left => State::Length(left),
                },
                State::Chunk(left) => match move_some(left, received, content) {
                    0 => State::ChunkEnd,
                    left => State::Chunk(left),
                },
                State::ChunkLine => match chunk_length(received)? {
                    None => return Ok(()),
                    Some(0) => State::Trailers,
                    Some(length) => State::Chunk(length),
                },
                State::ChunkEnd => match line(received)? {
                    None => return Ok(()),
                    Some(line) if line.is_empty() => State::ChunkLine,
                    Some(_) => return Err(HttpError::Chunk),
                },
                State::Trailers => match line(received)? {
                    None => return Ok(()),
                    Some(line) if line.is_empty() => State::Ended,
                    Some(_) => State::Trailers,
                },
            };
        }
        Ok(())
    }
}

/// Moves up to `left` bytes, and answers how many are left then.
fn move_some(left: u64, received: &mut BytesMut, content: &mut Vec<u8>) -> u64 {
    let some = usize::try_from(left).unwrap_or(usize::MAX).min(received.len());
    content.extend_from_slice(&received[..some]);
    received.advance(some);
    left - some as u64
}

/// The length of the chunk whose line is there.
fn chunk_length(received: &mut BytesMut) -> Result<Option<u64>, HttpError> {
    match httparse::parse_chunk_size(received) {
        Ok(httparse::Status::Complete((taken, length))) => {
            received.advance(taken);
            Ok(Some(length))
        }
        Ok(httparse::Status::Partial) if received.len() < CHUNK_LINE_BYTES_MAX => Ok(None),
        _ => Err(HttpError::Chunk),
    }
}

/// The next line, without its end.
fn line(received: &mut BytesMut) -> Result<Option<BytesMut>, HttpError> {
    let head = &received[..received.len().min(CHUNK_LINE_BYTES_MAX)];
    let Some(end) = head.iter().position(|byte| *byte == b'\n') else {
        return match received.len() < CHUNK_LINE_BYTES_MAX {
            true => Ok(None),
            false => Err(HttpError::Chunk),
        };
    };
    let mut line = received.split_to(end + 1);
    line.truncate(end);
    if line.ends_with(b"\r") {
        line.truncate(end - 1);
    }
    Ok(Some(line))
}
