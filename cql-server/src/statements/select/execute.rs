//! Runs a plan: finds rows partition after partition, and hands them to the sink.

use super::{
    indexed, nearest,
    paging::Mark,
    prepare::Plan,
    sink::{Flow, Limits, Sink},
    tombstones::{Ahead, Asked, NO_LIMIT, Tombstones},
};
use crate::{
    core::{
        guardrails::Limit,
        rows::{Deletion, Deletions, Row},
        types::token,
    },
    engine::{Consistency, Pace, Rows, Value},
    error::{CqlError, Result},
    state::rows::{Cursor, Head, Part, Partition, Place, Slice},
    statements::{
        assemble,
        restrictions::{Driver, Keys, Partitions, TokenRange},
        terms::{Prepared, Values},
    },
};
use bytes::Bytes;
use std::{ops::Bound, sync::Arc};
use storage::{Kv, KvRead};

/// How many rows the original reads at once of what it makes groups of.
const ROWS_OF_GROUPS: u64 = 10_000;

/// What a query is executed with beside its values.
#[derive(Debug, Clone, Default)]
pub(crate) struct Paging {
    pub(crate) page_size: Option<u64>,
    pub(crate) state: Option<Bytes>,
    /// How many tombstones a read may meet.
    pub(crate) tombstones: Limit,
}

/// What was read.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) rows: Rows,
    /// What is told of tombstones.
    pub(crate) warnings: Vec<String>,
    /// How many rows and tombstones were met.
    pub(crate) live: u64,
    pub(crate) dead: u64,
}

impl Plan {
    /// How many rows a page has at most; what is folded into one row has no pages.
    pub(super) fn page(&self, paging: &Paging) -> u64 {
        // What is nearest is known when all is read: it makes one page.
        let pages = (self.group.is_some() || !self.folds()) && self.nearest.is_none();
        paging.page_size.filter(|_| pages).unwrap_or(u64::MAX)
    }

    /// What is told beside the rows of one execution.
    pub(crate) fn warnings(
        &self,
        values: &Values<'_>,
        page_size: Option<u64>,
        consistency: Consistency,
    ) -> Result<Vec<String>> {
        let mut warnings = self.warnings.clone();
        if self.nearest.is_some() {
            let limit = limit(&self.limit, values)?;
            warnings.extend(nearest::warnings(limit, page_size, consistency));
        }
        Ok(warnings)
    }

    /// Executes it: the rows, and what is told of tombstones.
    pub(crate) async fn execute(
        &self,
        kv: &Arc<dyn Kv>,
        pace: &Pace<'_>,
        values: &Values<'_>,
        now: i64,
        paging: &Paging,
        is_built: &(dyn Fn(u32) -> bool + Sync),
    ) -> Result<Read> {
        let mark = paging.state.as_ref().map(Mark::read).transpose()?;
        let page = self.page(paging);
        if !self.sort.is_empty() && page != u64::MAX {
            return Err(CqlError::invalid(
                "Cannot page queries with both ORDER BY and a IN restriction on the partition key; you must either remove the \
                 ORDER BY or the IN and sort client side, or disable paging for this query",
            ));
        }
        let limits = Limits {
            rows: limit(&self.limit, values)?,
            per_partition: limit(&self.per_partition_limit, values)?,
            page,
        };
        let filter = self.restrictions.filter(&self.table, values)?;
        let wanted = usize::try_from(limits.rows.min(limits.page).saturating_add(1)).unwrap_or(usize::MAX);
        let mut run = Run {
            plan: self,
            slices: self.restrictions.slices(&self.table, values)?,
            sink: Sink::new(self, values, filter, now, limits, mark.as_ref())?,
            now,
            wanted,
            pace,
            tombstones: Tombstones::new(paging.tombstones),
            reading: None,
            values,
            by_index: false,
            asked: self.asked(paging, limits),
            warnings: Vec::new(),
        };
        let partitions = self.restrictions.partitions(&self.table, values)?;
        let by_key = partitions.keys().is_some();
        // Within a partition that is known, sorting entries costs more than it saves.
        let is_usable = |driver: &Driver| {
            let of_keys = |keys: &Keys| keys.are_few() && driver.is_of_one_term();
            is_built(driver.index.number) && partitions.keys().is_none_or(of_keys)
        };
        if let Some(lookup) = indexed::choose(&**kv, &self.table, &self.drivers, values, &is_usable)? {
            let snapshot = kv.snapshot()?;
            let snapshot = pace.over(&*snapshot);
            match run.indexed(&snapshot, &lookup, &partitions, mark.clone()).await {
                Ok(false) => {}
                Ok(true) => return run.end(by_key, Ok(())),
                Err(error) => return run.end(by_key, Err(error)),
            }
        }
        let done = match partitions {
            Partitions::Keys(keys) => run.keys(kv, keys, mark).await,
            Partitions::Range(range) => run.range(kv, range, mark).await,
        };
        run.end(by_key, done)
    }

