//! Materialized views: what a row of a base table makes of each of them.
//!
//! Knows: which rows a view takes, under which key, and how long they live. Never: reads or writes a row.
//!
//! The row of a view follows from one row of its base and from nothing else. So whoever changes a row of the base, alone
//! in its partition, can say which row of the view there was and which there is now, and replace the one by the other in
//! the batch of the change. No tombstones are needed, shadowable or not: what is replaced is gone.

mod image;
mod prepare;

pub(crate) use image::{Image, Source};

use super::restrictions::Filter;
use crate::core::schema::Table;
use std::sync::Arc;

/// A view, bound to the columns of its base.
#[derive(Debug, Clone)]
pub(crate) struct ViewPlan {
    pub(crate) view: Arc<Table>,
    /// The base's columns that make the view's key, partition key first.
    key: Vec<usize>,
    /// The one of them that is no key of the base: the row lives as long as its value.
    outside: Option<usize>,
    /// Ids of cells in the base, and in the view where it shows them.
    cells: Vec<(u32, Option<u32>)>,
    /// What WHERE asks for beside values that are not null.
    filter: Filter,
}
