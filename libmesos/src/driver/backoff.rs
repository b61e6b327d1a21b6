use crate::chance;
use std::time::Duration;

/// The first pause before one tries again, which doubles up to the last.
const PAUSE_LEAST: Duration = Duration::from_millis(100);
const PAUSE_MOST: Duration = Duration::from_secs(10);

/// Pauses that grow while one tries in vain.
#[derive(Debug)]
pub(super) struct Backoff(Duration);

impl Backoff {
    pub(super) fn new() -> Self {
        Backoff(PAUSE_LEAST)
    }

    pub(super) fn reset(&mut self) {
        self.0 = PAUSE_LEAST;
    }

    pub(super) fn next_pause(&mut self) -> Duration {
        let pause = chance::jittered(self.0);
        self.0 = (self.0 * 2).min(PAUSE_MOST);
        pause
    }
}
