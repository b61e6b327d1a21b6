use super::Ownership;
use crate::{
    Batch, Durability, Expect, Kv, KvRead, MergeFn, Op, Page, Pending, Result, Scan, ScanPage, StorageError,
};
use bytes::Bytes;
use std::{collections::BTreeMap, future::ready, ops::Bound, sync::Arc};

type Map = BTreeMap<Bytes, Bytes>;

/// One immutable map that a commit replaces; snapshots hold the one they saw.
pub(super) struct MemoryKv {
    owner: Ownership,
}

struct View(Arc<Map>);

impl MemoryKv {
    pub(super) fn new(owner: Ownership) -> Self {
        MemoryKv { owner }
    }

    fn view(&self) -> View {
        View(self.owner.store.map.lock().clone())
    }

    fn apply(&self, batch: &Batch) -> Result<()> {
        self.owner.check()?;
        let mut map = self.owner.store.map.lock();
        for (index, expect) in batch.expect.iter().enumerate() {
            let Expect::Value(key, value) = expect;
            if map.get(key) != value.as_ref() {
                return Err(StorageError::Expectation { index });
            }
        }
        let merge = self.owner.store.merge.as_ref();
        if merge.is_none() && batch.ops.iter().any(|op| matches!(op, Op::Merge(..))) {
            return Err(StorageError::Engine(
                "the store was opened without a merge function".to_owned(),
            ));
        }
        let map = Arc::make_mut(&mut map);
        for op in &batch.ops {
            change(map, op, merge);
        }
        Ok(())
    }
}

fn change(map: &mut Map, op: &Op, merge: Option<&MergeFn>) {
    match op {
        // Copied: a short value must not keep the whole buffer alive that it is a slice of.
        Op::Put(key, value) => {
            map.insert(Bytes::copy_from_slice(key), Bytes::copy_from_slice(value));
        }
        Op::Delete(key) => {
            map.remove(key);
        }
        Op::DeleteRange(from, to) => {
            if from < to {
                let gone: Vec<Bytes> = map
                    .range(from.clone()..to.clone())
                    .map(|(key, _)| key.clone())
                    .collect();
                for key in gone {
                    map.remove(&key);
                }
            }
        }
        Op::Merge(key, operand) => {
            if let Some(merge) = merge {
                let value = merge(key, map.get(key).map(Bytes::as_ref), &[operand.as_ref()]);
                map.insert(Bytes::copy_from_slice(key), Bytes::from(value));
            }
        }
    }
}

impl KvRead for View {
    fn get<'a>(&'a self, key: &'a [u8]) -> Pending<'a, Option<Bytes>> {
        Box::pin(ready(Ok(self.0.get(key).cloned())))
    }

    fn multi_get<'a>(&'a self, keys: &'a [Bytes]) -> Pending<'a, Vec<Option<Bytes>>> {
        Box::pin(ready(Ok(keys
            .iter()
            .map(|key| self.0.get(key).cloned())
            .collect())))
    }

    fn scan<'a>(&'a self, scan: Scan, page: Page) -> Pending<'a, ScanPage> {
        Box::pin(ready(Ok(scan_page(&self.0, scan, page))))
    }
}

impl KvRead for MemoryKv {
    fn get<'a>(&'a self, key: &'a [u8]) -> Pending<'a, Option<Bytes>> {
        let value = self.owner.store.map.lock().get(key).cloned();
        Box::pin(ready(Ok(value)))
    }

    fn multi_get<'a>(&'a self, keys: &'a [Bytes]) -> Pending<'a, Vec<Option<Bytes>>> {
        let view = self.view();
        Box::pin(ready(Ok(keys
            .iter()
            .map(|key| view.0.get(key).cloned())
            .collect())))
    }

    fn scan<'a>(&'a self, scan: Scan, page: Page) -> Pending<'a, ScanPage> {
        Box::pin(ready(Ok(scan_page(&self.view().0, scan, page))))
    }
}

impl Kv for MemoryKv {
    fn snapshot(&self) -> Result<Arc<dyn KvRead>> {
        Ok(Arc::new(self.view()))
    }

    fn commit(&self, batch: Batch, _durability: Durability) -> Pending<'_, ()> {
        Box::pin(ready(self.apply(&batch)))
    }

    // What is removed from a map takes no space.
    fn reclaim(&self, _scan: &Scan) {}

    fn estimate(&self, scan: &Scan) -> Result<(u64, u64)> {
        let view = self.view();
        Ok(items(&view.0, scan).fold((0, 0), |(bytes, keys), (key, value)| {
            (bytes + (key.len() + value.len()) as u64, keys + 1)
        }))
    }
}

/// The items of a scan in its order. Bounds that cross each other hold nothing, where the map itself would panic.
fn items<'a>(map: &'a Map, scan: &Scan) -> Box<dyn Iterator<Item = (&'a Bytes, &'a Bytes)> + 'a> {
    let empty = match (&scan.from, &scan.to) {
        (Bound::Included(from), Bound::Included(to)) => from > to,
        (Bound::Included(from) | Bound::Excluded(from), Bound::Included(to) | Bound::Excluded(to)) => {
            from >= to
        }
        _ => false,
    };
    if empty {
        return Box::new(std::iter::empty());
    }
    let range = map.range((scan.from.clone(), scan.to.clone()));
    if scan.reverse {
        Box::new(range.rev())
    } else {
        Box::new(range)
    }
}

fn scan_page(map: &Map, mut scan: Scan, page: Page) -> ScanPage {
    let mut answer = ScanPage::default();
    let mut bytes = 0;
    let mut more = false;
    for (key, value) in items(map, &scan) {
        bytes += key.len() + value.len();
        if !answer.items.is_empty() && (answer.items.len() >= page.items_max || bytes > page.bytes_max) {
            more = true;
            break;
        }
        answer.items.push((key.clone(), value.clone()));
    }
    if let (true, Some((last, _))) = (more, answer.items.last()) {
        let bound = Bound::Excluded(last.clone());
        if scan.reverse {
            scan.to = bound;
        } else {
            scan.from = bound;
        }
        answer.next = Some(scan);
    }
    answer
}
