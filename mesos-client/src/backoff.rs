use server_kit::Random;
use std::time::Duration;

/// The first pause before one tries again, which doubles up to the last.
const PAUSE_LEAST: Duration = Duration::from_millis(100);
const PAUSE_MOST: Duration = Duration::from_secs(10);

/// Pauses that grow while one tries in vain, each cut at random so that not all who lost a master come back at once.
#[derive(Debug)]
pub(crate) struct Backoff(Duration);

impl Backoff {
    pub(crate) fn new() -> Self {
        Backoff(PAUSE_LEAST)
    }

    pub(crate) fn reset(&mut self) {
        self.0 = PAUSE_LEAST;
    }

    /// Between half of the pause and all of it.
    pub(crate) fn next_pause(&mut self, random: &Random) -> Duration {
        let half = self.0 / 2;
        let more = random.below(u64::try_from(half.as_millis()).unwrap_or(0) + 1);
        self.0 = (self.0 * 2).min(PAUSE_MOST);
        half + Duration::from_millis(more)
    }
}
