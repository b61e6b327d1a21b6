use super::ViewPlan;
use crate::{
    core::{
        rows::{Cell, Content, Deletion, Expiry, Row, RowWriter, Stamp},
        schema::Table,
        types::{ordered, token},
    },
    error::Result,
    state::rows::Partition,
    statements::{
        assemble,
        restrictions::{checked, checked_position},
    },
};

/// A row of the base as it is stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) partition_key: &'a [u8],
    pub(crate) position: &'a [u8],
    pub(crate) fragment: &'a [u8],
    /// What its partition or a range deleted.
    pub(crate) enclosing: Option<Deletion>,
}

/// A row of the view as it is to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Image {
    pub(crate) partition: Partition,
    pub(crate) position: Vec<u8>,
    pub(crate) fragment: Vec<u8>,
}

impl ViewPlan {
    /// The row of the view; none where the base's row does not live at `now`, or is not for this view.
    pub(crate) fn image(&self, base: &Table, source: Source<'_>, now: i64) -> Result<Option<Image>> {
        let row = Row::read(source.fragment).filter(|row| row.lives_at(now, source.enclosing));
        let Some(row) = row else {
            return Ok(None);
        };
        let mut values = assemble::Values::new(base, false);
        values.partition_key(base, source.partition_key);
        values.clustering(base, source.position)?;
        values.row(base, &row, now, source.enclosing);
        if !self.filter.accepts(base, &values.cells) {
            return Ok(None);
        }
        let key: Option<Vec<&[u8]>> = self.key.iter().map(|at| values.cells[*at].as_deref()).collect();
        let Some(key) = key else {
            return Ok(None);
        };
        let (partition_key, clustering) = key.split_at(self.view.partition_key().len());
        let partition_key = match partition_key {
            // No partition has such a key, and the original keeps no row of it either.
            [[]] => return Ok(None),
            [only] => checked((*only).to_vec().into())?,
            several => checked(token::partition_key(several).into())?,
        };
        let mut position = Vec::new();
        for (column, value) in self.view.clustering().iter().zip(clustering) {
            ordered::encode(&mut position, &column.kind, column.is_descending(), Some(value))?;
        }
        checked_position(&self.view, &position)?;
        Ok(Some(Image {
            partition: Partition::new(self.view.number, token::token(&partition_key), &partition_key),
            position,
            fragment: self.fragment(base, &row, source.enclosing, now),
        }))
    }

    /// What lives of the row, in the view's columns.
    fn fragment(&self, base: &Table, row: &Row<'_>, enclosing: Option<Deletion>, now: i64) -> Vec<u8> {
        let outside = self.outside.map(|at| base.columns[at].id);
        let mut liveness = match outside {
            Some(_) => None,
            None => row.liveness.filter(|_| row.is_marked_at(now, enclosing)),
        };
        let mut cells: Vec<Cell<'_>> = Vec::new();
        for cell in row.live_cells(now, enclosing) {
            let known = self.cells.iter().find(|(id, _)| *id == cell.column);
            match known {
                Some((_, Some(column))) => cells.push(Cell {
                    column: *column,
                    ..cell
                }),
                // A row lives by what the view does not show too.
                Some((_, None)) if outside.is_none() => liveness = longer(liveness, stamp(&cell)),
                None if outside == Some(cell.column) => liveness = Some(stamp(&cell)),
                _ => {}
            }
        }
        cells.sort_by_key(|cell| cell.column);
        let stamp = liveness.or_else(|| cells.first().map(stamp)).unwrap_or(Stamp {
            timestamp: 0,
            expiry: None,
        });
        let mut out = RowWriter::new(stamp, liveness.is_some(), None);
        cells.iter().for_each(|cell| out.cell(cell));
        out.finish()
    }
}

fn stamp(cell: &Cell<'_>) -> Stamp {
    let expiry = match cell.content {
        Content::Expiring(_, expiry) => Some(expiry),
        _ => None,
    };
    Stamp {
        timestamp: cell.timestamp,
        expiry,
    }
}

/// The one that lives longer.
fn longer(one: Option<Stamp>, other: Stamp) -> Option<Stamp> {
    let end = |stamp: &Stamp| stamp.expiry.map_or(i64::MAX, |expiry: Expiry| expiry.at);
    Some(one.filter(|one| end(one) >= end(&other)).unwrap_or(other))
}
