use super::{Partition, Place, Slice, ordered, table_prefix, table_range};
use bytes::{BufMut, Bytes};
use std::{collections::VecDeque, ops::Bound, vec};
use storage::{KvRead, Page, Scan};

/// A page that is asked for where nobody said how many rows are wanted.
const ITEMS_MAX: usize = 256;

/// Stored rows in order, read page by page.
pub(crate) struct Cursor<'a> {
    kv: &'a dyn KvRead,
    /// What is left to read, the next first: rows one by one, then all between two.
    rows: VecDeque<Bytes>,
    scans: VecDeque<Scan>,
    items: vec::IntoIter<(Bytes, Bytes)>,
    page: Page,
}

impl<'a> Cursor<'a> {
    /// The rows of some slices of one partition. `wanted`: how many rows are likely to be read.
    pub(crate) fn slices(
        kv: &'a dyn KvRead,
        partition: &Partition,
        slices: &[Slice],
        reverse: bool,
        wanted: usize,
    ) -> Self {
        let ordered = |at: usize| if reverse { slices.len() - 1 - at } else { at };
        let slices = (0..slices.len()).map(|at| &slices[ordered(at)]);
        let row = |slice: &Slice| slice.only().map(|position| partition.row_key(position));
        let rows: Option<VecDeque<Bytes>> = slices.clone().map(row).collect();
        if let Some(rows) = rows {
            return Cursor {
                rows,
                ..Cursor::new(kv, VecDeque::new(), wanted)
            };
        }
        let scans = slices.map(|slice| partition.scan(slice, reverse));
        Cursor::new(kv, scans.collect(), wanted)
    }

    /// All that partitions between two tokens hold, partition after partition.
    pub(crate) fn tokens(
        kv: &'a dyn KvRead,
        table: u32,
        from: Bound<i64>,
        to: Bound<i64>,
        wanted: usize,
    ) -> Self {
        let at = |token: i64| {
            let mut key = table_prefix(table);
            key.put_u64(ordered(token));
            key.freeze()
        };
        let (first, past) = table_range(table);
        // The keys of a token follow the token itself, so what begins after it begins at the next one.
        let from = match from {
            Bound::Included(token) => at(token),
            Bound::Excluded(token) => token.checked_add(1).map_or_else(|| past.clone(), at),
            Bound::Unbounded => first,
        };
        let to = match to {
            Bound::Included(token) => token.checked_add(1).map_or(past, at),
            Bound::Excluded(token) => at(token),
            Bound::Unbounded => past,
        };
        let scan = Scan {
            from: Bound::Included(from),
            to: Bound::Excluded(to),
            reverse: false,
        };
        Cursor::new(kv, VecDeque::from([scan]), wanted)
    }

    /// Goes on behind a row of `partition`, or behind the whole of it, instead of where the cursor begins.
    pub(crate) fn resume(&mut self, partition: &Partition, behind: Option<&[u8]>) {
        if let Some(scan) = self.scans.front_mut() {
            scan.from = match behind {
                Some(position) => Bound::Excluded(partition.row_key(position)),
                None => Bound::Included(partition.past()),
            };
        }
    }

    fn new(kv: &'a dyn KvRead, scans: VecDeque<Scan>, wanted: usize) -> Self {
        let page = Page {
            items_max: wanted.clamp(1, ITEMS_MAX),
            ..Page::default()
        };
        Cursor {
            kv,
            rows: VecDeque::new(),
            scans,
            items: Vec::new().into_iter(),
            page,
        }
    }

    /// The next item, if there is one. Items that are no rows are passed over.
    pub(crate) async fn next(&mut self) -> storage::Result<Option<(Place, Bytes)>> {
        loop {
            for (key, value) in self.items.by_ref() {
                if let Some(place) = Place::read(&key) {
                    return Ok(Some((place, value)));
                }
            }
            if !self.rows.is_empty() {
                self.items = self.listed().await?.into_iter();
            } else if let Some(scan) = self.scans.pop_front() {
                let page = self.kv.scan(scan, self.page).await?;
                if let Some(next) = page.next {
                    self.scans.push_front(next);
                }
                self.items = page.items.into_iter();
            } else {
                return Ok(None);
            }
            // Who reads on reads more.
            self.page.items_max = (self.page.items_max * 4).min(ITEMS_MAX);
        }
    }

    /// The next rows of those that are read one by one.
    async fn listed(&mut self) -> storage::Result<Vec<(Bytes, Bytes)>> {
        let count = self.rows.len().min(self.page.items_max);
        let keys: Vec<Bytes> = self.rows.drain(..count).collect();
        let values = self.kv.multi_get(&keys).await?;
        let found = |(key, value): (Bytes, Option<Bytes>)| Some((key, value?));
        Ok(keys.into_iter().zip(values).filter_map(found).collect())
    }
}
