//! Rows found by an index: its entries lead to rows, and whether a row is wanted is tested on the row itself.
//!
//! Entries of one term lie in the order of the table's rows, so that paging works as it does without an index. Those of
//! several terms are brought into that order first; where they are too many for that, every row is read instead.

use super::{execute::Run, paging::Mark, sink::Flow};
use crate::{
    core::{
        schema::Table,
        types::{CqlType, token},
    },
    error::Result,
    state::{
        indexes::{self, Span},
        rows::{Head, Partition, Place},
    },
    statements::{
        restrictions::{Driver, Lookup, Partitions, TokenRange},
        terms::Values,
    },
};
use bytes::Bytes;
use std::collections::{BTreeSet, VecDeque, btree_set};
use storage::{Kv, KvRead, Page, Scan};

/// Entries of several terms that are brought into order at the most.
const SORTED_MAX: usize = 1 << 16;

/// Entries that are followed at once at the most.
const FOLLOWED_MAX: usize = 256;

/// The lookup that promises the fewest entries, of the indexes that may be used.
pub(super) fn choose<'p>(
    kv: &dyn Kv,
    table: &Table,
    drivers: &'p [Driver],
    values: &Values<'_>,
    is_usable: &dyn Fn(&Driver) -> bool,
) -> Result<Option<Lookup<'p>>> {
    let mut best: Option<(u64, Lookup<'p>)> = None;
    let built = || drivers.iter().filter(|driver| is_usable(driver));
    let is_only = built().count() == 1;
    for driver in built() {
        let lookup = driver.lookup(table, values)?;
        let entries = if is_only {
            0
        } else {
            kv.estimate(&lookup.terms.scan())?.1
        };
        if best.as_ref().is_none_or(|(fewest, _)| entries < *fewest) {
            best = Some((entries, lookup));
        }
    }
    Ok(best.map(|(_, lookup)| lookup))
}

/// Where entries lead, in the order of the table's rows.
enum Places<'a> {
    /// Entries of one term, read page by page.
    OfTerm {
        kv: &'a dyn KvRead,
        scans: VecDeque<Scan>,
        /// What the key of an entry holds before its tail.
        prefix_bytes: usize,
    },
    /// Tails of entries that were read and brought into order.
    Sorted(btree_set::IntoIter<Bytes>),
}

impl Places<'_> {
    /// The tails of the next ones, `count` at the most; none where there are no more.
    async fn next(&mut self, count: usize) -> Result<Vec<Bytes>> {
        match self {
            Places::Sorted(tails) => Ok(tails.by_ref().take(count).collect()),
            Places::OfTerm {
                kv,
                scans,
                prefix_bytes,
            } => {
                while let Some(scan) = scans.pop_front() {
                    let page = Page {
                        items_max: count,
                        ..Page::default()
                    };
                    let page = kv.scan(scan, page).await?;
                    page.next.into_iter().for_each(|next| scans.push_front(next));
                    if !page.items.is_empty() {
                        let tail = |(key, _): (Bytes, Bytes)| key.slice((*prefix_bytes).min(key.len())..);
                        return Ok(page.items.into_iter().map(tail).collect());
                    }
                }
                Ok(Vec::new())
            }
        }
    }
}

/// The tails of all entries between two terms, in order; `None` where there are too many.
async fn sorted(
    kv: &dyn KvRead,
    lookup: &Lookup<'_>,
    kind: &CqlType,
    span: &Span,
) -> Result<Option<BTreeSet<Bytes>>> {
    let mut tails = BTreeSet::new();
    let mut scan = Some(lookup.terms.scan());
    while let Some(next) = scan {
        let page = kv.scan(next, Page::default()).await?;
        let found = page
            .items
            .iter()
            .filter_map(|(key, _)| indexes::tail_of(key, kind));
        tails.extend(found.filter(|tail| span.holds(tail)));
        if tails.len() > SORTED_MAX {
            return Ok(None);
        }
        scan = page.next;
    }
    Ok(Some(tails))
}

/// Where the wanted partitions lie among the tails of entries, behind what was answered before.
fn spans(table: &Table, partitions: &Partitions, of_partitions: bool, mark: Option<&Mark>) -> Vec<Span> {
    let partition = |key: &Bytes| Partition::new(table.number, token::token(key), key);
    let mut spans: Vec<Span> = match partitions {
        Partitions::Keys(keys) => keys
            .clone()
            .map(|key| Span::of_partition(&partition(&key)))
            .collect(),
        Partitions::Range(TokenRange { from, to }) => vec![Span::of_tokens(*from, *to)],
    };
    if let Some(mark) = mark {
        let partition = partition(&mark.partition);
        let from = match &mark.position {
            // Rows of that partition may be left.
            Some(_) if of_partitions => partition.static_key(),
            Some(position) => partition.row_key(&[position, &[0][..]].concat()),
            None => Span::key_behind(&partition),
        };
        let from = Bytes::copy_from_slice(Partition::tail(&from));
        let at = Partition::tail(partition.identity());
        let before = spans
            .iter()
            .position(|span| span.holds(at))
            .unwrap_or(spans.len());
        spans.drain(..before);
        if let Some(first) = spans.first_mut() {
            first.from = from;
        }
    }
    spans
}

