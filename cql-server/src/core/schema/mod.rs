//! Keyspaces, tables, types, indexes, views, functions and roles, and how statements change them.
//!
//! Knows: names, options, defaults, what may follow what, with the original's words where it may not.
//! Never: how the schema is stored or announced.

pub(crate) mod describe;
mod index;
pub(crate) mod options;
pub(crate) mod replication;
pub(crate) mod system;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use index::{Index, IndexKind, Target, TargetPart, is_sai};
pub(crate) use options::Options;
pub(crate) use table::{Column, Dropped, Role, Table, View};

use crate::{
    core::types::{CqlType, UserType, names::RawType},
    error::{CqlError, Result},
};
use std::{collections::BTreeMap, sync::Arc};

/// Names of keyspaces are no longer than this.
pub(crate) const NAME_CHARS_MAX: usize = 48;
/// Names of tables are no longer than this: with the original's suffix they are names of its folders.
pub(crate) const TABLE_NAME_CHARS_MAX: usize = 222;

/// Tables of clients have numbers from here on; those below belong to the system.
const FIRST_NUMBER: u32 = 1024;

/// Whose a keyspace is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Nature {
    #[default]
    Client,
    /// The original's own tables: shown as real ones.
    System,
    /// Shown in `system_virtual_schema`.
    Virtual,
}

/// A keyspace and what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Keyspace {
    pub(crate) name: Arc<str>,
    pub(crate) nature: Nature,
    /// Class and options of the replication strategy.
    pub(crate) replication: BTreeMap<String, String>,
    pub(crate) durable_writes: bool,
    /// Views too.
    pub(crate) tables: BTreeMap<Arc<str>, Arc<Table>>,
    pub(crate) types: BTreeMap<Arc<str>, Arc<UserType>>,
}

impl Keyspace {
    /// What `raw` means here.
    pub(crate) fn resolve(&self, raw: &RawType) -> Result<CqlType> {
        raw.resolve(&self.name, &|name| self.types.get(name).cloned())
    }

    /// The table or view of that index, and the index.
    pub(crate) fn index(&self, name: &str) -> Option<(&Arc<Table>, &Index)> {
        self.tables.values().find_map(|table| {
            let index = table.indexes.iter().find(|index| index.name == name)?;
            Some((table, index))
        })
    }

    /// The views on the table of that name.
    pub(crate) fn views_of(&self, table: &str) -> impl Iterator<Item = &Arc<Table>> {
        self.tables
            .values()
            .filter(move |other| other.view.as_ref().is_some_and(|view| &*view.base == table))
    }
}

/// What changed of the schema: told to the client that asked, and to those that registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SchemaChange {
    /// CREATED, UPDATED or DROPPED.
    pub(crate) change: &'static str,
    /// KEYSPACE, TABLE, TYPE, FUNCTION or AGGREGATE.
    pub(crate) target: &'static str,
    pub(crate) keyspace: String,
    /// The table, type, function or aggregate; empty where the target is the keyspace.
    pub(crate) name: String,
    /// Argument types of a function or aggregate.
    pub(crate) arguments: Vec<String>,
}

/// Everything that is defined, as it was at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Schema {
    pub(crate) keyspaces: BTreeMap<Arc<str>, Arc<Keyspace>>,
    /// The number of the next table: no number is given twice.
    pub(crate) next_number: u32,
}

impl Default for Schema {
    /// What there is before anything is created: the keyspaces of the system.
    fn default() -> Self {
        Schema {
            keyspaces: system::keyspaces(),
            next_number: FIRST_NUMBER,
        }
    }
}

impl Schema {
    /// The table of that name.
    pub(crate) fn table(&self, keyspace: &str, name: &str) -> Option<&Arc<Table>> {
        self.keyspaces.get(keyspace)?.tables.get(name)
    }

    /// A keyspace that statements may change.
    pub(crate) fn changeable(&self, name: &str) -> Result<&Arc<Keyspace>> {
        let found = self
            .keyspaces
            .get(name)
            .ok_or_else(|| CqlError::invalid(format!("Keyspace '{name}' doesn't exist")))?;
        refuse_system(found)?;
        Ok(found)
    }

    /// With `keyspace` in place of the one of its name.
    pub(crate) fn with_keyspace(&self, keyspace: Keyspace) -> Schema {
        let mut schema = self.clone();
        schema.keyspaces.insert(keyspace.name.clone(), Arc::new(keyspace));
        schema
    }

    /// With `table` in place of the one of its name, in a keyspace that is there.
    pub(crate) fn with_table(&self, keyspace: &Keyspace, table: Table) -> Schema {
        let mut keyspace = keyspace.clone();
        keyspace.tables.insert(table.name.clone(), Arc::new(table));
        self.with_keyspace(keyspace)
    }
}

/// Refuses changes of what belongs to the system.
pub(crate) fn refuse_system(keyspace: &Keyspace) -> Result<()> {
    if keyspace.nature == Nature::Client {
        return Ok(());
    }
    Err(CqlError::Unauthorized(format!(
        "{} keyspace is not user-modifiable.",
        keyspace.name
    )))
}

/// Whether `name` is made of letters, digits and underscores.
pub(crate) fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Whether `kind` is the user-defined type of that name or has it inside.
pub(crate) fn refers_to(kind: &CqlType, name: &str) -> bool {
    match kind {
        CqlType::Native(_) | CqlType::Custom(_) => false,
        CqlType::List { of, .. } | CqlType::Set { of, .. } | CqlType::Vector { of, .. } => {
            refers_to(of, name)
        }
        CqlType::Map { key, value, .. } => refers_to(key, name) || refers_to(value, name),
        CqlType::Tuple(parts) => parts.iter().any(|part| refers_to(part, name)),
        CqlType::Udt { of, .. } => {
            &*of.name == name || of.fields.iter().any(|(_, field)| refers_to(field, name))
        }
    }
}
