//! What secondary indexes find rows by: terms, cut out of row fragments as they are written.
//!
//! Knows: which cells an index is about, and how a value becomes a term. Never: where entries lie, or whether a row lives.
//!
//! A write adds the entries of the values that it writes and removes none, so that it need not know what was there
//! before. Whoever follows an entry tests the row that it leads to.

mod analysis;
#[cfg(test)]
mod tests;

pub(crate) use analysis::Analysis;

use crate::{
    core::{
        rows::{Cell, Content, Row},
        schema::{Column, Index, Role, Table, TargetPart},
        types::{CqlType, ordered, token},
    },
    error::{CqlError, Result},
};
use std::borrow::Cow;

/// The longest value that an index of the first kind takes, as in the original.
const VALUE_BYTES_MAX: usize = u16::MAX as usize;

/// An index that has entries of its own, bound to the columns of its table.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    /// Names the index in stored keys.
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) is_sai: bool,
    /// The position of its column.
    pub(crate) column: usize,
    pub(crate) part: TargetPart,
    pub(crate) analysis: Option<Analysis>,
}

/// The fragment of a row that is written, and where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written<'a> {
    pub(crate) partition_key: &'a [u8],
    /// The row's clustering position; `None`: the static row.
    pub(crate) position: Option<&'a [u8]>,
    pub(crate) fragment: &'a [u8],
}

impl Kept {
    /// The indexes of `table` that have entries.
    pub(crate) fn all(table: &Table) -> Vec<Kept> {
        table
            .indexes
            .iter()
            .filter_map(|index| Kept::of(table, index))
            .collect()
    }

    /// `None`: rows are found by other means. Vectors are compared with every row's, and so found exactly.
    pub(crate) fn of(table: &Table, index: &Index) -> Option<Kept> {
        let column = table.position(&index.target.column)?;
        let is_vector = matches!(table.columns[column].kind, CqlType::Vector { .. });
        (index.number != 0 && !(index.is_sai() && is_vector)).then(|| Kept {
            number: index.number,
            name: index.name.clone(),
            is_sai: index.is_sai(),
            column,
            part: index.target.part,
            analysis: index.analysis(),
        })
    }

    /// Whether its entries lead to whole partitions, not to rows.
    pub(crate) fn is_of_partitions(&self, table: &Table) -> bool {
        matches!(table.columns[self.column].role, Role::PartitionKey | Role::Static)
    }

    /// Appends the term of `value`: of the column's own type, or with `part` of its elements, keys or values.
    pub(crate) fn term(&self, table: &Table, value: &[u8]) -> Result<Vec<u8>> {
        let mut out = Vec::with_capacity(value.len() + 8);
        let value = self.analysed(value);
        ordered::encode(&mut out, self.kind(table), false, Some(&value))?;
        Ok(out)
    }

    fn checked_term(&self, table: &Table, value: &[u8]) -> Result<Vec<u8>> {
        self.check_size(table, value.len())?;
        self.term(table, value)
    }

    fn check_size(&self, table: &Table, bytes: usize) -> Result<()> {
        if bytes <= VALUE_BYTES_MAX || self.is_sai {
            return Ok(());
        }
        Err(CqlError::invalid(format!(
            "Cannot index value of size {bytes} for index {} on {}.{}({}) (maximum allowed size={VALUE_BYTES_MAX})",
            self.name, table.keyspace, table.name, table.columns[self.column].name
        )))
    }

    /// The term of an entry of a map.
    pub(crate) fn entry(&self, table: &Table, key: &[u8], value: &[u8]) -> Result<Vec<u8>> {
        let mut out = Vec::with_capacity(key.len() + value.len() + 16);
        if let CqlType::Map {
            key: of, value: held, ..
        } = &table.columns[self.column].kind
        {
            ordered::encode(&mut out, of, false, Some(key))?;
            ordered::encode(&mut out, held, false, Some(value))?;
        }
        Ok(out)
    }

