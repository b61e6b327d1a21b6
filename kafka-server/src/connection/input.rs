//! Received bytes, cut into frames.

use super::buffers::{Buffers, KEPT_BYTES_MAX};
use crate::error::Close;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use server_kit::{Share, Stream};
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::io::poll_read_buf;

/// What a connection reads into at first, and the most where requests are small.
const READ_BYTES_MIN: usize = 2 << 10;
const READ_BYTES_MAX: usize = 64 << 10;
/// Bytes reserved at once for a request on its length's word alone; what is longer grows as it arrives.
const TRUSTED_BYTES_MAX: usize = 1 << 20;

/// A request, and its share of the bytes in flight.
pub(super) struct Frame {
    /// Without its length.
    pub(super) bytes: Bytes,
    /// Held until the request is answered.
    pub(super) permit: Option<OwnedSemaphorePermit>,
}

/// Invariant: an idle connection holds no buffer, a busy one reuses its own, and a request's declared length alone
/// takes no more than [`TRUSTED_BYTES_MAX`].
pub(super) struct Input {
    buffer: BytesMut,
    /// Bytes asked for by a read; grows while reads fill it.
    read_bytes: usize,
    request_bytes_max: usize,
    buffers: Arc<Buffers>,
    /// What large requests hold of the bytes in flight.
    share: Share,
}

impl Input {
    pub(super) fn new(request_bytes_max: usize, buffers: Arc<Buffers>, in_flight: Arc<Semaphore>) -> Self {
        Input {
            buffer: BytesMut::new(),
            read_bytes: READ_BYTES_MIN,
            request_bytes_max,
            buffers,
            share: Share::new(in_flight),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.buffer.is_empty()
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

    /// Whether to read: the next frame is not whole, or there is room to see whether the peer is still there.
    pub(super) fn wants_more(&self) -> bool {
        self.buffer.len() < READ_BYTES_MAX
            || !matches!(self.wanted(), Ok(Some(all)) if self.buffer.len() >= all)
    }

    /// Bytes of the next frame with its length; `None` where the length is not there yet.
    fn wanted(&self) -> Result<Option<usize>, Close> {
        let Some(length) = self.buffer.first_chunk::<4>() else {
            return Ok(None);
        };
        let length = i32::from_be_bytes(*length);
        match usize::try_from(length) {
            Ok(bytes) if (1..=self.request_bytes_max).contains(&bytes) => Ok(Some(4 + bytes)),
            _ => Err(malformed(format!("length {length}"))),
        }
    }

    /// The next frame, where all of it is there.
    pub(super) fn next_frame(&mut self) -> Result<Option<Frame>, Close> {
        let Some(wanted) = self.wanted()?.filter(|wanted| self.buffer.len() >= *wanted) else {
            return Ok(None);
        };
        let mut bytes = self.buffer.split_to(wanted).freeze();
        bytes.advance(4);
        let permit = self.share.take();
        if wanted > READ_BYTES_MAX && self.buffer.is_empty() {
            // A large frame has its buffer to itself: kept by this connection, it would count twice.
            let buffer = std::mem::take(&mut self.buffer);
            if wanted <= KEPT_BYTES_MAX {
                self.buffers.keep(buffer);
            }
            // Perhaps another one follows: little more than its length is read until there is a buffer for it.
            self.read_bytes = READ_BYTES_MIN;
        }
        Ok(Some(Frame { bytes, permit }))
    }

    /// Reads once. 0: the peer sends no more.
    pub(super) fn poll_read(
        &mut self,
        task: &mut Context<'_>,
        stream: &mut Stream,
    ) -> Poll<Result<usize, Close>> {
        let wanted = self.wanted()?.unwrap_or(4);
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

    /// Reads a frame larger than the usual buffer, and nothing beyond it, so that it has its memory to itself.
    fn poll_read_large(
        &mut self,
        task: &mut Context<'_>,
        stream: &mut Stream,
        wanted: usize,
    ) -> Poll<Result<usize, Close>> {
        let missing = wanted.saturating_sub(self.buffer.len());
        if missing == 0 {
            return Poll::Pending;
        }
        if self.buffer.capacity() == self.buffer.len() || self.share.bytes() == 0 {
            let target = wanted.min(TRUSTED_BYTES_MAX.max(2 * self.buffer.len()));
            if !ready!(self.share.poll(task, target)) {
                return Poll::Ready(Err(malformed("the server is stopping".to_owned())));
            }
            self.grow(target);
        }
        let mut room = (&mut self.buffer).limit(missing);
        Poll::Ready(Ok(ready!(poll_read_buf(Pin::new(stream), task, &mut room))?))
    }

    /// Makes room for `bytes` together.
    fn grow(&mut self, bytes: usize) {
        if bytes > KEPT_BYTES_MAX {
            self.buffer.reserve(bytes - self.buffer.len().min(bytes));
        } else if self.buffer.capacity() < bytes {
            let mut buffer = self.buffers.take(bytes);
            buffer.extend_from_slice(&self.buffer);
            self.buffer = buffer;
        }
    }
}

/// What is wrong with a peer that leaves within a frame.
pub(super) fn cut_short() -> Close {
    malformed("cut short".to_owned())
}

fn malformed(why: String) -> Close {
    Close::Malformed { what: "frame", why }
}
