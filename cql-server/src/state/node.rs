//! The node's own facts, which it keeps for good.

use super::{Kind, SPACE};
use bytes::Bytes;
use server_kit::Random;
use storage::{Batch, Durability, Kv};
use uuid::Uuid;

/// The version of these records.
const FORMAT: u8 = 1;

/// The id by which the node is known: made up when it starts for the first time.
pub(crate) async fn host_id(kv: &dyn Kv, random: &Random) -> storage::Result<Uuid> {
    let key = Bytes::from_static(&[SPACE, Kind::Meta as u8, b'h']);
    if let Some(stored) = kv.get(&key).await?
        && let Some((&FORMAT, id)) = stored.split_first()
        && let Ok(id) = Uuid::from_slice(id)
    {
        return Ok(id);
    }
    let id = random.uuid();
    store(kv, key, id.as_bytes()).await?;
    Ok(id)
}

/// What the node said of itself when it started for the first time.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Name {
    Cluster,
    DataCenter,
}

/// The name that the node has had so far; from the first start on, `configured`.
pub(crate) async fn name(kv: &dyn Kv, which: Name, configured: &str) -> storage::Result<String> {
    let letter = match which {
        Name::Cluster => b'c',
        Name::DataCenter => b'd',
    };
    let key = Bytes::copy_from_slice(&[SPACE, Kind::Meta as u8, letter]);
    if let Some(stored) = kv.get(&key).await?
        && let Some((&FORMAT, name)) = stored.split_first()
    {
        return Ok(String::from_utf8_lossy(name).into_owned());
    }
    store(kv, key, configured.as_bytes()).await?;
    Ok(configured.to_owned())
}

async fn store(kv: &dyn Kv, key: Bytes, value: &[u8]) -> storage::Result<()> {
    let mut batch = Batch::default();
    batch.put(key, [&[FORMAT], value].concat());
    kv.commit(batch, Durability::Synced).await
}
