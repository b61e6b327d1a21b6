//! Stored rows to values, one for each column of the table.

use crate::{
    core::{
        rows::{Cell, Content, Deletion, Expiry, Row},
        schema::{Column, Table},
        types::{CqlType, compare, elements, ordered, token},
    },
    error::Result,
};
use std::borrow::Cow;

/// When a cell was written, and until when it lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) timestamp: i64,
    pub(crate) expiry: Option<Expiry>,
    /// Which element of a collection it is of; none: of the whole column.
    pub(crate) path: Option<Vec<u8>>,
}

/// A row's values by the positions of their columns in the table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values<'a> {
    pub(crate) cells: Vec<Option<Cow<'a, [u8]>>>,
    /// For each column its cell, or those of its elements in their order; empty where nobody asked.
    pub(crate) times: Vec<Vec<Written>>,
}

impl<'a> Values<'a> {
    /// No values yet.
    pub(crate) fn new(table: &Table, with_times: bool) -> Self {
        Values {
            cells: vec![None; table.columns.len()],
            times: if with_times {
                vec![Vec::new(); table.columns.len()]
            } else {
                Vec::new()
            },
        }
    }

    /// The same, borrowing nothing.
    pub(crate) fn to_owned_values(&self) -> Values<'static> {
        let own = |cell: &Option<Cow<'_, [u8]>>| cell.as_deref().map(|cell| Cow::Owned(cell.to_vec()));
        Values {
            cells: self.cells.iter().map(own).collect(),
            times: self.times.clone(),
        }
    }

    /// The columns of the partition key.
    pub(crate) fn partition_key(&mut self, table: &Table, key: &'a [u8]) {
        if table.partition_key().len() == 1 {
            self.cells[0] = Some(Cow::Borrowed(key));
            return;
        }
        let columns = token::partition_key_columns(key, table.partition_key().len());
        for (cell, value) in self.cells.iter_mut().zip(columns) {
            *cell = Some(Cow::Borrowed(value));
        }
    }

    /// The clustering columns.
    pub(crate) fn clustering(&mut self, table: &Table, mut position: &[u8]) -> Result<()> {
        let first = table.partition_key().len();
        for (cell, column) in self.cells[first..].iter_mut().zip(table.clustering()) {
            if position.is_empty() {
                break;
            }
            let mut value = Vec::new();
            let is_value = ordered::decode(&mut value, &column.kind, column.is_descending(), &mut position)?;
            *cell = is_value.then_some(Cow::Owned(value));
        }
        Ok(())
    }

    /// The columns that a row, or a static row, holds at `now`.
    pub(crate) fn row(&mut self, table: &Table, row: &Row<'a>, now: i64, enclosing: Option<Deletion>) {
        let mut cells = row.live_cells(now, enclosing).peekable();
        while let Some(cell) = cells.next() {
            let Some(at) = table.position_of(cell.column) else {
                continue;
            };
            if table.hides(cell.column, cell.timestamp) {
                continue;
            }
            let column = &table.columns[at];
            if column.kind.is_multi_cell() {
                let mut all = vec![cell];
                while let Some(next) = cells.next_if(|next| next.column == cell.column) {
                    if !table.hides(next.column, next.timestamp) {
                        all.push(next);
                    }
                }
                self.several(at, column, all);
            } else {
                self.cells[at] = match cell.content {
                    Content::Value(value) | Content::Expiring(value, _) => Some(Cow::Borrowed(value)),
                    Content::Count(count) => Some(Cow::Owned(count.to_be_bytes().to_vec())),
                    Content::Dead { .. } | Content::Cleared { .. } => None,
                };
                self.time(at, &cell);
            }
        }
    }

    fn time(&mut self, at: usize, cell: &Cell<'_>) {
        if let Some(times) = self.times.get_mut(at) {
            let expiry = match cell.content {
                Content::Expiring(_, expiry) => Some(expiry),
                _ => None,
            };
            times.push(Written {
                timestamp: cell.timestamp,
                expiry,
                path: cell.path.map(<[u8]>::to_vec),
            });
        }
    }

    /// A column whose elements are cells.
    fn several(&mut self, at: usize, column: &Column, mut all: Vec<Cell<'a>>) {
        let path = |cell: &Cell<'a>| cell.path.unwrap_or_default();
        let value = |cell: &Cell<'a>| match cell.content {
            Content::Value(value) | Content::Expiring(value, _) => value,
            _ => &[],
        };
        // Stored in the order of their bytes; shown in that of their type.
        if let CqlType::Set { of, .. } | CqlType::Map { key: of, .. } = &column.kind {
            all.sort_by(|a, b| compare(of, path(a), path(b)));
        }
        let mut out = elements::Collection::default();
        let built = match &column.kind {
            CqlType::List { .. } => {
                all.iter().for_each(|cell| out.push(value(cell)));
                out.finish()
            }
            CqlType::Set { .. } => {
                all.iter().for_each(|cell| out.push(path(cell)));
                out.finish()
            }
            CqlType::Map { .. } => {
                all.iter().for_each(|cell| out.entry(path(cell), value(cell)));
                out.finish()
            }
            _ => {
                let last = all.last().map_or(0, |cell| field_of(path(cell)));
                let mut fields = vec![None; last + 1];
                for cell in &all {
                    fields[field_of(path(cell))] = Some(value(cell));
                }
                if let CqlType::Udt { of, .. } = &column.kind {
                    fields.resize(of.fields.len().max(fields.len()), None);
                }
                elements::tuple(fields)
            }
        };
        self.cells[at] = Some(Cow::Owned(built));
        if !self.times.is_empty() {
            all.iter().for_each(|cell| self.time(at, cell));
        }
    }
}

/// The number of the field that a path of a user-defined type names.
fn field_of(path: &[u8]) -> usize {
    path.try_into().map(u16::from_be_bytes).map_or(0, usize::from)
}
