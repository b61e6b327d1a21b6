//! What of a row can be seen at a given second.

use super::{Cell, Cells, Content, Deletion, Row};

impl<'a> Row<'a> {
    /// Whether the row shows at `now` at all: by its own liveness, or by any cell.
    /// `enclosing`: what its partition or a range deleted.
    pub(crate) fn lives_at(&self, now: i64, enclosing: Option<Deletion>) -> bool {
        self.is_marked_at(now, enclosing) || self.live_cells(now, enclosing).next().is_some()
    }

    /// Whether the row itself was written and lives, whatever its cells.
    pub(crate) fn is_marked_at(&self, now: i64, enclosing: Option<Deletion>) -> bool {
        let deletion = self.deletion.max(enclosing);
        self.liveness.is_some_and(|stamp| {
            stamp.lives_at(now) && deletion.is_none_or(|deletion| !deletion.covers(stamp.timestamp))
        })
    }

    /// How many of its cells were deleted or have expired, those left aside that something larger deleted. A row that was
    /// deleted as a whole counts as one, if `as_row` and nothing else of it does.
    pub(crate) fn tombstones(&self, now: i64, enclosing: Option<Deletion>, as_row: bool) -> u64 {
        // As most rows are.
        if !self.is_mortal {
            return 0;
        }
        let mut cells = self.live_cells(now, enclosing);
        let dead = cells.dead();
        if dead == 0 && as_row && self.deletion > enclosing {
            return 1;
        }
        dead
    }

    /// The cells that hold something at `now`: neither deleted nor expired.
    pub(crate) fn live_cells(&self, now: i64, enclosing: Option<Deletion>) -> LiveCells<'a> {
        LiveCells {
            cells: self.cells(),
            now,
            deletion: self.deletion.max(enclosing),
            cleared: None,
        }
    }
}

/// The live cells of a row.
#[derive(Debug, Clone)]
pub(crate) struct LiveCells<'a> {
    cells: Cells<'a>,
    now: i64,
    deletion: Option<Deletion>,
    /// The column whose elements were cleared, and up to when. A fragment as it was written is not merged with itself.
    cleared: Option<(u32, i64)>,
}

impl LiveCells<'_> {
    /// How many of the cells in between do not live.
    fn dead(&mut self) -> u64 {
        let (now, deletion) = (self.now, self.deletion);
        let is_dead = |cell: &Cell<'_>| {
            let ended = match cell.content {
                Content::Dead { .. } => true,
                Content::Expiring(_, expiry) => now >= expiry.at,
                _ => false,
            };
            ended && deletion.is_none_or(|deletion| !deletion.covers(cell.timestamp))
        };
        self.cells.by_ref().filter(is_dead).count() as u64
    }
}

impl<'a> Iterator for LiveCells<'a> {
    type Item = Cell<'a>;

    #[inline]
    fn next(&mut self) -> Option<Cell<'a>> {
        loop {
            let cell = self.cells.next()?;
            if self
                .deletion
                .is_some_and(|deletion| deletion.covers(cell.timestamp))
            {
                continue;
            }
            match cell.content {
                Content::Dead { .. } => {}
                Content::Expiring(_, expiry) if self.now >= expiry.at => {}
                Content::Cleared { .. } => self.cleared = Some((cell.column, cell.timestamp)),
                _ if self
                    .cleared
                    .is_some_and(|(column, to)| column == cell.column && cell.timestamp <= to) => {}
                _ => return Some(cell),
            }
        }
    }
}
