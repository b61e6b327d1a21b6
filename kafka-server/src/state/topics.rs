//! Topics by name: what CreateTopics, CreatePartitions and the configuration calls leave behind.

use super::{Kind, from_json, key, to_json};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use storage::{Batch, Durability, Kv, Page, Result, Scan};
use uuid::Uuid;

const FORMAT: u8 = 1;

/// A topic as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TopicRecord {
    /// Its name.
    pub(crate) name: String,
    /// Its id, new with each creation.
    pub(crate) id: [u8; 16],
    /// How many partitions it has.
    pub(crate) partitions: i32,
    /// The configuration keys that were set on it.
    pub(crate) config: BTreeMap<String, String>,
    /// Under which epoch of the store's lease partitions were made: each from its index up to the next.
    #[serde(default)]
    pub(crate) made_under: BTreeMap<i32, u64>,
}

impl TopicRecord {
    pub(crate) fn uuid(&self) -> Uuid {
        Uuid::from_bytes(self.id)
    }

    /// The epoch of a partition's leader while the store's lease has the epoch `lease`: each new owner is a new leader.
    pub(crate) fn leader_epoch(&self, index: i32, lease: u64) -> i32 {
        let made_under = self.made_under.range(..=index).next_back();
        let owners = lease.saturating_sub(made_under.map_or(0, |(_, epoch)| *epoch));
        i32::try_from(owners).unwrap_or(i32::MAX)
    }
}

/// Every topic there is.
pub(crate) async fn load(kv: &dyn Kv) -> Result<Vec<TopicRecord>> {
    let mut scan = Some(Scan::prefix(&key(Kind::Topic, &[b""])));
    let mut topics = Vec::new();
    while let Some(range) = scan {
        let page = kv.scan(range, Page::default()).await?;
        for (_, value) in &page.items {
            topics.push(from_json(FORMAT, value)?);
        }
        scan = page.next;
    }
    Ok(topics)
}

/// Stores topics, new or changed, all in one step.
pub(crate) async fn save(kv: &dyn Kv, topics: &[TopicRecord]) -> Result<()> {
    let mut batch = Batch::default();
    for topic in topics {
        let key = key(Kind::Topic, &[topic.name.as_bytes()]);
        batch.put(key, to_json(FORMAT, topic)?);
    }
    kv.commit(batch, Durability::Synced).await
}

/// Forgets topics, all in one step.
pub(crate) async fn remove(kv: &dyn Kv, names: impl Iterator<Item = &str>) -> Result<()> {
    let mut batch = Batch::default();
    for name in names {
        batch.delete(key(Kind::Topic, &[name.as_bytes()]));
    }
    kv.commit(batch, Durability::Synced).await
}

#[cfg(test)]
mod tests;
