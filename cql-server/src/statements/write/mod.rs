//! What INSERT, UPDATE and DELETE have in common: a plan of cells and deletions, and the conditions it depends on.
//!
//! Knows: how changes of columns become cells. Never: when or how durably they are stored.

mod apply;
mod changes;
mod conditions;
mod entries;
mod json;
mod prepare;

pub(crate) use apply::{Stage, Target};
pub(crate) use changes::{Before, Change};
pub(crate) use conditions::Conditions;
pub(crate) use entries::add as add_entries;
pub(crate) use prepare::{delete, insert, update};

use super::{
    restrictions::{Purpose, Restrictions},
    terms::Prepared,
    views::ViewPlan,
};
use crate::core::{indexes::Kept, schema::Table};
use std::sync::Arc;

/// One write, ready to be executed any number of times.
#[derive(Debug, Clone)]
pub(crate) struct Write {
    pub(crate) table: Arc<Table>,
    /// The indexes that get entries for what is written.
    pub(crate) indexes: Arc<[Kept]>,
    /// The views that show what is written.
    pub(crate) views: Arc<[ViewPlan]>,
    pub(crate) purpose: Purpose,
    pub(crate) restrictions: Restrictions,
    /// Changes of regular columns, in the order in which cells are stored.
    pub(crate) changes: Vec<(usize, Change)>,
    /// Changes of static columns.
    pub(crate) statics: Vec<(usize, Change)>,
    pub(crate) timestamp: Option<Prepared>,
    pub(crate) ttl: Option<Prepared>,
    pub(crate) conditions: Conditions,
    /// The JSON document of INSERT JSON.
    pub(crate) json: Option<Json>,
}

/// INSERT JSON: columns come from a document that may be bound.
#[derive(Debug, Clone)]
pub(crate) struct Json {
    pub(crate) document: Prepared,
    /// Columns that are not in the document are left alone, not deleted.
    pub(crate) default_unset: bool,
}

impl Write {
    /// Whether only the static row is written.
    pub(crate) fn is_only_static(&self) -> bool {
        self.changes.is_empty() && !self.statics.is_empty() && self.restrictions.clustering.is_empty()
    }

    /// Whether what is stored must be read before.
    pub(crate) fn reads(&self) -> bool {
        let mut all = self.changes.iter().chain(&self.statics);
        self.conditions.is_some() || all.any(|(at, change)| change.reads(&self.table.columns[*at]))
    }
}