    /// How many rows the original asks its storage for: it pages through what it folds, and through what has more rows than
    /// a page.
    fn asked(&self, paging: &Paging, limits: Limits) -> Asked {
        let page = paging.page_size.unwrap_or(NO_LIMIT);
        let per_partition = match self.distinct {
            true => 1,
            false => limits.per_partition,
        };
        if self.group.is_some() {
            return Asked {
                rows: paging.page_size.unwrap_or(ROWS_OF_GROUPS),
                per_partition,
                groups: Some((limits.rows.min(page).min(NO_LIMIT), 0)),
                counts: false,
            };
        }
        let folds = self.folds();
        Asked {
            rows: if folds { page } else { limits.rows.min(page) },
            per_partition,
            groups: None,
            counts: folds || page < limits.rows.min(NO_LIMIT),
        }
    }
}

/// A limit, with its marker bound.
pub(super) fn limit(term: &Option<Prepared>, values: &Values<'_>) -> Result<u64> {
    let Some(term) = term else {
        return Ok(u64::MAX);
    };
    let bytes = match term.evaluate(values)? {
        Value::Set(bytes) => bytes,
        Value::Unset => return Ok(u64::MAX),
        Value::Null => return Err(CqlError::invalid("Invalid null value of limit")),
    };
    let limit = bytes[..].try_into().map(i32::from_be_bytes).unwrap_or(0);
    match u64::try_from(limit) {
        Ok(limit) if limit > 0 => Ok(limit),
        _ => Err(CqlError::invalid("LIMIT must be strictly positive")),
    }
}

/// One execution under way.
pub(super) struct Run<'p> {
    pub(super) plan: &'p Plan,
    slices: Vec<Slice>,
    pub(super) sink: Sink<'p>,
    now: i64,
    /// How many rows are likely to be read.
    pub(super) wanted: usize,
    pace: &'p Pace<'p>,
    tombstones: Tombstones,
    /// The partition that is being read.
    pub(super) reading: Option<Partition>,
    values: &'p Values<'p>,
    /// Whether rows are found by an index: what it leads to and is no more counts for nothing.
    pub(super) by_index: bool,
    /// How many rows are asked for, as warnings tell it.
    asked: Asked,
    warnings: Vec<String>,
}

