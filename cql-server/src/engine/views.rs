//! Views in step with their base: what a batch changes of them is added to that batch.

use super::{Engine, node::Part};
use crate::{
    core::{
        rows::{Deletions, merge},
        schema::Table,
    },
    error::Result,
    state::rows::{Cursor, Part as Of, Partition, Place, Slice, Writes},
    statements::views::{Image, Source, ViewPlan},
};
use bytes::Bytes;
use std::collections::BTreeMap;
use storage::Op;

/// What a batch adds to one partition.
#[derive(Default)]
struct Touched {
    deletions: Vec<Bytes>,
    rows: BTreeMap<Bytes, Vec<Bytes>>,
}

impl Engine {
    /// Adds to `writes` what they change of the views of the tables of `parts`. Whoever calls is alone in the partitions.
    pub(super) async fn follow_views(&self, parts: &[Part<'_>], now: i64, writes: &mut Writes) -> Result<()> {
        let mut done: Vec<u32> = Vec::new();
        for part in parts {
            let (table, views) = (&part.write.table, &part.write.views);
            if views.is_empty() || done.contains(&table.number) {
                continue;
            }
            done.push(table.number);
            for (partition, touched) in touched(table, writes) {
                self.follow(table, views, &partition, &touched, now, writes)
                    .await?;
            }
        }
        Ok(())
    }

    /// Adds what changes of the views by what is added to one partition.
    async fn follow(
        &self,
        table: &Table,
        views: &[ViewPlan],
        partition: &Partition,
        touched: &Touched,
        now: i64,
        writes: &mut Writes,
    ) -> Result<()> {
        let stored = self.kv.get(&partition.deletions_key()).await?;
        let deletions = folded(stored.as_ref(), &touched.deletions);
        let (old, new) = (read(stored.as_ref()), read(deletions.as_ref()));
        let mut before: BTreeMap<Bytes, Option<Bytes>> = touched
            .rows
            .keys()
            .map(|position| (position.clone(), None))
            .collect();
        let keys: Vec<Bytes> = before
            .keys()
            .map(|position| partition.row_key(position))
            .collect();
        let found = self.kv.multi_get(&keys).await?;
        before
            .values_mut()
            .zip(found)
            .for_each(|(row, found)| *row = found);
        let mut cursor = Cursor::slices(&*self.kv, partition, &deleted(touched), false, usize::MAX);
        while let Some((place, stored)) = cursor.next().await? {
            before.insert(place.position, Some(stored));
        }
        let key = partition.key();
        for (position, before) in &before {
            let operands = touched.rows.get(position).map_or(&[][..], Vec::as_slice);
            let after = folded(before.as_ref(), operands);
            for view in views {
                let image = |fragment: Option<&Bytes>, deletions: &Deletions<'_>, now| {
                    let source = fragment.map(|fragment| Source {
                        partition_key: &key,
                        position,
                        fragment,
                        enclosing: deletions.at(position),
                    });
                    source.map_or(Ok(None), |source| view.image(table, source, now))
                };
                // What has expired is stored as well, and goes when it is replaced.
                let old = image(before.as_ref(), &old, i64::MIN)?;
                let new = image(after.as_ref(), &new, now)?;
                replace(old, new, writes);
            }
        }
        Ok(())
    }
}

impl Engine {
    /// Adds rows of one partition to a view, as they are stored. Whoever calls is alone in the partition.
    pub(super) async fn show(
        &self,
        table: &Table,
        view: &ViewPlan,
        rows: &[Place],
        writes: &mut Writes,
    ) -> Result<()> {
        let Some(first) = rows.first() else {
            return Ok(());
        };
        let partition = &first.partition;
        let mut keys = vec![partition.deletions_key()];
        keys.extend(rows.iter().map(|row| partition.row_key(&row.position)));
        let mut found = self.kv.multi_get(&keys).await?.into_iter();
        let stored = found.next().flatten();
        let deletions = read(stored.as_ref());
        let key = partition.key();
        for (row, fragment) in rows.iter().zip(found) {
            let Some(fragment) = fragment else { continue };
            let source = Source {
                partition_key: &key,
                position: &row.position,
                fragment: &fragment,
                enclosing: deletions.at(&row.position),
            };
            replace(None, view.image(table, source, self.time.now_s())?, writes);
        }
        Ok(())
    }
}

/// The partitions of a table that a batch changes, with what it adds to them.
fn touched(table: &Table, writes: &Writes) -> Vec<(Partition, Touched)> {
    let mut all: BTreeMap<Bytes, (Partition, Touched)> = BTreeMap::new();
    for op in &writes.batch.ops {
        let Op::Merge(key, operand) = op else { continue };
        let Some(place) = Place::read(key).filter(|place| place.partition.table() == table.number) else {
            continue;
        };
        let identity = Bytes::copy_from_slice(place.partition.identity());
        let entry = all
            .entry(identity)
            .or_insert_with(|| (place.partition.clone(), Touched::default()));
        match place.part {
            Of::Deletions => entry.1.deletions.push(operand.clone()),
            Of::Row => entry
                .1
                .rows
                .entry(place.position)
                .or_default()
                .push(operand.clone()),
            // No view shows static columns.
            Of::Static => {}
        }
    }
    all.into_values().collect()
}

/// What is stored with what is added to it.
fn folded(stored: Option<&Bytes>, operands: &[Bytes]) -> Option<Bytes> {
    let operands: Vec<&[u8]> = operands.iter().map(|operand| &operand[..]).collect();
    match stored {
        _ if !operands.is_empty() => Some(merge(stored.map(|stored| &stored[..]), &operands).into()),
        stored => stored.cloned(),
    }
}

fn read(deletions: Option<&Bytes>) -> Deletions<'_> {
    deletions
        .and_then(|bytes| Deletions::read(bytes))
        .unwrap_or_default()
}

/// The slices of a partition that are deleted.
fn deleted(touched: &Touched) -> Vec<Slice> {
    let all = touched
        .deletions
        .iter()
        .filter_map(|bytes| Deletions::read(bytes));
    let slices = |deletions: Deletions<'_>| match deletions.partition {
        Some(_) => vec![Slice::default()],
        None => {
            let ranges = deletions.ranges.iter();
            ranges
                .map(|range| Slice {
                    from: range.from.to_vec(),
                    to: Some(range.to.to_vec()),
                })
                .collect()
        }
    };
    all.flat_map(slices).collect()
}

/// Puts the row that a view has now in the place of the one that it had.
fn replace(old: Option<Image>, new: Option<Image>, writes: &mut Writes) {
    let is_same = |old: &Image| {
        new.as_ref()
            .is_some_and(|new| (&new.partition, &new.position) == (&old.partition, &old.position))
    };
    if let Some(old) = old.filter(|old| !is_same(old)) {
        writes.batch.delete(old.partition.row_key(&old.position));
    }
    if let Some(new) = new {
        writes.replace(&new.partition, &new.position, new.fragment);
    }
}
