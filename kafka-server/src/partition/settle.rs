//! Opening many partitions after a crash: quick, because those that nobody wrote to were settled before it, and because
//! several are opened at once.

use super::{Partition, maintenance::partitions};
use crate::broker::Broker;
use futures_util::{StreamExt, stream};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// How often it is looked which partitions nobody writes to any more.
const LOOK: Duration = Duration::from_secs(5);
/// Bytes that are read back sooner than it takes to remember that they need not be.
const SETTLE_BYTES_MIN: u64 = 128 << 10;
/// What of either goes on at the same time.
const AT_ONCE: usize = 8;

/// What was appended, in view of settling it.
#[derive(Debug, Default)]
pub(super) struct Unsettled {
    /// Bytes that an opening would look at.
    pub(super) bytes: u64,
    /// The log's end at the last look.
    seen: u64,
}

impl Unsettled {
    /// What may never have been settled.
    pub(super) fn of(bytes: u64) -> Self {
        Unsettled { bytes, seen: 0 }
    }

    /// Whether they are worth it, and nothing was appended since the last look.
    fn is_due(&mut self, end: u64) -> bool {
        std::mem::replace(&mut self.seen, end) == end && self.bytes >= SETTLE_BYTES_MIN
    }
}

/// Settles partitions that nobody writes to, until `stop`.
pub(crate) async fn settling(broker: Arc<Broker>, stop: CancellationToken) {
    let round = async || {
        tokio::time::sleep(LOOK).await;
        stream::iter(partitions(&broker))
            .for_each_concurrent(AT_ONCE, async |partition| {
                if let Err(error) = partition.settle().await {
                    tracing::warn!(partition = partition.name, %error, "its next opening takes longer");
                }
            })
            .await;
    };
    while stop.run_until_cancelled(round()).await.is_some() {}
}

/// Opens `partitions` that are not open yet. Why one cannot be is told to who uses it next.
pub(crate) async fn open_all(partitions: impl Iterator<Item = Arc<Partition>>) {
    let closed = partitions.filter(|partition| partition.opened().is_none());
    stream::iter(closed)
        .for_each_concurrent(AT_ONCE, async |partition| {
            let opening = tokio::spawn(async move { partition.open().await.map(drop) });
            let _ = opening.await;
        })
        .await;
}

impl Partition {
    /// Leaves nothing to be looked at behind, if it is worth it: neither of producers nor of batches.
    pub(super) async fn settle(&self) -> storage::Result<()> {
        let Some(opened) = self.opened() else {
            return Ok(());
        };
        let end = opened.log_end();
        let bytes = {
            let mut state = opened.state.lock();
            if !state.unsettled.is_due(end) {
                return Ok(());
            }
            std::mem::take(&mut state.unsettled.bytes)
        };
        let settled = async {
            self.save_producers().await?;
            opened.log.settle().await
        };
        let settled = settled.await;
        if settled.is_err() {
            opened.state.lock().unsettled.bytes += bytes;
        }
        settled
    }
}