impl Run<'_> {
    /// The answer to what was read.
    fn end(mut self, by_key: bool, done: Result<()>) -> Result<Read> {
        match done {
            Ok(()) => {
                self.end_read(by_key);
                let (live, dead) = self.tombstones.all();
                Ok(Read {
                    rows: self.sink.finish()?,
                    warnings: self.warnings,
                    live,
                    dead,
                })
            }
            Err(CqlError::TooManyTombstones(_)) => {
                self.end_read(by_key);
                Err(CqlError::TooManyTombstones(self.warnings))
            }
            Err(error) => Err(error),
        }
    }

    /// What was read up to here is judged for itself.
    fn end_read(&mut self, by_key: bool) {
        let Some(partition) = &self.reading else { return };
        let (plan, values, asked) = (self.plan, self.values, self.asked);
        self.asked = asked.after(self.tombstones.live(), self.sink.groups());
        let query = || plan.told(by_key.then_some(partition), values, asked);
        let told = self.tombstones.end(query, partition);
        self.warnings.extend(told);
    }

    /// Counts a row, with the ends of deleted ranges before it. Whether it lives.
    fn met(&mut self, row: &Row<'_>, enclosing: Option<Deletion>, passed: u64) -> Result<bool> {
        let lives = self.lives(row, enclosing);
        if self.by_index && !lives {
            return Ok(false);
        }
        // A row that is all of its partition is deleted with that, which counts for nothing.
        let as_row = !lives && !self.plan.table.clustering().is_empty();
        let dead = passed + row.tombstones(self.now, enclosing, as_row);
        match self.tombstones.count(lives, dead) {
            true => Ok(lives),
            false => Err(CqlError::TooManyTombstones(Vec::new())),
        }
    }

    fn passed(&mut self, ends: u64) -> Result<()> {
        match self.tombstones.add(ends) {
            true => Ok(()),
            false => Err(CqlError::TooManyTombstones(Vec::new())),
        }
    }

    /// Partitions one by one, by their keys.
    async fn keys(&mut self, kv: &Arc<dyn Kv>, keys: Keys, mark: Option<Mark>) -> Result<()> {
        let mut keys = keys.peekable();
        if let Some(mark) = &mark {
            while keys.next_if(|key| *key != mark.partition).is_some() {
                self.pace.work(1).await;
            }
            if mark.position.is_none() {
                keys.next();
            }
        }
        let mut resumed = mark;
        // One key and one read: there is nothing that could change in between.
        let snapshot: Option<Arc<dyn KvRead>> = if self.plan.table.clustering().is_empty() {
            None
        } else {
            Some(kv.snapshot()?)
        };
        for key in keys {
            let partition = Partition::new(self.plan.table.number, token::token(&key), &key);
            let mark = resumed.take().filter(|mark| mark.partition == key);
            let flow = match &snapshot {
                None => self.single(&self.pace.over(&**kv), &partition).await,
                Some(snapshot) => {
                    let snapshot = self.pace.over(&**snapshot);
                    self.partition(&snapshot, &partition, mark).await
                }
            };
            // Moved: a share of a key that nobody shares yet allocates.
            self.reading = Some(partition);
            if flow? == Flow::Stop || self.sink.ends_with_partition() {
                break;
            }
            self.end_read(true);
            self.reading = None;
        }
        Ok(())
    }

    /// A partition of a table without clustering columns: its one row.
    async fn single(&mut self, kv: &dyn KvRead, partition: &Partition) -> Result<Flow> {
        self.sink.partition(None)?;
        let stored = kv.get(&partition.row_key(&[])).await?;
        match stored.as_deref().and_then(Row::read) {
            Some(row) if self.met(&row, None, 0)? => {
                self.stored_row(partition, &Bytes::new(), &row, None, None)
            }
            _ => Ok(Flow::On),
        }
    }

    /// The slices of a partition.
    pub(super) async fn partition(
        &mut self,
        kv: &dyn KvRead,
        partition: &Partition,
        mark: Option<Mark>,
    ) -> Result<Flow> {
        let head = Head::read(kv, partition, self.plan.table.has_statics()).await?;
        let deletions = head.deletions();
        self.sink
            .partition(mark.as_ref().map(|mark| mark.left_of_partition))?;
        let reverse = self.plan.reverse;
        let left = mark
            .as_ref()
            .and_then(|mark| Some(behind(&self.slices, mark.position.as_ref()?, reverse)));
        let slices = left.as_ref().unwrap_or(&self.slices);
        let mut cursor = Cursor::slices(kv, partition, slices, reverse, self.wanted);
        let statics = statics(head.static_row.as_deref(), &deletions);
        let mut shown = mark.is_some();
        let mut ahead = Ahead::new(&deletions, slices, reverse);
        while let Some((place, stored)) = cursor.next().await? {
            let enclosing = deletions.at(&place.position);
            let Some(row) = Row::read(&stored) else { continue };
            if !self.met(&row, enclosing, ahead.before(&place.position))? {
                continue;
            }
            shown = true;
            match self.stored_row(partition, &place.position, &row, enclosing, statics)? {
                Flow::On => {}
                Flow::NextPartition => return Ok(Flow::On),
                Flow::Stop => return Ok(Flow::Stop),
            }
        }
        self.passed(ahead.rest())?;
        if shown {
            Ok(Flow::On)
        } else {
            self.static_alone(partition, statics)
        }
    }

    fn lives(&self, row: &Row<'_>, enclosing: Option<Deletion>) -> bool {
        if self.plan.table.is_strict() {
            row.is_marked_at(self.now, enclosing)
        } else {
            row.lives_at(self.now, enclosing)
        }
    }

    /// A row that lives.
    fn stored_row(
        &mut self,
        partition: &Partition,
        position: &Bytes,
        row: &Row<'_>,
        enclosing: Option<Deletion>,
        statics: Option<(Row<'_>, Option<Deletion>)>,
    ) -> Result<Flow> {
        let table = &self.plan.table;
        let mut values = assemble::Values::new(table, self.plan.selection.with_times);
        values.partition_key(table, partition.key_bytes());
        values.clustering(table, position)?;
        if let Some((statics, deletion)) = statics {
            values.row(table, &statics, self.now, deletion);
        }
        values.row(table, row, self.now, enclosing);
        self.sink.row(partition, Some(position), &values)
    }

    /// A partition of which nothing but static columns is there.
    fn static_alone(
        &mut self,
        partition: &Partition,
        statics: Option<(Row<'_>, Option<Deletion>)>,
    ) -> Result<Flow> {
        let Some((row, deletion)) = statics.filter(|_| self.plan.shows_static_alone) else {
            return Ok(Flow::On);
        };
        if !row.lives_at(self.now, deletion) {
            return Ok(Flow::On);
        }
        let mut values = assemble::Values::new(&self.plan.table, self.plan.selection.with_times);
        values.partition_key(&self.plan.table, partition.key_bytes());
        values.row(&self.plan.table, &row, self.now, deletion);
        match self.sink.row(partition, None, &values)? {
            Flow::NextPartition => Ok(Flow::On),
            flow => Ok(flow),
        }
    }

    /// Reads what an earlier page left of the partition at `mark`, and gives it; `None`: nothing more is wanted.
    async fn taken_up(&mut self, kv: &dyn KvRead, mark: Mark) -> Result<Option<Partition>> {
        let token = token::token(&mark.partition);
        let partition = Partition::new(self.plan.table.number, token, &mark.partition);
        self.reading = Some(partition.clone());
        if mark.position.is_some() && self.partition(kv, &partition, Some(mark)).await? == Flow::Stop {
            return Ok(None);
        }
        Ok(Some(partition))
    }

    /// Every partition between two tokens.
    async fn range(&mut self, kv: &Arc<dyn Kv>, range: TokenRange, mark: Option<Mark>) -> Result<()> {
        let snapshot = kv.snapshot()?;
        let snapshot = self.pace.over(&*snapshot);
        let resume = match mark {
            None => None,
            Some(mark) => match self.taken_up(&snapshot, mark).await? {
                None => return Ok(()),
                partition => partition,
            },
        };
        let token = |partition: &Partition| Bound::Included(partition.token());
        let from = resume.as_ref().map_or(range.from, token);
        let mut cursor = Cursor::tokens(&snapshot, self.plan.table.number, from, range.to, self.wanted);
        if let Some(partition) = &resume {
            cursor.resume(partition, None);
        }
        let mut ahead = cursor.next().await?;
        while let Some((place, stored)) = ahead.take() {
            let partition = place.partition.clone();
            self.sink.partition(None)?;
            let mut item = Some((place, stored));
            // What was deleted of a partition lies before everything else of it.
            let record = match item.take_if(|(place, _)| place.part == Part::Deletions) {
                Some((_, record)) => {
                    item = cursor.next().await?;
                    Some(record)
                }
                None => None,
            };
            let deletions = Deletions::of(record.as_deref());
            let mut static_row = None;
            self.reading = Some(partition.clone());
            let mut ranges = Ahead::new(&deletions, &self.slices, false);
            let mut shown = false;
            let mut wanted = true;
            while let Some((place, stored)) = item.take() {
                if place.partition != partition {
                    ahead = Some((place, stored));
                    break;
                }
                match place.part {
                    Part::Static => static_row = Some(stored),
                    Part::Row if wanted => {
                        let statics = static_row.as_deref();
                        self.passed(ranges.before(&place.position))?;
                        let flow = self.scanned(&deletions, statics, (&place, &stored), &mut shown)?;
                        match flow {
                            Flow::On => {}
                            Flow::NextPartition => wanted = false,
                            Flow::Stop => return Ok(()),
                        }
                    }
                    Part::Row | Part::Deletions => {}
                }
                item = cursor.next().await?;
            }
            self.passed(if wanted { ranges.rest() } else { 0 })?;
            if !shown {
                let statics = statics(static_row.as_deref(), &deletions);
                if self.static_alone(&partition, statics)? == Flow::Stop {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// A row met by a scan.
    pub(super) fn scanned(
        &mut self,
        deletions: &Deletions<'_>,
        static_row: Option<&[u8]>,
        (place, stored): (&Place, &[u8]),
        shown: &mut bool,
    ) -> Result<Flow> {
        let Place {
            partition, position, ..
        } = place;
        let enclosing = deletions.at(position);
        let Some(row) = Row::read(stored).filter(|_| Slice::any_holds(&self.slices, position)) else {
            return Ok(Flow::On);
        };
        if !self.met(&row, enclosing, 0)? {
            return Ok(Flow::On);
        }
        *shown = true;
        let statics = statics(static_row, deletions);
        self.stored_row(partition, position, &row, enclosing, statics)
    }
}

/// The static row of a partition, with what deleted all of it.
fn statics<'r>(stored: Option<&'r [u8]>, deletions: &Deletions<'_>) -> Option<(Row<'r>, Option<Deletion>)> {
    stored.and_then(Row::read).map(|row| (row, deletions.partition))
}

/// What of `slices` lies behind a position, in the direction of reading.
fn behind(slices: &[Slice], position: &[u8], reverse: bool) -> Vec<Slice> {
    let mut next = position.to_vec();
    next.push(0);
    let cut = |slice: &Slice| {
        let mut slice = slice.clone();
        if reverse {
            let end = slice
                .to
                .take()
                .map_or(position.to_vec(), |to| to.min(position.to_vec()));
            slice.to = Some(end);
        } else {
            slice.from = slice.from.max(next.clone());
        }
        slice
    };
    let holds = |slice: &Slice| slice.to.as_ref().is_none_or(|to| slice.from < *to);
    slices.iter().map(cut).filter(holds).collect()
}
