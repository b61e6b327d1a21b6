//! What was acknowledged once the operating system had it is brought to stable storage soon after: `commitlog_sync: periodic`.

use super::Engine;
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use storage::{Batch, Durability};

/// `commitlog_sync_period` of the original.
const PERIOD: Duration = Duration::from_secs(10);

/// Whether something was written since the last time.
#[derive(Debug, Default)]
pub(super) struct Unsynced(AtomicBool);

impl Unsynced {
    pub(super) fn note(&self) {
        // Read first: nearly always it is noted already, and nobody's cache line is taken away.
        if !self.0.load(Ordering::Relaxed) {
            self.0.store(true, Ordering::Release);
        }
    }

    fn take(&self) -> bool {
        self.0.swap(false, Ordering::AcqRel)
    }
}

impl Engine {
    /// Syncs what was written, for ever.
    pub(crate) async fn keep_syncing(&self) {
        loop {
            tokio::time::sleep(PERIOD).await;
            if let Err(error) = self.sync().await {
                self.unsynced.note();
                tracing::warn!(%error, "what was written could not be synced, and will be tried again");
            }
        }
    }

    /// Syncs what was written since the last time, if anything was. A batch of nothing is durable once all before it is.
    pub(super) async fn sync(&self) -> storage::Result<bool> {
        let is_needed = self.durability < Durability::Synced && self.unsynced.take();
        if is_needed {
            self.kv.commit(Batch::default(), Durability::Synced).await?;
        }
        Ok(is_needed)
    }
}
