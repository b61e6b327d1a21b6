//! WHERE made ready: which partitions, which slices of their rows, and what is left to be tested row by row.
//!
//! Knows: which restrictions the layout of a table answers, and the original's words where it cannot.
//! Never: reads a row.

mod bind;
mod filter;
mod indexed;
mod keys;
mod place;
mod prepare;
mod slices;
mod told;

pub(crate) use bind::{Partitions, TokenRange, checked, checked_position};
pub(crate) use filter::{Cells, Filter, contains, holds};
pub(crate) use indexed::{Driver, Lookup, answering};
pub(crate) use keys::Keys;
pub(crate) use place::NEEDS_FILTERING;
pub(crate) use prepare::{existing, prepare};
pub(crate) use slices::COMBINATIONS_MAX;

use super::terms::Prepared;
use crate::{core::schema::Table, syntax::Comparison};

/// The statement whose WHERE it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Select { filtering: bool },
    Update,
    Delete,
    Insert,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Purpose::Select { .. } => "SELECT",
            Purpose::Update => "UPDATE",
            Purpose::Delete => "DELETE",
            Purpose::Insert => "INSERT",
        }
    }
}

/// What a restriction asks of its columns.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    Equal(Prepared),
    In(Options),
    /// All of them hold; at most one from below and one from above.
    Slice(Vec<(Comparison, Prepared)>),
    Contains(Prepared),
    ContainsKey(Prepared),
    /// `column[key] = value`
    Entry(Prepared, Prepared),
}

/// The values of IN.
#[derive(Debug, Clone)]
pub(crate) enum Options {
    List(Vec<Prepared>),
    /// One list as a whole.
    Whole(Prepared),
}

/// A restriction of one column, or of several clustering columns in order.
#[derive(Debug, Clone)]
pub(crate) struct Restriction {
    /// Positions in the table's columns. More than one: values are tuples.
    pub(crate) columns: Vec<usize>,
    pub(crate) test: Test,
    pub(crate) is_tuple: bool,
}

/// WHERE, sorted by what can be done about it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Restrictions {
    /// One for each column of the partition key, or none.
    pub(crate) partition: Vec<Restriction>,
    /// Bounds of `token(partition key)`.
    pub(crate) token: Vec<(Comparison, Prepared)>,
    /// Those of leading clustering columns that select slices.
    pub(crate) clustering: Vec<Restriction>,
    /// What is tested on each row.
    pub(crate) filters: Vec<Restriction>,
    /// Whether partitions are given by their keys.
    pub(crate) by_key: bool,
}

impl Restrictions {
    /// Whether every row of the partition is meant.
    pub(crate) fn is_whole_partition(&self) -> bool {
        self.clustering.is_empty()
    }

    /// Whether IN gives more than one partition.
    pub(crate) fn has_many_partitions(&self) -> bool {
        self.by_key
            && self
                .partition
                .iter()
                .any(|restriction| matches!(restriction.test, Test::In(_)))
    }

    /// Whether every clustering column is given by its value.
    pub(crate) fn is_full_row(&self, table: &Table) -> bool {
        let given = |restriction: &Restriction| !matches!(restriction.test, Test::Slice(_));
        self.clustering.iter().all(given)
            && self
                .clustering
                .iter()
                .map(|restriction| restriction.columns.len())
                .sum::<usize>()
                == table.clustering().len()
    }
}
