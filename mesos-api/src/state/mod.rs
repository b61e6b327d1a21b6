//! What outlives a master, to storage and back.
//!
//! Rooms: `nodes` (in ZooKeeper). Knows: key layouts and stored value formats. Never: HTTP, or what a change means.
//!
//! Every key starts with [`SPACE`] and the byte of its kind, or stands below the node of its kind; every value starts with
//! the version of its format, and is JSON from there on.

mod nodes;
#[cfg(test)]
mod tests;

use crate::{
    core::master::{Change, Kept, Registered},
    zookeeper::{Session, SessionError},
};
use bytes::Bytes;
use mesos_proto::v1::{AgentInfo, MachineId, maintenance::Schedule};
use nodes::Nodes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{sync::Arc, time::Duration};
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

impl Kind {
    const ALL: [Kind; 2] = [Kind::Agent, Kind::Setting];

    /// What its node is called.
    fn name(self) -> &'static str {
        match self {
            Kind::Agent => "agents",
            Kind::Setting => "settings",
        }
    }
}

/// A key and what it holds; nothing where it is to be removed.
struct Entry {
    kind: Kind,
    name: String,
    value: Option<Bytes>,
}

/// Why a registry cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RegistryError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    ZooKeeper(#[from] SessionError),
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
pub(crate) enum Registry {
    /// With this master.
    Own { kv: Arc<dyn Kv>, durability: Durability },
    /// Where whichever master leads finds it.
    Shared(Nodes),
}

impl Registry {
    pub(crate) fn own(kv: Arc<dyn Kv>, durability: Durability) -> Self {
        Registry::Own { kv, durability }
    }

    /// Below the node that masters stand by, for the one that stands by `own`.
    pub(crate) async fn shared(
        session: Arc<Session>,
        masters: &str,
        own: &str,
    ) -> Result<Self, RegistryError> {
        Ok(Registry::Shared(Nodes::open(session, masters, own).await?))
    }

    /// Whether nobody else can have taken it over by this time of the clock.
    pub(crate) fn is_held(&self, at: Duration) -> bool {
        match self {
            Registry::Own { .. } => true,
            Registry::Shared(nodes) => nodes.is_held(at),
        }
    }

    /// Answers what an earlier master left.
    pub(crate) async fn load(&self) -> Result<Registered, RegistryError> {
        let entries = match self {
            Registry::Own { kv, .. } => scan(&**kv).await?,
            Registry::Shared(nodes) => nodes.load().await?,
        };
        let mut all = Registered::default();
        for entry in entries {
            if let Some(value) = entry.value {
                take(&mut all, entry.kind, entry.name, &value)?;
            }
        }
        Ok(all)
    }

    /// Makes changes durable, all or none.
    pub(crate) async fn store(&self, changes: &[Change]) -> Result<(), RegistryError> {
        let entries = changes.iter().map(entry);
        match self {
            Registry::Own { kv, durability } => {
                let mut batch = Batch::default();
                for Entry { kind, name, value } in entries {
                    match value {
                        Some(value) => batch.put(key(kind, &name), value),
                        None => batch.delete(key(kind, &name)),
                    };
                }
                kv.commit(batch, *durability).await?;
            }
            Registry::Shared(nodes) => nodes.store(entries.collect()).await?,
        }
        Ok(())
    }
}

async fn scan(kv: &dyn Kv) -> Result<Vec<Entry>, StorageError> {
    let mut all = Vec::new();
    for kind in Kind::ALL {
        let mut rest = Some(Scan::prefix(&[SPACE, kind as u8]));
        while let Some(scan) = rest {
            let page = kv.scan(scan, Page::default()).await?;
            let entries = page.items.into_iter().map(|(key, value)| Entry {
                kind,
                name: String::from_utf8_lossy(key.get(2..).unwrap_or_default()).into_owned(),
                value: Some(value),
            });
            all.extend(entries);
            rest = page.next;
        }
    }
    Ok(all)
}

fn take(all: &mut Registered, kind: Kind, name: String, value: &[u8]) -> Result<(), StorageError> {
    match (kind, name.as_str()) {
        (Kind::Agent, _) => match read(value)? {
            Agent::Admitted { info, kept } => all.admitted.push((*info, kept)),
            Agent::Unreachable { since, kept } => all.unreachable.push((name, since, kept)),
            Agent::Gone { since } => all.gone.push((name, since)),
        },
        (Kind::Setting, WEIGHTS) => all.weights = read(value)?,
        (Kind::Setting, QUOTAS) => all.quotas = read(value)?,
        (Kind::Setting, MAINTENANCE) => {
            let maintenance: Maintenance = read(value)?;
            (all.schedule, all.down) = (maintenance.schedule, maintenance.down);
        }
        // A later version's.
        (Kind::Setting, _) => {}
    }
    Ok(())
}

fn entry(change: &Change) -> Entry {
    let agent = |id: &str, value: Option<Bytes>| Entry {
        kind: Kind::Agent,
        name: id.to_owned(),
        value,
    };
    let setting = |name: &str, value: Bytes| Entry {
        kind: Kind::Setting,
        name: name.to_owned(),
        value: Some(value),
    };
    match change {
        Change::Admitted { info, kept } => {
            let id = info.id.as_ref().map_or("", |id| &id.value);
            let (info, kept) = (info.clone(), kept.clone());
            agent(id, Some(written(&Agent::Admitted { info, kept })))
        }
        Change::Unreachable {
            agent: id,
            since,
            kept,
        } => {
            let (since, kept) = (*since, kept.clone());
            agent(id, Some(written(&Agent::Unreachable { since, kept })))
        }
        Change::Gone { agent: id, since } => agent(id, Some(written(&Agent::Gone { since: *since }))),
        Change::Forgotten { agent: id } => agent(id, None),
        Change::Weights(weights) => setting(WEIGHTS, written(weights)),
        Change::Quotas(quotas) => setting(QUOTAS, written(quotas)),
        Change::Maintenance { schedule, down } => {
            let (schedule, down) = (schedule.clone(), down.clone());
            setting(MAINTENANCE, written(&Maintenance { schedule, down }))
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
