//! What outlives a master, to storage and back.
//!
//! Knows: key layouts and stored value formats. Never: HTTP, or what a change means.
//!
//! Every key starts with [`SPACE`] and the byte of its kind; every value starts with the version of its format, and is
//! JSON from there on.

#[cfg(test)]
mod tests;

use crate::core::master::{Change, Kept, Quota, Registered};
use bytes::Bytes;
use mesos_proto::v1::{AgentInfo, MachineId, maintenance::Schedule};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use storage::{Batch, Durability, Kv, Page, Scan, StorageError};

/// First byte of every key of this server, so that servers can share a store.
const SPACE: u8 = b'm';
/// First byte of every value.
const VERSION: u8 = 1;

/// The kinds of stored keys: the second byte. Never reuse one.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
enum Kind {
    /// Agents by id.
    Agent = 1,
    /// What operators set: one key for each sort of it.
    Setting = 2,
}

const WEIGHTS: &str = "weights";
const QUOTAS: &str = "quotas";
const MAINTENANCE: &str = "maintenance";

/// What is stored of an agent.
#[derive(Debug, Serialize, Deserialize)]
enum Agent {
    Admitted {
        info: Box<AgentInfo>,
        kept: Kept,
    },
    Unreachable {
        since: Duration,
        /// Earlier versions did not tell.
        #[serde(default)]
        kept: Kept,
    },
    Gone {
        since: Duration,
    },
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Maintenance {
    schedule: Schedule,
    down: Vec<MachineId>,
}

/// Where a master's registry is kept.
#[derive(Clone)]
pub(crate) struct Registry {
    kv: Arc<dyn Kv>,
    durability: Durability,
}

impl Registry {
    pub(crate) fn new(kv: Arc<dyn Kv>, durability: Durability) -> Self {
        Registry { kv, durability }
    }

    /// Answers what an earlier master left.
    pub(crate) async fn load(&self) -> Result<Registered, StorageError> {
        let mut all = Registered::default();
        let mut rest = Some(Scan::prefix(&[SPACE, Kind::Agent as u8]));
        while let Some(scan) = rest {
            let page = self.kv.scan(scan, Page::default()).await?;
            for (key, value) in &page.items {
                let id = String::from_utf8_lossy(key.get(2..).unwrap_or_default()).into_owned();
                match read(value)? {
                    Agent::Admitted { info, kept } => all.admitted.push((*info, kept)),
                    Agent::Unreachable { since, kept } => all.unreachable.push((id, since, kept)),
                    Agent::Gone { since } => all.gone.push((id, since)),
                }
            }
            rest = page.next;
        }
        all.weights = self.setting::<BTreeMap<String, f64>>(WEIGHTS).await?;
        all.quotas = self.setting::<BTreeMap<String, Quota>>(QUOTAS).await?;
        let maintenance = self.setting::<Maintenance>(MAINTENANCE).await?;
        (all.schedule, all.down) = (maintenance.schedule, maintenance.down);
        Ok(all)
    }

    async fn setting<T: DeserializeOwned + Default>(&self, name: &str) -> Result<T, StorageError> {
        let key = key(Kind::Setting, name);
        match self.kv.get(&key).await? {
            Some(value) => read(&value),
            None => Ok(T::default()),
        }
    }

    /// Makes changes durable, all or none.
    pub(crate) async fn store(&self, changes: &[Change]) -> Result<(), StorageError> {
        let mut batch = Batch::default();
        for change in changes {
            put(&mut batch, change);
        }
        self.kv.commit(batch, self.durability).await
    }
}

fn put(batch: &mut Batch, change: &Change) {
    match change {
        Change::Admitted { info, kept } => {
            let id = info.id.as_ref().map_or("", |id| &id.value);
            let (info, kept) = (info.clone(), kept.clone());
            batch.put(key(Kind::Agent, id), written(&Agent::Admitted { info, kept }));
        }
        Change::Unreachable { agent, since, kept } => {
            let (since, kept) = (*since, kept.clone());
            batch.put(
                key(Kind::Agent, agent),
                written(&Agent::Unreachable { since, kept }),
            );
        }
        Change::Gone { agent, since } => {
            batch.put(key(Kind::Agent, agent), written(&Agent::Gone { since: *since }));
        }
        Change::Forgotten { agent } => {
            batch.delete(key(Kind::Agent, agent));
        }
        Change::Weights(weights) => {
            batch.put(key(Kind::Setting, WEIGHTS), written(weights));
        }
        Change::Quotas(quotas) => {
            batch.put(key(Kind::Setting, QUOTAS), written(quotas));
        }
        Change::Maintenance { schedule, down } => {
            let (schedule, down) = (schedule.clone(), down.clone());
            batch.put(
                key(Kind::Setting, MAINTENANCE),
                written(&Maintenance { schedule, down }),
            );
        }
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
        json.ok_or_else(|| StorageError::Corrupt("the registry has a format of a newer version".to_owned()))?;
    serde_json::from_slice(json).map_err(|error| StorageError::Corrupt(error.to_string()))
}
