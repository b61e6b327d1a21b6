//! Indexes and views over rows that were there before them.
//!
//! Both follow every write from the moment they are defined; what older rows bring is added here, page by page. Until all
//! is there queries do without the index, and find a part of the view. Where the server ends before that, it begins again
//! when it starts: adding what was added changes nothing.

use super::Engine;
use crate::{
    core::{
        indexes::Kept,
        schema::{Schema, Table},
    },
    error::Result,
    state::{
        indexes,
        rows::{self, Part, Place, Writes},
    },
    statements::{views::ViewPlan, write::add_entries},
};
use arc_swap::ArcSwap;
use bytes::Bytes;
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use storage::{Page, Scan};
use tokio::sync::Notify;

/// How long it waits after the store refused something.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Shared by writes under way. The last of them tells that it is over.
#[derive(Default)]
pub(super) struct Writing {
    over: Arc<Notify>,
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.over.notify_one();
    }
}

/// What is built, and what has to be.
#[derive(Default)]
pub(super) struct Building {
    /// Numbers of indexes and views that know every row.
    built: ArcSwap<BTreeSet<u32>>,
    /// Told when something was defined that could not be built at once.
    more: Notify,
    /// Held by writes under way: who changes the schema waits for those that know the one before.
    writing: ArcSwap<Writing>,
}

impl Building {
    pub(super) fn new(built: Vec<u32>) -> Self {
        Building {
            built: ArcSwap::from_pointee(built.into_iter().collect()),
            ..Building::default()
        }
    }

    pub(super) fn is_built(&self, index: u32) -> bool {
        self.built.load().contains(&index)
    }

    pub(super) fn change(&self, change: impl Fn(&mut BTreeSet<u32>)) {
        self.built.rcu(|built| {
            let mut built = BTreeSet::clone(built);
            change(&mut built);
            built
        });
    }

    /// Notes a write until the answer is dropped. To be called before the schema is looked at.
    pub(super) fn writing(&self) -> Arc<Writing> {
        self.writing.load_full()
    }

    /// Waits for all writes that may know another schema than the present one.
    pub(super) async fn settled(&self) {
        let before = self.writing.swap(Arc::default());
        let over = before.over.clone();
        drop(before);
        over.notified().await;
    }
}

/// An index or a view that is not built yet.
struct Unbuilt {
    number: u32,
    table: Arc<Table>,
    what: What,
}

enum What {
    Index(Kept),
    View(ViewPlan),
}

fn unbuilt(schema: &Schema, is_built: impl Fn(u32) -> bool) -> Result<Option<Unbuilt>> {
    for keyspace in schema.keyspaces.values() {
        for table in keyspace.tables.values() {
            if let Some(index) = Kept::all(table).into_iter().find(|index| !is_built(index.number)) {
                return Ok(Some(Unbuilt {
                    number: index.number,
                    table: table.clone(),
                    what: What::Index(index),
                }));
            }
            let base = table.view.as_ref().filter(|_| !is_built(table.number));
            if let Some(base) = base.and_then(|view| keyspace.tables.get(&view.base)) {
                return Ok(Some(Unbuilt {
                    number: table.number,
                    table: base.clone(),
                    what: What::View(ViewPlan::of(schema, base, table)?),
                }));
            }
        }
    }
    Ok(None)
}

impl Engine {
    /// Builds what has to be built, for ever.
    pub(crate) async fn keep_building(&self) {
        loop {
            match self.build_all().await {
                Ok(()) => self.building.more.notified().await,
                Err(error) => {
                    tracing::warn!(%error, "an index or a view could not be built, and will be tried again");
                    tokio::time::sleep(RETRY_AFTER).await;
                }
            }
        }
    }

    /// Builds everything that is not built.
    pub(crate) async fn build_all(&self) -> Result<()> {
        while let Some(next) = self.unbuilt()? {
            let mut rest = Some(rows::table_scan(next.table.number));
            while let Some(scan) = rest {
                let _alone = self.defining.lock().await;
                // It may have been dropped meanwhile, and must not come back.
                if !numbers(&self.schema.load()).contains(&next.number) {
                    break;
                }
                rest = self.build_page(&next, scan).await?;
            }
        }
        Ok(())
    }

    /// Builds what was just defined, where that is little; the rest is left to [`Engine::keep_building`].
    /// Nothing else is being defined.
    pub(super) async fn begin_building(&self) -> Result<()> {
        while let Some(next) = self.unbuilt()? {
            if self
                .build_page(&next, rows::table_scan(next.table.number))
                .await?
                .is_some()
            {
                self.building.more.notify_one();
                break;
            }
        }
        Ok(())
    }

    fn unbuilt(&self) -> Result<Option<Unbuilt>> {
        unbuilt(&self.schema.load(), |number| self.building.is_built(number))
    }

    /// Adds what one page of rows brings; answers what is left.
    async fn build_page(&self, next: &Unbuilt, scan: Scan) -> Result<Option<Scan>> {
        let page = self.kv.scan(scan, Page::default()).await?;
        match &next.what {
            What::Index(index) => self.add_entries_of(&next.table, index, &page.items).await?,
            What::View(view) => self.show_rows(&next.table, view, &page.items).await?,
        }
        if page.next.is_none() {
            let mut writes = Writes::default();
            indexes::mark_built(&mut writes.batch, next.number);
            self.commit(writes).await?;
            self.building.change(|built| {
                built.insert(next.number);
            });
        }
        Ok(page.next)
    }

    async fn add_entries_of(&self, table: &Table, index: &Kept, items: &[(Bytes, Bytes)]) -> Result<()> {
        let mut writes = Writes::default();
        let stamp = self.time.next_us();
        for (key, stored) in items {
            let Some(place) = Place::read(key) else { continue };
            let position = match place.part {
                Part::Deletions => continue,
                Part::Static => None,
                Part::Row => Some(&place.position[..]),
            };
            // A value that is too long for the index was refused by nobody before; it is not found by it.
            let out = (stamp, &mut writes);
            let _ = add_entries(index, table, &place.partition, position, stored, out);
        }
        self.commit(writes).await
    }

    /// Shows rows in a view as they are now, which may be otherwise than in `items`.
    async fn show_rows(&self, table: &Table, view: &ViewPlan, items: &[(Bytes, Bytes)]) -> Result<()> {
        let rows: Vec<Place> = items
            .iter()
            .filter_map(|(key, _)| Place::read(key))
            .filter(|place| place.part == Part::Row)
            .collect();
        for rows in rows.chunk_by(|one, other| one.partition == other.partition) {
            let partition = &rows[0].partition;
            let _alone = self.stripes.lock(std::iter::once(partition.identity())).await;
            let mut writes = Writes::default();
            self.show(table, view, rows, &mut writes).await?;
            self.commit(writes).await?;
        }
        Ok(())
    }
}

/// The numbers of all that is built: indexes that have entries, and views.
pub(super) fn numbers(schema: &Schema) -> BTreeSet<u32> {
    let mut numbers = BTreeSet::new();
    for table in schema
        .keyspaces
        .values()
        .flat_map(|keyspace| keyspace.tables.values())
    {
        numbers.extend(Kept::all(table).iter().map(|index| index.number));
        numbers.extend(table.view.as_ref().map(|_| table.number));
    }
    numbers
}

#[cfg(test)]
mod tests;
