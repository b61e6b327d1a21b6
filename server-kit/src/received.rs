//! What a peer has sent and nobody has cut into requests yet.

use crate::Stream;
use bytes::{BufMut, BytesMut};
use std::{
    io,
    ops::{Deref, DerefMut},
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio_util::io::poll_read_buf;

/// What is read at first.
const READ_BYTES_MIN: usize = 2 << 10;
/// Bytes reserved at once for a request on its length's word alone.
const TRUSTED_BYTES_MAX: usize = 1 << 20;

/// Invariant: an idle connection holds no buffer, a busy one reuses its own, and a request's declared length alone
/// takes no more than [`Received::trusted`].
#[derive(Default)]
pub struct Received {
    buffer: BytesMut,
    /// How often reads have filled what they asked for: each asks for four times as much.
    filled: u32,
}

impl Received {
    /// What is larger has its buffer to itself, see [`Received::poll_read_exactly`]. At most twice as much is read at once.
    pub const READ_BYTES_MAX: usize = 64 << 10;

    /// How much of a request of `wanted` bytes memory is taken for at once, where `there` have arrived.
    pub fn trusted(wanted: usize, there: usize) -> usize {
        wanted.min(TRUSTED_BYTES_MAX.max(2 * there))
    }

    /// Whether it takes memory.
    pub fn holds_buffer(&self) -> bool {
        self.buffer.capacity() > 0
    }

    /// Gives the buffer back where nothing is in it.
    pub fn release(&mut self) {
        if self.buffer.is_empty() {
            self.take();
        }
    }

    /// Everything, and the memory it is in. Little is read next: there may be no more of the kind.
    pub fn take(&mut self) -> BytesMut {
        std::mem::take(self).buffer
    }

    /// Goes on in `buffer`, which has more room.
    pub fn grow_into(&mut self, mut buffer: BytesMut) {
        buffer.extend_from_slice(&self.buffer);
        self.buffer = buffer;
    }

    /// Reads once what is there, with room for `wanted` bytes together. Answers how much; 0: the peer sends no more.
    pub fn poll_read(
        &mut self,
        task: &mut Context<'_>,
        stream: &mut Stream,
        wanted: usize,
    ) -> Poll<io::Result<usize>> {
        if !self.holds_buffer() {
            ready!(stream.poll_readable(task))?;
        }
        let missing = wanted.saturating_sub(self.buffer.len());
        let asked = READ_BYTES_MIN << (2 * self.filled);
        if self.room() < missing.max(READ_BYTES_MIN / 2) {
            self.buffer.reserve(asked.max(missing));
        }
        let room = self.room();
        let read = ready!(poll_read_buf(Pin::new(stream), task, &mut self.buffer))?;
        if read == room && asked < Self::READ_BYTES_MAX {
            self.filled += 1;
        }
        Poll::Ready(Ok(read))
    }

    /// Reads once into the room there is, and nothing beyond `wanted` bytes together, so that what is large has its
    /// memory to itself. Pending without a wakeup where all of it is there.
    pub fn poll_read_exactly(
        &mut self,
        task: &mut Context<'_>,
        stream: &mut Stream,
        wanted: usize,
    ) -> Poll<io::Result<usize>> {
        let missing = wanted.saturating_sub(self.buffer.len());
        if missing == 0 {
            return Poll::Pending;
        }
        let mut room = (&mut self.buffer).limit(missing);
        poll_read_buf(Pin::new(stream), task, &mut room)
    }

    fn room(&self) -> usize {
        self.buffer.capacity() - self.buffer.len()
    }
}

impl Deref for Received {
    type Target = BytesMut;

    fn deref(&self) -> &BytesMut {
        &self.buffer
    }
}

impl DerefMut for Received {
    fn deref_mut(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }
}
