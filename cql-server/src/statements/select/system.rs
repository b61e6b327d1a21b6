//! Runs a plan over rows that are not stored: the tables of the system.

use super::{
    execute::{Paging, limit},
    paging::Mark,
    prepare::Plan,
    sink::{Flow, Limits, Sink},
};
use crate::{
    core::{
        schema::system,
        types::{ordered, token},
    },
    engine::Rows,
    error::Result,
    state::rows::{Partition, Slice},
    statements::{
        assemble,
        restrictions::{Partitions, TokenRange},
        terms::Values,
    },
};
use bytes::Bytes;
use std::{
    borrow::Cow,
    collections::HashMap,
    ops::{Bound, RangeBounds},
};

impl Plan {
    /// Executes it over `rows`, which are in the order of the table's key.
    pub(crate) fn execute_over(
        &self,
        mut rows: Vec<system::Row>,
        values: &Values<'_>,
        now: i64,
        paging: &Paging,
    ) -> Result<Rows> {
        let mut mark = paging.state.as_ref().map(Mark::read).transpose()?;
        let limits = Limits {
            rows: limit(&self.limit, values)?,
            per_partition: limit(&self.per_partition_limit, values)?,
            page: self.page(paging),
        };
        let filter = self.restrictions.filter(&self.table, values)?;
        let slices = self.restrictions.slices(&self.table, values)?;
        let partitions = Wanted::of(self.restrictions.partitions(&self.table, values)?)?;
        let mut sink = Sink::new(self, values, filter, now, limits, mark.as_ref())?;
        if self.reverse {
            rows.reverse();
        }
        self.order(&mut rows, &partitions);
        let mut before: Option<Partition> = None;
        let mut done = false;
        for row in rows {
            let (partition, position) = self.place(&row)?;
            if !is_wanted(&partitions, &slices, &partition, &position) {
                continue;
            }
            if let Some(last) = &mark {
                let same = last.partition == partition.key();
                let found = same && last.position.as_ref().is_none_or(|last| *last == position);
                if found {
                    mark = None;
                }
                continue;
            }
            if before.as_ref() != Some(&partition) {
                sink.partition(None)?;
                done = false;
                before = Some(partition.clone());
            }
            if done {
                continue;
            }
            let cells = row
                .into_iter()
                .map(|cell| cell.map(|value| Cow::Owned(value.to_vec())));
            let mut shown = assemble::Values::new(&self.table, self.selection.with_times);
            shown.cells = cells.collect();
            match sink.row(&partition, Some(&position), &shown)? {
                Flow::On => {}
                Flow::NextPartition => done = true,
                Flow::Stop => break,
            }
        }
        sink.finish()
    }

    /// Brings rows into the order of the keys that are asked for.
    fn order(&self, rows: &mut [system::Row], partitions: &Wanted) {
        let Wanted::Keys(keys) = partitions else {
            return;
        };
        let columns = self.table.partition_key().len();
        rows.sort_by_cached_key(|row| {
            let cells: Vec<&[u8]> = row[..columns]
                .iter()
                .map(|cell| cell.as_deref().unwrap_or_default())
                .collect();
            let key = token::partition_key(&cells);
            keys.get(&key[..]).copied()
        });
    }

    /// The partition and the position that a row would have.
    fn place(&self, row: &system::Row) -> Result<(Partition, Bytes)> {
        let keys = self.table.partition_key().len();
        let key: Vec<&[u8]> = row[..keys]
            .iter()
            .map(|cell| cell.as_deref().unwrap_or_default())
            .collect();
        let key = token::partition_key(&key);
        let mut position = Vec::new();
        for (cell, column) in row[keys..].iter().zip(self.table.clustering()) {
            ordered::encode(
                &mut position,
                &column.kind,
                column.is_descending(),
                cell.as_deref(),
            )?;
        }
        Ok((
            Partition::new(self.table.number, token::token(&key), &key),
            position.into(),
        ))
    }
}

/// The partitions that are asked for.
enum Wanted {
    /// Their keys, and in which order.
    Keys(HashMap<Bytes, usize>),
    Range(TokenRange),
}

impl Wanted {
    fn of(partitions: Partitions) -> Result<Self> {
        Ok(match partitions {
            Partitions::Keys(keys) => {
                let keys = keys.all()?.into_iter().enumerate();
                Wanted::Keys(keys.map(|(at, key)| (key, at)).collect())
            }
            Partitions::Range(range) => Wanted::Range(range),
        })
    }
}

fn is_wanted(partitions: &Wanted, slices: &[Slice], partition: &Partition, position: &[u8]) -> bool {
    let of_partition = match partitions {
        Wanted::Keys(keys) => keys.contains_key(&partition.key()),
        Wanted::Range(TokenRange { from, to }) => {
            let bounds: (Bound<i64>, Bound<i64>) = (*from, *to);
            bounds.contains(&partition.token())
        }
    };
    of_partition && Slice::any_holds(slices, position)
}
