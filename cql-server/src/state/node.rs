//! The node's own facts, which it keeps for good.

use super::{Kind, SPACE};
use bytes::Bytes;
use server_kit::Random;
use storage::{Batch, Durability, Kv};
use uuid::Uuid;

/// The version of this record.
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
    let mut value = vec![FORMAT];
    value.extend_from_slice(id.as_bytes());
    let mut batch = Batch::default();
    batch.put(key, value);
    kv.commit(batch, Durability::Synced).await?;
    Ok(id)
}
