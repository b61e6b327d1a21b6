use bytes::BytesMut;
use parking_lot::Mutex;
use std::collections::VecDeque;

/// Buffers kept at the most, and the largest that is.
const KEPT_MAX: usize = 8;
pub(super) const KEPT_BYTES_MAX: usize = 1 << 20;

/// Memory of large requests, used again for the next ones of whichever connection: fresh memory costs a page fault for
/// every 4 KiB, used memory is still in the processor's cache.
///
/// What is kept here may still be read by whoever answers its request; it is given out once nobody does.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    kept: Mutex<VecDeque<BytesMut>>,
}

impl Buffers {
    /// The rest of a buffer whose bytes were split off.
    pub(super) fn keep(&self, buffer: BytesMut) {
        let mut kept = self.kept.lock();
        if kept.len() == KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back(buffer);
    }

    /// An empty buffer with room for `bytes`, the one used last if there are several.
    pub(super) fn take(&self, bytes: usize) -> BytesMut {
        let mut kept = self.kept.lock();
        let free = (0..kept.len()).rev().find(|at| kept[*at].try_reclaim(bytes));
        let buffer = free.and_then(|at| kept.remove(at));
        drop(kept);
        buffer.unwrap_or_else(|| BytesMut::with_capacity(bytes))
    }
}
