//! What is done to one column, as cells.

use crate::{
    core::{
        rows::{Cell, Content, Deletion, Row, RowWriter, Stamp},
        schema::{Column, Table},
        types::{CqlType, compare, elements},
    },
    engine::Value,
    error::{CqlError, Result},
    statements::terms::{Prepared, Values},
};
use bytes::Bytes;

/// More elements than a request has room for.
const LISTED_MAX: u32 = 1 << 31;

/// How a column changes.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Set(Prepared),
    /// `c + value`; of lists: behind the others.
    Add(Prepared),
    /// `c - value`
    Subtract(Prepared),
    /// `value + c`, of lists.
    Prepend(Prepared),
    SetElement(Prepared, Prepared),
    /// Field by number.
    SetField(usize, Prepared),
    Delete,
    DeleteElement(Prepared),
    DeleteField(usize),
}

impl Change {
    /// Whether it depends on what is stored: elements of lists have no names but their positions.
    pub(crate) fn reads(&self, column: &Column) -> bool {
        matches!(column.kind, CqlType::List { frozen: false, .. })
            && matches!(
                self,
                Change::SetElement(..) | Change::DeleteElement(_) | Change::Subtract(_)
            )
    }
}

/// What writing cells of one row needs to know.
pub(super) struct Cells<'w> {
    pub(super) table: &'w Table,
    pub(super) out: &'w mut RowWriter,
    pub(super) stamp: Stamp,
    /// The present second, for tombstones.
    pub(super) now: i64,
    /// Unique among all writes of this node and later than the ones before: where elements are appended to lists.
    pub(super) position: i64,
    pub(super) values: &'w Values<'w>,
    /// The row as it is stored, where a change depends on it.
    pub(super) before: Before<'w>,
    /// How many elements this statement has put into lists.
    pub(super) placed: u32,
}

/// A row, or a static row, as it is stored.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Before<'a> {
    pub(crate) row: Option<Row<'a>>,
    /// The deletion around it, of its partition or a range.
    pub(crate) enclosing: Option<Deletion>,
}

impl<'a> Before<'a> {
    /// The elements of a collection: their paths and values.
    fn elements(
        self,
        table: &Table,
        column: &Column,
        now: i64,
    ) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let id = column.id;
        let cells = self
            .row
            .into_iter()
            .flat_map(move |row| row.live_cells(now, self.enclosing));
        cells
            .filter(move |cell| cell.column == id && !table.hides(id, cell.timestamp))
            .filter_map(|cell| match cell.content {
                Content::Value(value) | Content::Expiring(value, _) => Some((cell.path?, value)),
                _ => None,
            })
    }
}

