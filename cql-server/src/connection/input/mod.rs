//! Received bytes, cut into requests.
//!
//! Knows: envelopes, segments, limits. Never: what a request means.

mod cut;

pub(super) use cut::{Incoming, Taken};

use crate::{
    error::CqlError,
    wire::{
        compression::Compression,
        envelope::Refused,
        segment::{self, Format},
        version::Version,
    },
};
use bytes::{BufMut, Bytes, BytesMut};
use cut::Large;
use server_kit::{Share, Stream};
use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::sync::Semaphore;
use tokio_util::io::poll_read_buf;

/// What a connection reads into at first, and the most where requests are small.
const READ_BYTES_MIN: usize = 2 << 10;
const READ_BYTES_MAX: usize = 64 << 10;
/// Bytes reserved at once for a request on its length's word alone; what is longer grows as it arrives.
const TRUSTED_BYTES_MAX: usize = 1 << 20;

/// How requests of a connection travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// One envelope after the other: versions 3 and 4, and every connection until it has started.
    Envelopes(Option<Compression>),
    /// Envelopes in segments.
    Segments(Format),
}

/// Invariant: an idle connection holds no buffer, a busy one reuses its own, and a request's declared length alone
/// takes no more than [`TRUSTED_BYTES_MAX`].
pub(super) struct Input {
    buffer: BytesMut,
    framing: Framing,
    /// The version of the connection, once it has started.
    version: Option<Version>,
    /// What is left of a segment that holds whole envelopes.
    messages: Bytes,
    /// A request that spans segments.
    large: Option<Large>,
    /// Bytes of a request that was not taken, still to be thrown away.
    skip: usize,
    /// What its sender is told once they are.
    skipped: Option<Refused>,
    /// Bytes asked for by a read; grows while reads fill it.
    read_bytes: usize,
    request_bytes_max: usize,
    /// What large requests hold of the bytes in flight.
    share: Share,
    /// By which error texts know the connection.
    name: u32,
}

impl Input {
    pub(super) fn new(request_bytes_max: usize, in_flight: Arc<Semaphore>, name: u32) -> Self {
        Input {
            buffer: BytesMut::new(),
            framing: Framing::Envelopes(None),
            version: None,
            messages: Bytes::new(),
            large: None,
            skip: 0,
            skipped: None,
            read_bytes: READ_BYTES_MIN,
            request_bytes_max,
            share: Share::new(in_flight),
            name,
        }
    }

    /// From here on the connection has started.
    pub(super) fn start(&mut self, version: Version, framing: Framing) {
        self.version = Some(version);
        self.framing = framing;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.buffer.is_empty() && self.messages.is_empty() && self.large.is_none()
    }

    pub(super) fn holds_buffer(&self) -> bool {
        self.buffer.capacity() > 0
    }

    /// Gives the buffer back where nothing is in it.
    pub(super) fn release(&mut self) {
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
            self.read_bytes = READ_BYTES_MIN;
        }
    }

    /// Whether to read: what is next is not whole, or there is room to see whether the peer is still there.
    pub(super) fn wants_more(&self) -> bool {
        self.buffer.len() < READ_BYTES_MAX || self.wanted() > self.buffer.len()
    }

    /// Bytes of what is next, a frame or a segment, as far as they are known.
    fn wanted(&self) -> usize {
        match self.framing {
            Framing::Envelopes(_) if self.skip > 0 => 1,
            Framing::Envelopes(_) => cut::envelope_bytes(&self.buffer, self.version)
                .filter(|bytes| *bytes <= self.request_bytes_max)
                .unwrap_or(1),
            Framing::Segments(format) => match format.read_header(&self.buffer) {
                Ok(Some(header)) => format.header_bytes() + header.stored + segment::TRAILER_BYTES,
                _ => format.header_bytes(),
            },
        }
    }

    /// Reads once. 0: the peer sends no more.
    pub(super) fn poll_read(
        &mut self,
        task: &mut Context<'_>,
        stream: &mut Stream,
    ) -> Poll<io::Result<usize>> {
        let wanted = self.wanted();
        ready!(self.poll_permit(task, wanted))?;
        if wanted > READ_BYTES_MAX {
            return self.poll_read_large(task, stream, wanted);
        }
        if self.buffer.capacity() == 0 {
            ready!(stream.poll_readable(task))?;
        }
        let missing = wanted.saturating_sub(self.buffer.len());
        if self.buffer.capacity() - self.buffer.len() < missing.max(READ_BYTES_MIN / 2) {
            self.buffer.reserve(self.read_bytes.max(missing));
        }
        let room = self.buffer.capacity() - self.buffer.len();
        let read = ready!(poll_read_buf(Pin::new(stream), task, &mut self.buffer))?;
        if read == room && self.read_bytes < READ_BYTES_MAX {
            self.read_bytes *= 4;
        }
        Poll::Ready(Ok(read))
    }

    /// Reads what is larger than the usual buffer, and nothing beyond it, so that it has its memory to itself.
    fn poll_read_large(
        &mut self,
        task: &mut Context<'_>,
        stream: &mut Stream,
        wanted: usize,
    ) -> Poll<io::Result<usize>> {
        let missing = wanted.saturating_sub(self.buffer.len());
        if missing == 0 {
            return Poll::Pending;
        }
        if self.buffer.capacity() == self.buffer.len() {
            let target = self.trusted(wanted, self.buffer.len());
            self.buffer.reserve(target.saturating_sub(self.buffer.len()));
        }
        let mut room = (&mut self.buffer).limit(missing);
        Poll::Ready(Ok(ready!(poll_read_buf(Pin::new(stream), task, &mut room))?))
    }

    /// How much of `wanted` memory is taken for at once, where `there` has arrived.
    fn trusted(&self, wanted: usize, there: usize) -> usize {
        wanted.min(TRUSTED_BYTES_MAX.max(2 * there))
    }

    /// Ready once this connection holds its share of the bytes in flight: what a large frame and a request that spans
    /// segments take. Small requests are free.
    fn poll_permit(&mut self, task: &mut Context<'_>, wanted: usize) -> Poll<io::Result<()>> {
        let frame = if wanted > READ_BYTES_MAX {
            self.trusted(wanted, self.buffer.len())
        } else {
            0
        };
        let large = self
            .large
            .as_ref()
            .map_or(0, |large| self.trusted(large.total, large.bytes.len()));
        match ready!(self.share.poll(task, frame + large)) {
            true => Poll::Ready(Ok(())),
            false => Poll::Ready(Err(io::Error::other("the server is stopping"))),
        }
    }

    /// A share of the bytes in flight for what a compressed request expands to, without waiting for it.
    fn hold_expanded(&mut self, bytes: usize) -> Result<(), CqlError> {
        if bytes <= READ_BYTES_MAX || self.share.try_hold(bytes) {
            return Ok(());
        }
        Err(CqlError::Overloaded(
            "Server is in overloaded state. Cannot accept more requests at this point".to_owned(),
        ))
    }
}