    /// The type of what it finds rows by.
    pub(crate) fn kind<'t>(&self, table: &'t Table) -> &'t CqlType {
        let kind = &table.columns[self.column].kind;
        match (kind, self.part) {
            (CqlType::List { of, .. } | CqlType::Set { of, .. }, TargetPart::Values) => of,
            (CqlType::Map { value, .. }, TargetPart::Values) => value,
            (CqlType::Map { key, .. }, TargetPart::Keys) => key,
            _ => kind,
        }
    }

    /// The types of the values that a term of it consists of.
    pub(crate) fn kinds<'t>(&self, table: &'t Table) -> Vec<&'t CqlType> {
        match (&table.columns[self.column].kind, self.part) {
            (CqlType::Map { key, value, .. }, TargetPart::Entries) => vec![key, value],
            _ => vec![self.kind(table)],
        }
    }

    fn analysed<'v>(&self, value: &'v [u8]) -> Cow<'v, [u8]> {
        match &self.analysis {
            Some(analysis) => analysis.apply(value),
            None => Cow::Borrowed(value),
        }
    }

    /// Hands out each term by which what is written will have to be found.
    pub(crate) fn terms(
        &self,
        table: &Table,
        written: Written<'_>,
        mut out: impl FnMut(Vec<u8>),
    ) -> Result<()> {
        let Some(row) = Row::read(written.fragment) else {
            return Ok(());
        };
        let column = &table.columns[self.column];
        match (column.role, written.position) {
            (Role::PartitionKey, _) if brings_to_life(&row) => {
                let columns =
                    token::partition_key_columns(written.partition_key, table.partition_key().len());
                let value = columns.get(self.column);
                if let Some(value) = value {
                    out(self.checked_term(table, value)?);
                }
            }
            (Role::Clustering { .. }, Some(position)) if brings_to_life(&row) => {
                if let Some(value) = clustering_value(table, self.column, position)? {
                    out(self.checked_term(table, &value)?);
                }
            }
            (Role::Static, None) | (Role::Regular, Some(_)) => self.of_cells(table, column, &row, out)?,
            _ => {}
        }
        Ok(())
    }

    fn of_cells(
        &self,
        table: &Table,
        column: &Column,
        row: &Row<'_>,
        mut out: impl FnMut(Vec<u8>),
    ) -> Result<()> {
        for cell in row.cells().filter(|cell| cell.column == column.id) {
            let (Content::Value(value) | Content::Expiring(value, _)) = cell.content else {
                continue;
            };
            let is_set = matches!(column.kind, CqlType::Set { .. });
            match (self.part, cell.path) {
                (TargetPart::Entries, Some(key)) => {
                    self.check_size(table, key.len() + value.len())?;
                    out(self.entry(table, key, value)?);
                }
                (TargetPart::Keys, Some(key)) => out(self.checked_term(table, key)?),
                (TargetPart::Values, Some(element)) if is_set => out(self.checked_term(table, element)?),
                _ => out(self.checked_term(table, value)?),
            }
        }
        Ok(())
    }
}

/// Whether a row exists because of what is written, at least until that expires.
fn brings_to_life(row: &Row<'_>) -> bool {
    let holds = |cell: Cell<'_>| matches!(cell.content, Content::Value(_) | Content::Expiring(..));
    row.liveness.is_some() || row.cells().any(holds)
}

/// The value of the clustering column at `column`, if the position has one.
fn clustering_value(table: &Table, column: usize, mut position: &[u8]) -> Result<Option<Vec<u8>>> {
    let first = table.partition_key().len();
    for (at, clustering) in table.clustering().iter().enumerate() {
        if position.is_empty() {
            break;
        }
        let mut value = Vec::new();
        let is_value = ordered::decode(
            &mut value,
            &clustering.kind,
            clustering.is_descending(),
            &mut position,
        )?;
        if first + at == column {
            return Ok(is_value.then_some(value));
        }
    }
    Ok(None)
}
