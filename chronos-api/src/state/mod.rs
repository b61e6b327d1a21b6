//! What outlives the process, to storage and back.
//!
//! Knows: key layouts and stored value formats. Never: HTTP, or what a change means.
//!
//! Every key starts with [`SPACE`] and the byte of its kind; every value starts with the version of its format, and is JSON
//! from there on.

#[cfg(test)]
mod tests;

use crate::core::{Change, Kept, Run};
use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use std::sync::Arc;
use storage::{Batch, Durability, Kv, Page, Scan, StorageError};

/// First byte of every key of this server, so that servers can share a store.
const SPACE: u8 = b'o';
/// First byte of every value.
const VERSION: u8 = 1;

/// The kinds of stored keys: the second byte. Never reuse one.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
enum Kind {
    /// The id by which the master knows this framework.
    Framework = 1,
    /// Jobs by name.
    Job = 2,
    /// Runs by the ids of their tasks.
    Run = 3,
}

/// What an earlier process left.
#[derive(Debug, Default)]
pub(crate) struct Left {
    pub(crate) framework: Option<String>,
    pub(crate) jobs: Vec<Kept>,
    pub(crate) runs: Vec<Run>,
}

/// Where jobs and runs are kept.
#[derive(Clone)]
pub(crate) struct Store {
    kv: Arc<dyn Kv>,
    durability: Durability,
}

impl Store {
    pub(crate) fn new(kv: Arc<dyn Kv>, durability: Durability) -> Self {
        Store { kv, durability }
    }

    /// Answers what an earlier process left.
    pub(crate) async fn load(&self) -> Result<Left, StorageError> {
        let framework = self.kv.get(&key(Kind::Framework, "")).await?;
        Ok(Left {
            framework: framework.map(|value| read(&value)).transpose()?,
            jobs: self.all(Kind::Job).await?,
            runs: self.all(Kind::Run).await?,
        })
    }

    async fn all<T: DeserializeOwned>(&self, kind: Kind) -> Result<Vec<T>, StorageError> {
        let mut all = Vec::new();
        let mut rest = Some(Scan::prefix(&[SPACE, kind as u8]));
        while let Some(scan) = rest {
            let page = self.kv.scan(scan, Page::default()).await?;
            for (_, value) in page.items {
                all.push(read(&value)?);
            }
            rest = page.next;
        }
        Ok(all)
    }

    /// Makes changes durable, all or none.
    pub(crate) async fn store(&self, changes: &[Change]) -> Result<(), StorageError> {
        let mut batch = Batch::default();
        for change in changes {
            match change {
                Change::Job(kept) => batch.put(key(Kind::Job, &kept.job.name), written(kept)),
                Change::NoJob(name) => batch.delete(key(Kind::Job, name)),
                Change::Run(run) => batch.put(key(Kind::Run, &run.task), written(run)),
                Change::NoRun(task) => batch.delete(key(Kind::Run, task)),
                Change::Framework(Some(id)) => batch.put(key(Kind::Framework, ""), written(id)),
                Change::Framework(None) => batch.delete(key(Kind::Framework, "")),
            };
        }
        self.kv.commit(batch, self.durability).await
    }
}

fn key(kind: Kind, name: &str) -> Bytes {
    let mut key = vec![SPACE, kind as u8];
    key.extend_from_slice(name.as_bytes());
    Bytes::from(key)
}

fn written(value: &impl Serialize) -> Bytes {
    let mut bytes = vec![VERSION];
    // Nothing that is stored has keys that are not text, which alone could fail.
    bytes.extend(serde_json::to_vec(value).unwrap_or_default());
    Bytes::from(bytes)
}

fn read<T: DeserializeOwned>(value: &[u8]) -> Result<T, StorageError> {
    let json = value.strip_prefix(&[VERSION]);
    let json =
        json.ok_or_else(|| StorageError::Corrupt("jobs have a format of a newer version".to_owned()))?;
    serde_json::from_slice(json).map_err(|error| StorageError::Corrupt(error.to_string()))
}
