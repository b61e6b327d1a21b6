//! Producer ids: the end of the last block that was taken.

use super::{Kind, from_json, key, to_json};
use std::ops::Range;
use storage::{Batch, Durability, Expect, Kv, Result, StorageError};

const FORMAT: u8 = 1;

/// Takes the next `size` producer ids for good. They are this process' alone, and a crash only leaves a gap.
pub(crate) async fn reserve(kv: &dyn Kv, size: i64) -> Result<Range<i64>> {
    let key = key(Kind::ProducerIds, &[b""]);
    let stored = kv.get(&key).await?;
    let start: i64 = match &stored {
        Some(value) => from_json(FORMAT, value)?,
        None => 0,
    };
    let end = start
        .checked_add(size)
        .ok_or_else(|| StorageError::Engine("there are no more producer ids".to_owned()))?;
    let mut batch = Batch::default();
    batch.expect.push(Expect::Value(key.clone(), stored));
    batch.put(key, to_json(FORMAT, &end)?);
    kv.commit(batch, Durability::Synced).await?;
    Ok(start..end)
}
