//! Timestamps of this node: later writes have greater ones.

use server_kit::Clock;
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

/// Gives out timestamps, each once.
pub(crate) struct Timestamps {
    clock: Arc<dyn Clock>,
    last_us: AtomicI64,
}

impl Timestamps {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Timestamps {
            clock,
            last_us: AtomicI64::new(0),
        }
    }

    /// The present time in microseconds, or just after the last one where the clock did not move on.
    pub(crate) fn next_us(&self) -> i64 {
        let now = self.clock.now_ms().saturating_mul(1000);
        let next = |last: i64| Some(now.max(last.saturating_add(1)));
        match self
            .last_us
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, next)
        {
            Ok(last) | Err(last) => now.max(last.saturating_add(1)),
        }
    }

    /// Time since the node started, to measure how long something takes.
    pub(crate) fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    /// The present second.
    pub(crate) fn now_s(&self) -> i64 {
        self.clock.now_ms().div_euclid(1000)
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }
}
