//! Goes through the rows of one table.

use super::{
    Done,
    replace::{Change, replace},
};
use crate::{
    core::{
        rows::{Deletion, Deletions, Ends, Grace, Left, Row, collect, collect_deletions, is_mortal},
        schema::Table,
    },
    engine::Engine,
    error::Result,
    state::rows::{Part, Partition, Place, table_scan},
};
use bytes::Bytes;
use storage::Page;

/// Rows that are looked at at once.
const PAGE: Page = Page {
    items_max: 256,
    bytes_max: 256 << 10,
};

/// A pass through a table.
struct Pass<'t> {
    table: &'t Table,
    grace: Grace,
    open: Option<Open>,
    changes: Vec<Change>,
    done: Done,
}

/// The partition whose rows come, where some of it was deleted.
struct Open {
    partition: Partition,
    record: Bytes,
    /// Whether everything that its deletions cover is gone.
    is_clean: bool,
}

impl Engine {
    /// Forgets what may be forgotten of the rows of a table.
    pub(super) async fn collect_rows(&self, table: &Table, grace: Grace) -> Result<Done> {
        let mut pass = Pass {
            table,
            grace,
            open: None,
            changes: Vec::new(),
            done: Done::default(),
        };
        let mut rest = Some(table_scan(table.number));
        while let Some(scan) = rest {
            let page = self.kv.scan(scan, PAGE).await?;
            let before = pass.done.bytes_seen;
            for (key, stored) in page.items {
                pass.look(key, stored);
            }
            rest = page.next;
            if rest.is_none() {
                pass.close();
            }
            let changes = std::mem::take(&mut pass.changes);
            pass.refused(replace(&*self.kv, changes, self.durability).await?);
            self.throttle(pass.done.bytes_seen - before).await;
        }
        Ok(pass.done)
    }
}

impl Pass<'_> {
    fn look(&mut self, key: Bytes, stored: Bytes) {
        self.done.bytes_seen += (key.len() + stored.len()) as u64;
        let Some(place) = Place::read(&key) else { return };
        if self
            .open
            .as_ref()
            .is_some_and(|open| open.partition != place.partition)
        {
            self.close();
        }
        if place.part == Part::Deletions {
            self.open = Some(Open {
                partition: place.partition,
                record: stored,
                is_clean: true,
            });
            return;
        }
        let enclosing = self.enclosing(&place);
        let left = if self.table.view.is_some() {
            self.left_of_view(&stored)
        } else if enclosing.is_none() && !is_mortal(&stored) && self.table.dropped.is_empty() {
            Left::All
        } else {
            let hides = |column, timestamp| self.table.hides(column, timestamp);
            collect(&stored, enclosing, self.grace, hides)
        };
        self.change(key, stored, left);
    }

    /// What deletes what is at a place, beside itself.
    fn enclosing(&self, place: &Place) -> Option<Deletion> {
        let deletions = Deletions::read(&self.open.as_ref()?.record)?;
        match place.part {
            Part::Row => deletions.at(&place.position),
            Part::Static | Part::Deletions => deletions.partition,
        }
    }

    /// A row of a view is replaced as a whole, or there as a whole.
    fn left_of_view(&self, stored: &[u8]) -> Left {
        let now = self.grace.now;
        let lives = Row::read(stored).is_none_or(|row| match self.table.is_strict() {
            true => row.is_marked_at(now, None),
            false => row.lives_at(now, None),
        });
        if lives { Left::All } else { Left::Nothing }
    }

    /// What was deleted of a partition need not be remembered for ever, once nothing is left of that.
    fn close(&mut self) {
        let Some(open) = self.open.take() else { return };
        if open.is_clean {
            let left = collect_deletions(&open.record, self.grace);
            self.change(open.partition.deletions_key(), open.record, left);
        } else {
            self.done.ends.add(Ends::of(&open.record, self.grace.now));
        }
    }

    fn change(&mut self, key: Bytes, before: Bytes, left: Left) {
        let after = match left {
            Left::All => return self.done.ends.add(Ends::of(&before, self.grace.now)),
            Left::Some(after) => Some(after),
            Left::Nothing => None,
        };
        let ends = after.as_ref().map(|after| Ends::of(after, self.grace.now));
        self.done.ends.add(ends.unwrap_or_default());
        let removed = match &after {
            Some(after) => before.len().saturating_sub(after.len()),
            None => key.len() + before.len(),
        };
        self.done.bytes_removed += removed as u64;
        self.changes.push(Change::of(key, before, after));
    }

    /// Somebody wrote meanwhile: another time.
    fn refused(&mut self, changes: Vec<Change>) {
        for change in changes {
            let (key, before) = &change.expected;
            self.done.ends.add(
                before
                    .as_ref()
                    .map(|before| Ends::of(before, self.grace.now))
                    .unwrap_or_default(),
            );
            let place = Place::read(key);
            if let (Some(open), Some(place)) = (&mut self.open, place)
                && open.partition == place.partition
            {
                open.is_clean = false;
            }
        }
    }
}
