//! Tables and their columns, as statements see them.

use super::{Index, Options};
use crate::core::types::{CqlType, Native};
use std::{collections::HashMap, sync::Arc};
use uuid::Uuid;

/// What a column is to its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    PartitionKey,
    Clustering {
        descending: bool,
    },
    /// One value for all rows of a partition.
    Static,
    Regular,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: Arc<str>,
    pub(crate) kind: CqlType,
    pub(crate) role: Role,
    /// Names the column in stored cells: small, and never given to another column of the table.
    pub(crate) id: u32,
}

impl Column {
    pub(crate) fn is_descending(&self) -> bool {
        matches!(self.role, Role::Clustering { descending: true })
    }

    pub(crate) fn is_static(&self) -> bool {
        self.role == Role::Static
    }

    pub(crate) fn is_counter(&self) -> bool {
        self.kind == CqlType::Native(Native::Counter)
    }
}

/// A column that was dropped: cells of it that are older than the drop are gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dropped {
    pub(crate) column: Column,
    /// When, in microseconds.
    pub(crate) at_us: i64,
}

/// What makes a table a materialized view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) base: Arc<str>,
    pub(crate) base_id: Uuid,
    /// Whether it was created with `SELECT *`, so that new columns of the base are its own too.
    pub(crate) includes_all: bool,
    /// The relations of WHERE, as CQL.
    pub(crate) restriction: String,
    /// Whether a column that is no key of the base is one here: a row then lives as long as that column's value,
    /// whatever else lives of it.
    pub(crate) strict_liveness: bool,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) keyspace: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) id: Uuid,
    /// Names the table in stored keys: small, and never given to another table.
    pub(crate) number: u32,
    /// Partition key, clustering columns, static columns by name, regular columns by name.
    pub(crate) columns: Vec<Column>,
    partition_columns: usize,
    clustering_columns: usize,
    positions: HashMap<Arc<str>, usize>,
    /// Ids of columns in order, with their positions.
    by_id: Vec<(u32, usize)>,
    /// Seconds that cells live where nothing else is said; 0: for ever.
    pub(crate) default_time_to_live: i32,
    pub(crate) options: Options,
    pub(crate) indexes: Vec<Index>,
    pub(crate) dropped: Vec<Dropped>,
    /// `None`: an ordinary table.
    pub(crate) view: Option<View>,
    /// The id of the next column that is added.
    pub(crate) next_column: u32,
}

impl Table {
    /// A table of `columns`, which come in any order but that of the key's columns.
    pub(crate) fn new(
        keyspace: Arc<str>,
        name: Arc<str>,
        id: Uuid,
        number: u32,
        columns: Vec<Column>,
    ) -> Self {
        let mut columns = columns;
        let place = |column: &Column| match column.role {
            Role::PartitionKey => (0, None),
            Role::Clustering { .. } => (1, None),
            Role::Static => (2, Some(column.name.clone())),
            Role::Regular => (3, Some(column.name.clone())),
        };
        columns.sort_by_key(place);
        let count = |at: i32| columns.iter().filter(|column| place(column).0 == at).count();
        let (partition_columns, clustering_columns) = (count(0), count(1));
        let positions = columns
            .iter()
            .enumerate()
            .map(|(at, column)| (column.name.clone(), at))
            .collect();
        let next_column = columns.iter().map(|column| column.id + 1).max().unwrap_or(0);
        let mut by_id: Vec<(u32, usize)> = columns
            .iter()
            .enumerate()
            .map(|(at, column)| (column.id, at))
            .collect();
        by_id.sort_unstable();
        Table {
            keyspace,
            name,
            id,
            number,
            columns,
            partition_columns,
            clustering_columns,
            positions,
            by_id,
            default_time_to_live: 0,
            options: Options::default(),
            indexes: Vec::new(),
            dropped: Vec::new(),
            view: None,
            next_column,
        }
    }

    /// With other columns, everything else as it is.
    pub(crate) fn with_columns(&self, columns: Vec<Column>) -> Self {
        let fresh = Table::new(
            self.keyspace.clone(),
            self.name.clone(),
            self.id,
            self.number,
            columns,
        );
        Table {
            default_time_to_live: self.default_time_to_live,
            options: self.options.clone(),
            indexes: self.indexes.clone(),
            dropped: self.dropped.clone(),
            view: self.view.clone(),
            next_column: self.next_column.max(fresh.next_column),
            ..fresh
        }
    }

    /// With other options, everything else as it is.
    pub(crate) fn with_options(&self, options: Options, default_time_to_live: i32) -> Self {
        Table {
            options,
            default_time_to_live,
            ..self.clone()
        }
    }

    /// Whether a row lives only where it is marked as written, whatever its cells.
    pub(crate) fn is_strict(&self) -> bool {
        self.view.as_ref().is_some_and(|view| view.strict_liveness)
    }

    /// The column of that name.
    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.get(self.position(name)?)
    }

    /// Where the column of that name is among the columns.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.positions.get(name).copied()
    }

    /// Where the column of that id is among the columns.
    pub(crate) fn position_of(&self, id: u32) -> Option<usize> {
        let found = self.by_id.binary_search_by_key(&id, |(id, _)| *id);
        found.ok().map(|index| self.by_id[index].1)
    }

    /// What was dropped under that name.
    pub(crate) fn dropped_named(&self, name: &str) -> Option<&Dropped> {
        self.dropped.iter().find(|dropped| &*dropped.column.name == name)
    }

    /// Whether a cell was written before its column was dropped, and maybe added again.
    pub(crate) fn hides(&self, column: u32, timestamp: i64) -> bool {
        let mut dropped = self.dropped.iter();
        dropped.any(|dropped| dropped.column.id == column && timestamp <= dropped.at_us)
    }

    /// The columns of the partition key.
    pub(crate) fn partition_key(&self) -> &[Column] {
        &self.columns[..self.partition_columns]
    }

    /// The clustering columns.
    pub(crate) fn clustering(&self) -> &[Column] {
        &self.columns[self.partition_columns..self.partition_columns + self.clustering_columns]
    }

    /// Whether it has static columns.
    pub(crate) fn has_statics(&self) -> bool {
        self.columns.iter().any(Column::is_static)
    }

    /// Whether it holds counters.
    pub(crate) fn is_counter(&self) -> bool {
        self.columns.iter().any(Column::is_counter)
    }
}
