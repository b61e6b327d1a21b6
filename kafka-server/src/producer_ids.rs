//! Hands out producer ids, each once in the life of the cluster.

use crate::state::producer_ids;
use std::{ops::Range, sync::Arc};
use storage::{Kv, Result};
use tokio::sync::Mutex;

/// Producer ids taken from the store at once, as the original's controller does.
const BLOCK_IDS: i64 = 1000;

/// The producer ids of a broker.
pub(crate) struct ProducerIds {
    kv: Arc<dyn Kv>,
    /// What is left of the block in use.
    block: Mutex<Range<i64>>,
}

impl ProducerIds {
    pub(crate) fn new(kv: Arc<dyn Kv>) -> Self {
        ProducerIds {
            kv,
            block: Mutex::new(0..0),
        }
    }

    /// An id that nobody was given before. A block is stored as taken before its first id leaves.
    pub(crate) async fn next(&self) -> Result<i64> {
        let mut block = self.block.lock().await;
        if block.is_empty() {
            *block = producer_ids::reserve(self.kv.as_ref(), BLOCK_IDS).await?;
        }
        let id = block.start;
        block.start += 1;
        Ok(id)
    }
}

#[cfg(test)]
mod tests;
