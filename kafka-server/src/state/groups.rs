//! Groups by id.

use super::{Kind, from_json, key, to_json};
use crate::core::groups::{
    classic::ClassicRecord,
    consumer::{ConsumerMemberRecord, ConsumerRecord},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use storage::{Batch, Kv, Page, Result, Scan, StorageError};

const FORMAT: u8 = 1;

/// A group as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum GroupRecord {
    Classic(ClassicRecord),
    Consumer(ConsumerRecord),
}

/// A member of a consumer group as it is stored, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredMember {
    pub(crate) group: String,
    pub(crate) id: String,
    pub(crate) member: ConsumerMemberRecord,
}

/// Adds the group to `batch`.
pub(crate) fn put(batch: &mut Batch, group: &str, record: &GroupRecord) -> Result<()> {
    batch.put(key(Kind::Group, &[group.as_bytes()]), to_json(FORMAT, record)?);
    Ok(())
}

/// Adds the group's removal to `batch`.
pub(crate) fn delete(batch: &mut Batch, group: &str) {
    batch.delete(key(Kind::Group, &[group.as_bytes()]));
}

/// Every group that is stored.
pub(crate) async fn load(kv: &dyn Kv) -> Result<Vec<(Arc<str>, GroupRecord)>> {
    let prefix = key(Kind::Group, &[b""]);
    let mut scan = Some(Scan::prefix(&prefix));
    let mut groups = Vec::new();
    while let Some(range) = scan {
        let page = kv.scan(range, Page::default()).await?;
        for (key, value) in &page.items {
            let id = std::str::from_utf8(&key[prefix.len()..]);
            let id = id.map_err(|_| StorageError::Corrupt("key of a group".to_owned()))?;
            groups.push((Arc::from(id), from_json(FORMAT, value)?));
        }
        scan = page.next;
    }
    Ok(groups)
}

/// Adds a member of a consumer group, or its removal, to `batch`.
pub(crate) fn put_member(
    batch: &mut Batch,
    group: &str,
    id: &str,
    member: Option<ConsumerMemberRecord>,
) -> Result<()> {
    // Clients choose both: without the length, parts of one could pass for parts of the other.
    let length = (group.len() as u32).to_be_bytes();
    let key = key(Kind::GroupMember, &[&length, group.as_bytes(), id.as_bytes()]);
    match member {
        None => batch.delete(key),
        Some(member) => {
            let stored = StoredMember {
                group: group.to_owned(),
                id: id.to_owned(),
                member,
            };
            batch.put(key, to_json(FORMAT, &stored)?)
        }
    };
    Ok(())
}

/// Every stored member of every consumer group.
pub(crate) async fn load_members(kv: &dyn Kv) -> Result<Vec<StoredMember>> {
    let mut scan = Some(Scan::prefix(&key(Kind::GroupMember, &[b""])));
    let mut members = Vec::new();
    while let Some(range) = scan {
        let page = kv.scan(range, Page::default()).await?;
        for (_, value) in &page.items {
            members.push(from_json(FORMAT, value)?);
        }
        scan = page.next;
    }
    Ok(members)
}