impl Cells<'_> {
    /// Writes what `change` does to `column`.
    pub(super) fn change(&mut self, column: &Column, change: &Change) -> Result<()> {
        match change {
            Change::Set(term) => match term.evaluate(self.values)? {
                Value::Unset => {}
                value => self.set(column, value.bytes()),
            },
            Change::Delete if column.kind.is_multi_cell() => self.clear(column, self.stamp.timestamp),
            Change::Delete => self.out.tombstone(column.id, None, self.now),
            Change::Add(term) => self.add(column, term, false)?,
            Change::Prepend(term) => self.add(column, term, true)?,
            Change::Subtract(term) => self.subtract(column, term)?,
            Change::SetElement(key, value) => self.set_element(column, key, value)?,
            Change::DeleteElement(key) => self.delete_element(column, key)?,
            Change::SetField(field, term) => {
                let path = field_path(*field);
                match term.evaluate(self.values)? {
                    Value::Set(value) => self.out.value(column.id, Some(&path), &value),
                    Value::Null => self.out.tombstone(column.id, Some(&path), self.now),
                    Value::Unset => {}
                }
            }
            Change::DeleteField(field) => self.out.tombstone(column.id, Some(&field_path(*field)), self.now),
        }
        Ok(())
    }

    /// Replaces the column's value.
    pub(super) fn set(&mut self, column: &Column, value: Option<Bytes>) {
        if column.kind.is_multi_cell() {
            // Just before the elements themselves, so that they survive it.
            self.clear(column, self.stamp.timestamp.saturating_sub(1));
            if let Some(value) = value {
                self.elements(column, &value, false);
            }
        } else {
            match value {
                Some(value) => self.out.value(column.id, None, &value),
                None => self.out.tombstone(column.id, None, self.now),
            }
        }
    }

    fn clear(&mut self, column: &Column, timestamp: i64) {
        self.out.cell(&Cell {
            column: column.id,
            path: None,
            timestamp,
            content: Content::Cleared { at: self.now },
        });
    }

    /// Writes the elements of `value`, beside those that are there.
    fn elements(&mut self, column: &Column, value: &[u8], prepend: bool) {
        match &column.kind {
            CqlType::List { .. } => {
                let count = u32::try_from(elements::elements(value).count()).unwrap_or(u32::MAX);
                self.placed = self.placed.saturating_add(count);
                // What a statement adds later goes further out, in front as at the end.
                let first = match prepend {
                    true => LISTED_MAX - self.placed.min(LISTED_MAX),
                    false => self.placed - count,
                };
                for (index, element) in (first..).zip(elements::elements(value)) {
                    let path = list_path(self.position, index, prepend);
                    self.out.value(column.id, Some(&path), element);
                }
            }
            CqlType::Set { .. } => {
                for element in elements::elements(value) {
                    self.out.value(column.id, Some(element), &[]);
                }
            }
            CqlType::Map { .. } => {
                for (key, value) in elements::entries(value) {
                    self.out.value(column.id, Some(key), value);
                }
            }
            _ => {
                for (field, value) in elements::fields(value).enumerate() {
                    if let Some(value) = value {
                        self.out.value(column.id, Some(&field_path(field)), value);
                    }
                }
            }
        }
    }

    fn add(&mut self, column: &Column, term: &Prepared, prepend: bool) -> Result<()> {
        let value = term.evaluate(self.values)?;
        if column.is_counter() {
            return self.count(column, value, 1);
        }
        if let Value::Set(value) = value {
            self.elements(column, &value, prepend);
        }
        Ok(())
    }

    fn count(&mut self, column: &Column, value: Value, sign: i64) -> Result<()> {
        let value = match value {
            Value::Set(value) => value,
            Value::Unset => return Ok(()),
            Value::Null => return Err(CqlError::invalid("Invalid null value for counter increment")),
        };
        let by = value[..].try_into().map(i64::from_be_bytes);
        let by = by.map_err(|_| CqlError::invalid("Invalid null value for counter increment"))?;
        self.out.cell(&Cell {
            column: column.id,
            path: None,
            timestamp: self.stamp.timestamp,
            content: Content::Count(by.wrapping_mul(sign)),
        });
        Ok(())
    }

    fn subtract(&mut self, column: &Column, term: &Prepared) -> Result<()> {
        let value = term.evaluate(self.values)?;
        if column.is_counter() {
            return self.count(column, value, -1);
        }
        let Value::Set(value) = value else {
            return Ok(());
        };
        if let CqlType::List { of, .. } = &column.kind {
            for (path, element) in self.before.elements(self.table, column, self.now) {
                if elements::elements(&value).any(|gone| compare(of, gone, element).is_eq()) {
                    self.out.tombstone(column.id, Some(path), self.now);
                }
            }
            return Ok(());
        }
        for element in elements::elements(&value) {
            self.out.tombstone(column.id, Some(element), self.now);
        }
        Ok(())
    }

    fn set_element(&mut self, column: &Column, key: &Prepared, value: &Prepared) -> Result<()> {
        let value = value.evaluate(self.values)?;
        let key = key.evaluate(self.values)?;
        let is_list = matches!(column.kind, CqlType::List { .. });
        let key = match key {
            Value::Set(key) => key,
            Value::Null if is_list => return Err(CqlError::invalid("Invalid null value for list index")),
            Value::Unset if is_list => return Err(CqlError::invalid("Invalid unset value for list index")),
            Value::Null => return Err(CqlError::invalid("Invalid null map key")),
            Value::Unset => return Err(CqlError::invalid("Invalid unset map key")),
        };
        let path = if is_list {
            self.at_index(column, &key, "set an element on")?
        } else {
            key
        };
        match value {
            Value::Set(value) => self.out.value(column.id, Some(&path), &value),
            Value::Null => self.out.tombstone(column.id, Some(&path), self.now),
            Value::Unset => {}
        }
        Ok(())
    }

    fn delete_element(&mut self, column: &Column, key: &Prepared) -> Result<()> {
        let key = key.evaluate(self.values)?;
        let is_list = matches!(column.kind, CqlType::List { .. });
        let key = match key {
            Value::Set(key) => key,
            Value::Unset if is_list => return Ok(()),
            _ if is_list => return Err(CqlError::invalid("Invalid null value for list index")),
            Value::Unset => return Err(CqlError::invalid("Invalid unset value for map key")),
            Value::Null => {
                return Err(CqlError::invalid(match column.kind {
                    CqlType::Set { .. } => "Invalid null set element",
                    _ => "Invalid null map key",
                }));
            }
        };
        let path = if is_list {
            self.at_index(column, &key, "delete an element from")?
        } else {
            key
        };
        self.out.tombstone(column.id, Some(&path), self.now);
        Ok(())
    }

    /// The path of the list's element at an index.
    fn at_index(&self, column: &Column, index: &[u8], verb: &str) -> Result<Bytes> {
        let index = index.try_into().map(i32::from_be_bytes);
        let index = index.map_err(|_| CqlError::invalid("Invalid null value for list index"))?;
        let stored = self.before.elements(self.table, column, self.now);
        let all: Vec<&[u8]> = stored.map(|(path, _)| path).collect();
        if all.is_empty() {
            return Err(CqlError::invalid(format!(
                "Attempted to {verb} a list which is null"
            )));
        }
        let found = usize::try_from(index).ok().and_then(|index| all.get(index));
        found.map(|path| Bytes::copy_from_slice(path)).ok_or_else(|| {
            CqlError::invalid(format!(
                "List index {index} out of bound, list has size {}",
                all.len()
            ))
        })
    }
}

/// The path of a field of a user-defined type.
pub(crate) fn field_path(field: usize) -> [u8; 2] {
    u16::try_from(field).unwrap_or(u16::MAX).to_be_bytes()
}

/// The path of an element of a list: later positions behind, for prepending before, the others.
fn list_path(position: i64, index: u32, prepend: bool) -> [u8; 12] {
    let position = if prepend { -position } else { position };
    let mut path = [0; 12];
    path[..8].copy_from_slice(&((position as u64) ^ (1 << 63)).to_be_bytes());
    path[8..].copy_from_slice(&index.to_be_bytes());
    path
}
