//! The cluster's own facts: its id.

use super::{Kind, from_json, key, to_json};
use server_kit::Random;
use storage::{Batch, Durability, Kv, Result};

const FORMAT: u8 = 1;

/// The cluster id of this store, made up at its first start.
pub(crate) async fn cluster_id(kv: &dyn Kv, random: &Random) -> Result<String> {
    let key = key(Kind::Meta, &[b"cluster-id"]);
    if let Some(value) = kv.get(&key).await? {
        return from_json(FORMAT, &value);
    }
    let id = url_base64(random.uuid().as_bytes());
    let mut batch = Batch::default();
    batch.put(key, to_json(FORMAT, &id)?);
    kv.commit(batch, Durability::Synced).await?;
    Ok(id)
}

/// URL-safe base64 without padding, as Kafka prints ids.
pub(crate) fn url_base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits =
            group.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for at in 0..=group.len() {
            text.push(char::from(DIGITS[(bits >> (18 - 6 * at) & 63) as usize]));
        }
    }
    text
}
