//! Keyspaces, tables, types, indexes, views, functions and roles, and how statements change them.
//!
//! Knows: names, options, defaults, what may follow what, with the original's words where it may not.
//! Never: how the schema is stored or announced.

mod table;

pub(crate) use table::{Column, Role, Table};

use crate::core::types::UserType;
use std::{collections::BTreeMap, sync::Arc};

/// A keyspace and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Keyspace {
    pub(crate) name: Arc<str>,
    pub(crate) tables: BTreeMap<Arc<str>, Arc<Table>>,
    pub(crate) types: BTreeMap<Arc<str>, Arc<UserType>>,
}

/// Everything that is defined, as it was at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Schema {
    pub(crate) keyspaces: BTreeMap<Arc<str>, Arc<Keyspace>>,
}

impl Schema {
    /// The table of that name.
    pub(crate) fn table(&self, keyspace: &str, name: &str) -> Option<&Arc<Table>> {
        self.keyspaces.get(keyspace)?.tables.get(name)
    }
}