impl Run<'_> {
    /// Follows the entries of `lookup`. Whether that could be done.
    pub(super) async fn indexed(
        &mut self,
        kv: &dyn KvRead,
        lookup: &Lookup<'_>,
        partitions: &Partitions,
        mark: Option<Mark>,
    ) -> Result<bool> {
        let plan = self.plan;
        let table = &plan.table;
        let of_partitions = lookup.index.is_of_partitions(table);
        let spans = spans(table, partitions, of_partitions, mark.as_ref());
        let mut places = match (&lookup.one, spans.first()) {
            (_, None) => return Ok(true),
            (Some(term), _) => Places::OfTerm {
                kv,
                scans: spans
                    .iter()
                    .map(|span| span.scan(lookup.index.number, term))
                    .collect(),
                prefix_bytes: indexes::term_prefix(lookup.index.number, term).len(),
            },
            (None, Some(span)) => match sorted(kv, lookup, lookup.index.kind(table), span).await? {
                Some(tails) => Places::Sorted(tails.into_iter()),
                None => return Ok(false),
            },
        };
        self.by_index = !of_partitions;
        if of_partitions {
            self.entries_of_partitions(kv, &mut places, mark).await?;
        } else {
            self.entries_of_rows(kv, &mut places, mark).await?;
        }
        Ok(true)
    }

    /// Follows entries that lead to whole partitions.
    async fn entries_of_partitions(
        &mut self,
        kv: &dyn KvRead,
        places: &mut Places<'_>,
        mut mark: Option<Mark>,
    ) -> Result<()> {
        loop {
            let tails = places.next(FOLLOWED_MAX).await?;
            if tails.is_empty() {
                return Ok(());
            }
            for place in tails
                .iter()
                .filter_map(|tail| indexes::place(self.plan.table.number, tail))
            {
                let resumed = mark.take().filter(|mark| mark.partition == place.partition.key());
                self.reading = Some(place.partition.clone());
                if self.partition(kv, &place.partition, resumed).await? == Flow::Stop {
                    return Ok(());
                }
            }
        }
    }

    /// Follows entries that lead to rows, many at once.
    async fn entries_of_rows(
        &mut self,
        kv: &dyn KvRead,
        places: &mut Places<'_>,
        mark: Option<Mark>,
    ) -> Result<()> {
        let number = self.plan.table.number;
        let mut followed = self.wanted.clamp(1, FOLLOWED_MAX);
        let mut within = Within::default();
        self.sink
            .partition(mark.as_ref().map(|mark| mark.left_of_partition))?;
        within.partition =
            mark.map(|mark| Partition::new(number, token::token(&mark.partition), &mark.partition));
        loop {
            let tails = places.next(followed).await?;
            if tails.is_empty() {
                return Ok(());
            }
            let places: Vec<Place> = tails
                .iter()
                .filter_map(|tail| indexes::place(number, tail))
                .collect();
            if self.follow(kv, &places, &mut within).await? == Flow::Stop {
                return Ok(());
            }
            followed = (followed * 4).min(FOLLOWED_MAX);
        }
    }

    async fn follow(&mut self, kv: &dyn KvRead, places: &[Place], within: &mut Within) -> Result<Flow> {
        let plan = self.plan;
        let (has_head, has_statics) = (!plan.table.clustering().is_empty(), plan.table.has_statics());
        let mut keys = Vec::with_capacity(places.len() + 2);
        let mut last = within.partition.as_ref().filter(|_| within.head.is_some());
        for place in places {
            if has_head && last != Some(&place.partition) {
                keys.push(place.partition.deletions_key());
                if has_statics {
                    keys.push(place.partition.static_key());
                }
                last = Some(&place.partition);
            }
            keys.push(place.partition.row_key(&place.position));
        }
        let mut found = kv.multi_get(&keys).await?.into_iter();
        for places in places.chunk_by(|one, next| one.partition == next.partition) {
            let partition = &places[0].partition;
            if within.partition.as_ref() != Some(partition) {
                self.sink.partition(None)?;
                *within = Within {
                    partition: Some(partition.clone()),
                    ..Within::default()
                };
            }
            let head = within.head.get_or_insert_with(|| {
                let mut next = |wanted: bool| if wanted { found.next().flatten() } else { None };
                Head {
                    deletions: next(has_head),
                    static_row: next(has_head && has_statics),
                }
            });
            let (deletions, statics) = (head.deletions(), head.static_row.as_deref());
            self.reading = Some(partition.clone());
            for place in places {
                let stored = found.next().flatten().filter(|_| !within.is_done);
                let Some(stored) = stored else { continue };
                match self.scanned(&deletions, statics, (place, &stored), &mut false)? {
                    Flow::On => {}
                    Flow::NextPartition => within.is_done = true,
                    Flow::Stop => return Ok(Flow::Stop),
                }
            }
        }
        Ok(Flow::On)
    }
}

/// The partition whose rows are being followed.
#[derive(Default)]
struct Within {
    partition: Option<Partition>,
    head: Option<Head>,
    /// Nothing else of it is wanted.
    is_done: bool,
}
