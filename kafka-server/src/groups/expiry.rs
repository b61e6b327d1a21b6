//! What happens to groups by itself: deadlines pass, offsets grow old.

use super::{Groups, Inner};
use crate::{broker::Broker, core::groups::offsets::Change, wire::ResponseError};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// Looks after every group until `stop`.
pub(crate) async fn maintenance(broker: Arc<Broker>, stop: CancellationToken) {
    let groups = broker.groups.clone();
    let check = Duration::from_millis(groups.settings().offsets_check_ms.max(1));
    let mut checks = tokio::time::interval(check);
    checks.tick().await; // the first tick is at once
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = until_due(&groups.inner) => groups.tick().await,
            _ = checks.tick() => groups.expire_offsets().await,
        }
    }
}

/// Answers when a group must be looked at.
async fn until_due(inner: &Inner) {
    loop {
        let earlier = inner.timers.earlier();
        let wait_ms = match inner.timers.next() {
            Some(at_ms) => at_ms - inner.now().elapsed_ms,
            None => i64::MAX,
        };
        if wait_ms <= 0 {
            return;
        }
        let wait = Duration::from_millis(wait_ms.unsigned_abs().min(3_600_000));
        tokio::select! {
            () = earlier => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

impl Groups {
    /// Has every group that is due look at its deadlines.
    pub(crate) async fn tick(&self) {
        for id in self.inner.timers.due(self.inner.now().elapsed_ms) {
            let looked = self.act(&id, false, ResponseError::GroupIdNotFound, |step| {
                step.slot.wake_at_ms = None;
                let slot = &mut *step.slot;
                slot.group
                    .tick(step.now, &mut step.outcome.effects, &mut slot.unsaved);
                Ok(())
            });
            if let Err(error) = looked.await {
                tracing::debug!(group = %id, %error, "a deadline passed without effect");
            }
        }
    }

    /// Gives up offsets whose time is up, and groups that hold nothing any more.
    pub(crate) async fn expire_offsets(&self) {
        let retention_ms = self.settings().offsets_retention_ms;
        for id in self.ids() {
            let expired = self.act(&id, false, ResponseError::GroupIdNotFound, move |step| {
                let group = &step.slot.group;
                let places = group.expired_offsets(step.now, retention_ms);
                let all = group.offsets.places().len() == places.len() && group.offsets.all_held().is_empty();
                step.outcome.delete = all && group.is_empty();
                step.outcome
                    .changes
                    .extend(places.into_iter().map(Change::Remove));
                Ok(())
            });
            if let Err(error) = expired.await {
                tracing::debug!(group = %id, %error, "offsets could not be expired");
            }
        }
    }
}
