//! By which listener somebody comes in.

use parking_lot::Mutex;
use std::{sync::Arc, time::Duration};

/// A listener as the limits of connections see it. One that moves to another address stays the same.
#[derive(Debug)]
pub(crate) struct Way {
    /// What tells it from all others there ever were.
    pub(crate) number: usize,
    pub(crate) name: Arc<str>,
    pub(crate) pace: Mutex<Pace>,
}

impl Way {
    pub(crate) fn new(number: usize, name: &str) -> Arc<Self> {
        Arc::new(Way {
            number,
            name: name.into(),
            pace: Mutex::default(),
        })
    }
}

/// Spreads new connections over time: so many of them in any one second.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    second: u64,
    taken: u64,
}

impl Pace {
    /// How long it takes until somebody may come in, where `rate` may in a second.
    pub(crate) fn left(&mut self, now: Duration, rate: u64) -> Duration {
        if self.second != now.as_secs() {
            (self.second, self.taken) = (now.as_secs(), 0);
        }
        match self.taken < rate {
            true => Duration::ZERO,
            false => Duration::from_secs(self.second + 1).saturating_sub(now),
        }
    }

    /// Somebody comes in.
    pub(crate) fn take(&mut self) {
        self.taken += 1;
    }
}
