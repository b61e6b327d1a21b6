//! Received bytes, cut into frames.

use super::buffers::{Buffers, KEPT_BYTES_MAX};
use crate::error::Close;
use bytes::{Buf, Bytes};
use server_kit::{Received, Share, Stream};
use std::{
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A request, and its share of the bytes in flight.
pub(super) struct Frame {
    /// Without its length.
    pub(super) bytes: Bytes,
    /// Held until the request is answered.
    pub(super) permit: Option<OwnedSemaphorePermit>,
}

pub(super) struct Input {
    buffer: Received,
    request_bytes_max: usize,
    buffers: Arc<Buffers>,
    /// What large requests hold of the bytes in flight.
    share: Share,
}

impl Input {
    pub(super) fn new(request_bytes_max: usize, buffers: Arc<Buffers>, in_flight: Arc<Semaphore>) -> Self {
        Input {
            buffer: Received::default(),
            request_bytes_max,
            buffers,
            share: Share::new(in_flight),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    pub(super) fn holds_buffer(&self) -> bool {
        self.buffer.holds_buffer()
    }

    /// Gives the buffer back where nothing is in it.
    pub(super) fn release(&mut self) {
        self.buffer.release();
    }

    /// Whether to read: the next frame is not whole, or there is room to see whether the peer is still there.
    pub(super) fn wants_more(&self) -> bool {
        self.buffer.len() < Received::READ_BYTES_MAX
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
        if wanted > Received::READ_BYTES_MAX && self.buffer.is_empty() {
            // A large frame has its buffer to itself: kept by this connection, it would count twice.
            // Perhaps another one follows: little more than its length is read until there is a buffer for it.
            let buffer = self.buffer.take();
            if wanted <= KEPT_BYTES_MAX {
                self.buffers.keep(buffer);
            }
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
        if wanted > Received::READ_BYTES_MAX {
            return self.poll_read_large(task, stream, wanted);
        }
        Poll::Ready(Ok(ready!(self.buffer.poll_read(task, stream, wanted))?))
    }

    /// Reads a frame larger than the usual buffer, and nothing beyond it, so that it has its memory to itself.
    fn poll_read_large(
        &mut self,
        task: &mut Context<'_>,
        stream: &mut Stream,
        wanted: usize,
    ) -> Poll<Result<usize, Close>> {
        if self.buffer.len() >= wanted {
            return Poll::Pending;
        }
        if self.buffer.capacity() == self.buffer.len() || self.share.bytes() == 0 {
            let target = Received::trusted(wanted, self.buffer.len());
            if !ready!(self.share.poll(task, target)) {
                return Poll::Ready(Err(malformed("the server is stopping".to_owned())));
            }
            self.grow(target);
        }
        Poll::Ready(Ok(ready!(self.buffer.poll_read_exactly(task, stream, wanted))?))
    }

    /// Makes room for `bytes` together.
    fn grow(&mut self, bytes: usize) {
        if bytes > KEPT_BYTES_MAX {
            let missing = bytes.saturating_sub(self.buffer.len());
            self.buffer.reserve(missing);
        } else if self.buffer.capacity() < bytes {
            self.buffer.grow_into(self.buffers.take(bytes));
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
