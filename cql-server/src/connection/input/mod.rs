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
use bytes::Bytes;
use cut::Large;
use server_kit::{Received, Share, Stream};
use std::{
    io,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::sync::Semaphore;

/// How requests of a connection travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// One envelope after the other: versions 3 and 4, and every connection until it has started.
    Envelopes(Option<Compression>),
    /// Envelopes in segments.
    Segments(Format),
}

pub(super) struct Input {
    buffer: Received,
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
    request_bytes_max: usize,
    /// What large requests hold of the bytes in flight.
    share: Share,
    /// By which error texts know the connection.
    name: u32,
}

impl Input {
    pub(super) fn new(request_bytes_max: usize, in_flight: Arc<Semaphore>, name: u32) -> Self {
        Input {
            buffer: Received::default(),
            framing: Framing::Envelopes(None),
            version: None,
            messages: Bytes::new(),
            large: None,
            skip: 0,
            skipped: None,
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
        self.buffer.holds_buffer()
    }

    /// Gives the buffer back where nothing is in it.
    pub(super) fn release(&mut self) {
        self.buffer.release();
    }

    /// Whether to read: what is next is not whole, or there is room to see whether the peer is still there.
    pub(super) fn wants_more(&self) -> bool {
        self.buffer.len() < Received::READ_BYTES_MAX || self.wanted() > self.buffer.len()
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
        if wanted > Received::READ_BYTES_MAX {
            return self.poll_read_large(task, stream, wanted);
        }
        self.buffer.poll_read(task, stream, wanted)
    }

    /// Reads what is larger than the usual buffer, and nothing beyond it, so that it has its memory to itself.
    fn poll_read_large(
        &mut self,
        task: &mut Context<'_>,
        stream: &mut Stream,
        wanted: usize,
    ) -> Poll<io::Result<usize>> {
        let there = self.buffer.len();
        if there < wanted && self.buffer.capacity() == there {
            self.buffer.reserve(Received::trusted(wanted, there) - there);
        }
        self.buffer.poll_read_exactly(task, stream, wanted)
    }

    /// Ready once this connection holds its share of the bytes in flight: what a large frame and a request that spans
    /// segments take. Small requests are free.
    fn poll_permit(&mut self, task: &mut Context<'_>, wanted: usize) -> Poll<io::Result<()>> {
        let frame = if wanted > Received::READ_BYTES_MAX {
            Received::trusted(wanted, self.buffer.len())
        } else {
            0
        };
        let large = self
            .large
            .as_ref()
            .map_or(0, |large| Received::trusted(large.total, large.bytes.len()));
        match ready!(self.share.poll(task, frame + large)) {
            true => Poll::Ready(Ok(())),
            false => Poll::Ready(Err(io::Error::other("the server is stopping"))),
        }
    }

    /// A share of the bytes in flight for what a compressed request expands to, without waiting for it.
    fn hold_expanded(&mut self, bytes: usize) -> Result<(), CqlError> {
        if bytes <= Received::READ_BYTES_MAX || self.share.try_hold(bytes) {
            return Ok(());
        }
        Err(CqlError::Overloaded(
            "Server is in overloaded state. Cannot accept more requests at this point".to_owned(),
        ))
    }
}
