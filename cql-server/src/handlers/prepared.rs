//! What was prepared, by id.

use crate::{
    engine::{PreparedStatement, SchemaChange},
    error::CqlError,
    wire::ids::Id,
};
use bytes::Bytes;
use foldhash::fast::RandomState;
use parking_lot::RwLock;
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

/// Bytes of the texts of what is prepared at the most, and how many there may be.
const TEXT_BYTES_MAX: usize = 32 << 20;
const ENTRIES_MAX: usize = 50_000;

/// A statement that was prepared.
pub(super) struct Entry {
    pub(super) statement: Arc<dyn PreparedStatement>,
    /// Of its result.
    pub(super) metadata_id: Id,
    pub(super) text: Arc<str>,
}

/// What was prepared by any client, the oldest forgotten first. Who executes what is forgotten is told to prepare again.
#[derive(Default)]
pub(crate) struct PreparedCache {
    entries: RwLock<Entries>,
}

#[derive(Default)]
struct Entries {
    by_id: HashMap<Id, Arc<Entry>, RandomState>,
    /// Ids in the order they came; some may be forgotten already.
    order: VecDeque<Id>,
    text_bytes: usize,
}

impl PreparedCache {
    /// What `id` stands for.
    pub(super) fn get(&self, id: &Bytes) -> Result<Arc<Entry>, CqlError> {
        let found = Id::try_from(&id[..])
            .ok()
            .and_then(|id| self.entries.read().by_id.get(&id).cloned());
        found.ok_or_else(|| {
            let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
            CqlError::Unprepared {
                message: format!(
                    "Prepared query with ID {hex} not found (either the query was not prepared on this host (maybe \
                     the host has been restarted?) or you have prepared too many queries and it has been evicted \
                     from the internal cache)"
                ),
                id: id.clone(),
            }
        })
    }

    pub(super) fn insert(&self, id: Id, entry: Arc<Entry>) {
        let mut entries = self.entries.write();
        entries.text_bytes += entry.text.len();
        match entries.by_id.insert(id, entry) {
            Some(before) => entries.text_bytes -= before.text.len(),
            None => entries.order.push_back(id),
        }
        while entries.text_bytes > TEXT_BYTES_MAX || entries.by_id.len() > ENTRIES_MAX {
            match entries.order.pop_front() {
                Some(oldest) => entries.remove(&oldest),
                None => break,
            }
        }
    }

    /// Forgets what a change of the schema may have made wrong.
    pub(crate) fn forget(&self, change: &SchemaChange) {
        let of_table = matches!(change.target, "TABLE");
        let concerns = |entry: &Entry| {
            let told = entry.statement.description();
            *told.keyspace == *change.keyspace && (!of_table || *told.table == *change.name)
        };
        let mut entries = self.entries.write();
        let gone: Vec<Id> = entries
            .by_id
            .iter()
            .filter(|(_, entry)| concerns(entry))
            .map(|(id, _)| *id)
            .collect();
        gone.iter().for_each(|id| entries.remove(id));
        let Entries { by_id, order, .. } = &mut *entries;
        order.retain(|id| by_id.contains_key(id));
    }
}

impl Entries {
    fn remove(&mut self, id: &Id) {
        if let Some(entry) = self.by_id.remove(id) {
            self.text_bytes -= entry.text.len();
        }
    }
}
