use super::{Opened, Partition};
use std::sync::atomic::{AtomicU64, Ordering};

/// What went through a partition since the broker started, and what it holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    pub(crate) bytes_in: u64,
    pub(crate) records_in: u64,
    pub(crate) bytes_out: u64,
    pub(crate) reads: u64,
    pub(crate) bytes_held: u64,
}

impl Traffic {
    /// Both together.
    pub(crate) fn add(&mut self, other: &Traffic) {
        self.bytes_in += other.bytes_in;
        self.records_in += other.records_in;
        self.bytes_out += other.bytes_out;
        self.reads += other.reads;
        self.bytes_held += other.bytes_held;
    }
}

/// What was read. What was written is counted under the lock that an append holds anyway.
#[derive(Debug, Default)]
pub(super) struct Reads {
    count: AtomicU64,
    bytes: AtomicU64,
}

impl Reads {
    pub(super) fn add(&self, bytes: usize) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

impl Partition {
    /// Nothing, where its storage was never opened.
    pub(crate) fn traffic(&self) -> Traffic {
        self.opened().map(Opened::traffic).unwrap_or_default()
    }
}

impl Opened {
    fn traffic(&self) -> Traffic {
        let (bytes_in, records_in) = {
            let state = self.state.lock();
            (state.bytes_in, state.records_in)
        };
        Traffic {
            bytes_in,
            records_in,
            bytes_out: self.reads.bytes.load(Ordering::Relaxed),
            reads: self.reads.count.load(Ordering::Relaxed),
            bytes_held: self.log.range().bytes,
        }
    }
}
