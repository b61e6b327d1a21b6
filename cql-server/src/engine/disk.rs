//! How full the disk is, for guardrails: looked at now and then, as the original does.

use super::Engine;
use crate::{core::guardrails::Watch, error::Result};
use parking_lot::Mutex;
use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};
use storage::Space;

/// As often as the original looks.
const LOOKED_EVERY: Duration = Duration::from_secs(30);

/// Clients are told no more often than this: all of them would hear the same.
const TOLD_EVERY: Duration = Duration::from_secs(30 * 60);

/// How full it is.
#[derive(Debug, Default)]
pub(super) struct Fullness {
    /// What was used, in percent, when it was looked at last.
    percent: AtomicI64,
    /// When somebody was warned last, and when somebody was told of a failure.
    told: Mutex<[Option<Duration>; 2]>,
}

impl Fullness {
    /// Whether somebody is to be told at `now`, of a failure or of a warning.
    fn tells(&self, of_failure: bool, now: Duration) -> bool {
        let last = &mut self.told.lock()[usize::from(of_failure)];
        let tells = last.is_none_or(|last| now.saturating_sub(last) >= TOLD_EVERY);
        if tells {
            *last = Some(now);
        }
        tells
    }
}

impl Engine {
    /// Looks again and again, for ever, if anybody is held to what is used.
    pub(crate) async fn keep_looking_at_disk(&self) {
        while self.guardrails.limits_disk() {
            tokio::time::sleep(LOOKED_EVERY).await;
            self.look_at_disk();
        }
    }

    /// Looks once.
    pub(crate) fn look_at_disk(&self) {
        match self.kv.space() {
            Ok(Some(space)) => {
                let percent = percent(space, self.guardrails.disk_max());
                self.fullness.percent.store(percent, Ordering::Relaxed);
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "what the disk holds could not be told"),
        }
    }

    /// What a write is told, or refused for.
    pub(super) fn guard_disk(&self, watch: &mut Watch<'_>) -> Result<()> {
        let percent = self.fullness.percent.load(Ordering::Relaxed);
        watch.disk(percent, |of_failure| {
            self.fullness.tells(of_failure, self.time.elapsed())
        })
    }
}

/// What is used of what the store has or could have, if that is not more than `max`.
fn percent(space: Space, max: Option<u64>) -> i64 {
    let whole = space.used.saturating_add(space.free).min(max.unwrap_or(u64::MAX));
    let percent = (u128::from(space.used) * 100).div_ceil(u128::from(whole.max(1)));
    i64::try_from(percent).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
