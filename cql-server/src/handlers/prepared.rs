//! What was prepared, by id.

use crate::{
    engine::{PreparedStatement, SchemaChange},
    error::CqlError,
    lately::Lately,
    wire::ids::Id,
};
use bytes::Bytes;
use parking_lot::RwLock;
use std::sync::Arc;

/// What of a text is told that is too large.
const TOLD_CHARS_MAX: usize = 200;

/// A statement that was prepared.
pub(super) struct Entry {
    pub(super) statement: Arc<dyn PreparedStatement>,
    /// Of its result.
    pub(super) metadata_id: Id,
    pub(super) text: Arc<str>,
}

/// What was prepared by any client and used lately. Who executes what is forgotten is told to prepare again.
pub(crate) struct PreparedCache {
    entries: RwLock<Lately<Id, Arc<Entry>>>,
}

impl PreparedCache {
    /// Holds `bytes_max` at the most.
    pub(super) fn new(bytes_max: usize) -> Self {
        PreparedCache {
            entries: RwLock::new(Lately::noting(bytes_max)),
        }
    }

    /// What `id` stands for.
    pub(super) fn get(&self, id: &Bytes) -> Result<Arc<Entry>, CqlError> {
        self.find(id).ok_or_else(|| {
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

    fn find(&self, id: &Bytes) -> Option<Arc<Entry>> {
        let id = Id::try_from(&id[..]).ok()?;
        let young = self.entries.read().young(&id);
        young.or_else(|| self.entries.write().get(&id))
    }

    /// How many there are, and how many were forgotten because there was no room for them.
    pub(super) fn counted(&self) -> (u64, u64) {
        let entries = self.entries.read();
        (entries.len() as u64, entries.evicted())
    }

    /// Whether something is kept by that id.
    pub(super) fn has(&self, id: &Id) -> bool {
        let mut entries = self.entries.write();
        entries.get(id).is_some()
    }

    /// Notes what is not kept, though it was once.
    pub(super) fn note_forgotten(&self, id: Id) {
        self.entries.write().note([id].into_iter());
    }

    /// The ids of what is not kept any more, each told once.
    pub(super) fn take_forgotten(&self) -> Vec<Id> {
        self.entries.write().take_forgotten()
    }

    /// Keeps what was prepared, unless it is too large.
    pub(super) fn insert(&self, id: Id, entry: Arc<Entry>) -> Result<(), CqlError> {
        let weight = entry.statement.weight();
        let text = entry.text.clone();
        let mut entries = self.entries.write();
        if entries.insert(id, entry, weight) {
            return Ok(());
        }
        let start: String = text.chars().take(TOLD_CHARS_MAX).collect();
        Err(CqlError::invalid(format!(
            "Prepared statement of size {weight} bytes is larger than allowed maximum of {} MB: {start}...",
            entries.entry_bytes_max() >> 20
        )))
    }

    /// Forgets what a change of the schema may have made wrong.
    pub(crate) fn forget(&self, change: &SchemaChange) {
        let of_table = matches!(change.target, "TABLE");
        let concerns = |entry: &Entry| {
            let told = entry.statement.description();
            *told.keyspace == *change.keyspace && (!of_table || *told.table == *change.name)
        };
        self.entries.write().retain(|entry| !concerns(entry));
    }
}
