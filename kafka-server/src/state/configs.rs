//! Configuration set while the broker ran, of everything but topics: brokers, groups, client metrics.

use super::{Kind, from_json, key, to_json};
use crate::config::{BrokerConfig, Config, listeners};
use std::collections::BTreeMap;
use storage::{Batch, Durability, Kv, Page, Result, Scan};

const FORMAT: u8 = 1;

/// What a stored configuration belongs to. The byte is part of its key: never reuse one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Owner {
    /// A broker by its id, or every broker where the name is empty.
    Broker = b'b',
    /// A group by its id.
    Group = b'g',
    /// A subscription to client metrics by its name.
    ClientMetrics = b'm',
}

/// Every configuration of `owner` there is, by name.
pub(crate) async fn load(kv: &dyn Kv, owner: Owner) -> Result<BTreeMap<String, BTreeMap<String, String>>> {
    let prefix = key(Kind::BrokerConfig, &[&[owner as u8], b""]);
    let mut scan = Some(Scan::prefix(&prefix));
    let mut found = BTreeMap::new();
    while let Some(range) = scan {
        let page = kv.scan(range, Page::default()).await?;
        for (key, value) in &page.items {
            let name = String::from_utf8_lossy(&key[prefix.len()..]).into_owned();
            found.insert(name, from_json(FORMAT, value)?);
        }
        scan = page.next;
    }
    Ok(found)
}

/// What the broker was started with, under what was set while it ran.
pub(crate) async fn broker(kv: &dyn Kv, config: &Config) -> Result<BrokerConfig> {
    let mut stored = load(kv, Owner::Broker).await?;
    Ok(BrokerConfig {
        own: stored.remove(&config.node_id.to_string()).unwrap_or_default(),
        cluster: stored.remove("").unwrap_or_default(),
        started: started(config),
    })
}

/// Kafka's keys as the broker was started with them, also where something else than a Kafka file said so.
fn started(config: &Config) -> BTreeMap<String, String> {
    let mut started = BTreeMap::from([
        ("broker.id".to_owned(), config.node_id.to_string()),
        ("log.dirs".to_owned(), config.log_dir.clone()),
        ("node.id".to_owned(), config.node_id.to_string()),
        ("num.partitions".to_owned(), config.num_partitions.to_string()),
        ("process.roles".to_owned(), "broker,controller".to_owned()),
    ]);
    started.extend(config.properties.clone());
    let told = listeners::listeners_of(&config.properties, &config.listeners);
    started.insert(listeners::LISTENERS.to_owned(), told);
    let protocols = listeners::protocols_of(started.get(listeners::PROTOCOLS), &config.listeners);
    started.extend(protocols.map(|map| (listeners::PROTOCOLS.to_owned(), map)));
    started
}

/// Stores the configuration `set` of `name`; an empty one is forgotten.
pub(crate) async fn save(
    kv: &dyn Kv,
    owner: Owner,
    name: &str,
    set: &BTreeMap<String, String>,
) -> Result<()> {
    let key = key(Kind::BrokerConfig, &[&[owner as u8], name.as_bytes()]);
    let mut batch = Batch::default();
    if set.is_empty() {
        batch.delete(key);
    } else {
        batch.put(key, to_json(FORMAT, set)?);
    }
    kv.commit(batch, Durability::Synced).await
}
