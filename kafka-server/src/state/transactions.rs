//! Transactions by transactional id: what the coordinator knows of each.

use super::{Kind, from_json, key, to_json};
use crate::core::transactions::Transaction;
use storage::{Batch, Durability, Kv, Page, Result, Scan, StorageError};

const FORMAT: u8 = 1;

/// Every transactional id there is.
pub(crate) async fn load(kv: &dyn Kv) -> Result<Vec<(String, Transaction)>> {
    let prefix = key(Kind::Transaction, &[b""]);
    let mut scan = Some(Scan::prefix(&prefix));
    let mut found = Vec::new();
    while let Some(range) = scan {
        let page = kv.scan(range, Page::default()).await?;
        for (key, value) in &page.items {
            let id = String::from_utf8(key[prefix.len()..].to_vec())
                .map_err(|error| StorageError::Corrupt(format!("transactional id: {error}")))?;
            found.push((id, from_json(FORMAT, value)?));
        }
        scan = page.next;
    }
    Ok(found)
}

/// Stores a transactional id, new or changed.
pub(crate) async fn save(
    kv: &dyn Kv,
    id: &str,
    transaction: &Transaction,
    durability: Durability,
) -> Result<()> {
    let mut batch = Batch::default();
    batch.put(
        key(Kind::Transaction, &[id.as_bytes()]),
        to_json(FORMAT, transaction)?,
    );
    kv.commit(batch, durability).await
}

/// Forgets a transactional id.
pub(crate) async fn remove(kv: &dyn Kv, id: &str, durability: Durability) -> Result<()> {
    let mut batch = Batch::default();
    batch.delete(key(Kind::Transaction, &[id.as_bytes()]));
    kv.commit(batch, durability).await
}
