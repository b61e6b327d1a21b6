//! `Kv` over RocksDB: one column family, small buffers, the write-ahead log as the only thing a commit waits for.
//!
//! Knows: RocksDB. Never: what a key means.
//!
//! After a full disk RocksDB looks every five seconds whether there is room for a write buffer again, and then goes on.

use crate::{
    lease::LockFile,
    reclaim::Reclaimer,
    tuning,
    work::{SyncQueue, Syncable},
};
use bytes::Bytes;
use parking_lot::RwLock;
use rocksdb::{DB, DBRawIterator, ReadOptions, Snapshot, WriteBatch, WriteOptions, properties};
use std::{
    future::ready,
    ops::Bound,
    path::Path,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};
use storage::{
    Batch, Durability, Expect, Kv, KvRead, MergeFn, Op, Page, Pending, Result, Scan, ScanPage, Space,
    StorageError,
};
use tokio::sync::watch;

/// Up to so many items an estimate is counted instead.
const COUNTED_MAX: usize = 256;
/// What is read for it at the most.
const COUNTED_BYTES_MAX: usize = 1 << 20;

/// What an operation takes in a batch beside its bytes, and its share of what the batch takes itself.
const OP_BYTES: usize = 24;

pub(crate) struct LocalKv {
    this: Weak<LocalKv>,
    db: Arc<DB>,
    merges: bool,
    /// Held alone by a batch with expectations, shared by the others: between the check and the write nothing changes.
    commits: RwLock<()>,
    /// Commits written so far.
    written: AtomicU64,
    synced: watch::Sender<SyncRound>,
    sync_queued: AtomicBool,
    syncs: Arc<SyncQueue>,
    reclaimer: Reclaimer,
    /// Held for as long as anything may still touch the directory.
    _lock: Arc<LockFile>,
}

/// How far the write-ahead log is on stable storage.
#[derive(Default)]
struct SyncRound {
    /// Commits that are.
    done: u64,
    /// The last failure, and the commits it concerned.
    failed: Option<(u64, StorageError)>,
}

impl LocalKv {
    pub(crate) fn open(
        path: &Path,
        merge: Option<MergeFn>,
        lock: Arc<LockFile>,
        syncs: Arc<SyncQueue>,
    ) -> Result<Arc<Self>> {
        let merges = merge.is_some();
        let db = Arc::new(DB::open(&options(merge), path).map_err(engine)?);
        Ok(Arc::new_cyclic(|this| LocalKv {
            this: this.clone(),
            reclaimer: Reclaimer::new(db.clone()),
            db,
            merges,
            commits: RwLock::new(()),
            written: AtomicU64::new(0),
            synced: watch::Sender::new(SyncRound::default()),
            sync_queued: AtomicBool::new(false),
            syncs,
            _lock: lock,
        }))
    }

    /// Checks and writes; answers the number of the commit.
    fn write(&self, batch: &Batch, durability: Durability) -> Result<u64> {
        if !self.merges && batch.ops.iter().any(|op| matches!(op, Op::Merge(..))) {
            return Err(StorageError::Engine(
                "the store was opened without a merge function".to_owned(),
            ));
        }
        let mut options = WriteOptions::default();
        options.disable_wal(durability == Durability::Memory);
        if batch.expect.is_empty() {
            let _shared = self.commits.read();
            self.db.write_opt(write_batch(batch), &options).map_err(engine)?;
        } else {
            let _alone = self.commits.write();
            self.check(&batch.expect)?;
            self.db.write_opt(write_batch(batch), &options).map_err(engine)?;
        }
        Ok(self.written.fetch_add(1, Ordering::AcqRel) + 1)
    }

    fn bytes_in_files(&self, scan: &Scan) -> u64 {
        let from = match &scan.from {
            Bound::Included(key) | Bound::Excluded(key) => &key[..],
            Bound::Unbounded => &[],
        };
        let to = match &scan.to {
            Bound::Included(key) | Bound::Excluded(key) => &key[..],
            Bound::Unbounded => &[0xff; 64],
        };
        let sizes = self.db.get_approximate_sizes(&[rocksdb::Range::new(from, to)]);
        sizes.first().copied().unwrap_or_default()
    }

    fn check(&self, expect: &[Expect]) -> Result<()> {
        for (index, expect) in expect.iter().enumerate() {
            let Expect::Value(key, value) = expect;
            let found = self.db.get_pinned(key).map_err(engine)?;
            if found.as_deref() != value.as_deref() {
                return Err(StorageError::Expectation { index });
            }
        }
        Ok(())
    }

    /// Answers once commit `number` is on stable storage: many commits share one sync.
    async fn synced(&self, number: u64) -> Result<()> {
        let mut synced = self.synced.subscribe();
        if !self.sync_queued.swap(true, Ordering::AcqRel)
            && let Some(this) = self.this.upgrade()
        {
            self.syncs.push(this);
        }
        let concerns =
            |failed: &Option<(u64, StorageError)>| failed.as_ref().is_some_and(|(to, _)| *to >= number);
        let round = synced
            .wait_for(|round| round.done >= number || concerns(&round.failed))
            .await
            .map_err(|_| StorageError::Removed)?;
        match &round.failed {
            Some((_, error)) if round.done < number => Err(error.clone()),
            _ => Ok(()),
        }
    }
}

impl Syncable for LocalKv {
    fn sync_now(&self) {
        self.sync_queued.store(false, Ordering::Release);
        let written = self.written.load(Ordering::Acquire);
        let result = self.db.flush_wal(true);
        self.synced.send_modify(|round| match result {
            Ok(()) => round.done = written,
            Err(error) => round.failed = Some((written, engine(error))),
        });
    }
}

impl KvRead for LocalKv {
    fn get<'a>(&'a self, key: &'a [u8]) -> Pending<'a, Option<Bytes>> {
        Box::pin(ready(get(&self.db, key, &ReadOptions::default())))
    }

    fn multi_get<'a>(&'a self, keys: &'a [Bytes]) -> Pending<'a, Vec<Option<Bytes>>> {
        Box::pin(ready(multi_get(self.db.multi_get(keys))))
    }

    fn scan<'a>(&'a self, scan: Scan, page: Page) -> Pending<'a, ScanPage> {
        Box::pin(ready(scan_page(&self.db, scan, page, ReadOptions::default())))
    }
}

impl Kv for LocalKv {
    fn snapshot(&self) -> Result<Arc<dyn KvRead>> {
        Ok(Arc::new(View(OwnedSnapshot::new(self.db.clone(), |db| {
            db.snapshot()
        }))))
    }

    fn commit(&self, batch: Batch, durability: Durability) -> Pending<'_, ()> {
        let written = self.write(&batch, durability);
        Box::pin(async move {
            let number = written?;
            if durability >= Durability::Synced {
                self.synced(number).await?;
            }
            Ok(())
        })
    }

    fn reclaim(&self, scan: &Scan) {
        self.reclaimer.push(scan);
    }

    fn estimate(&self, scan: &Scan) -> Result<(u64, u64)> {
        let page = Page {
            items_max: COUNTED_MAX,
            bytes_max: COUNTED_BYTES_MAX,
        };
        let counted = scan_page(&self.db, scan.clone(), page, ReadOptions::default())?;
        let size = |(key, value): &(Bytes, Bytes)| (key.len() + value.len()) as u64;
        let counted_bytes = counted.items.iter().map(size).sum();
        let counted_keys = counted.items.len() as u64;
        if counted.next.is_none() {
            return Ok((counted_bytes, counted_keys));
        }
        let bytes = self.bytes_in_files(scan);
        let files = self.db.live_files().map_err(engine)?;
        let overlapping = files.iter().filter(|file| overlaps(file, scan));
        let (whole_bytes, whole_keys) = overlapping.fold((0, 0), |(bytes, keys), file| {
            (
                bytes + file.size as u64,
                keys + file.num_entries.saturating_sub(file.num_deletions),
            )
        });
        // Files hold what lies beside the scan too.
        let keys =
            u128::from(whole_keys) * u128::from(bytes.min(whole_bytes)) / u128::from(whole_bytes.max(1));
        let keys = u64::try_from(keys).unwrap_or(u64::MAX);
        Ok((bytes.max(counted_bytes), keys.max(counted_keys)))
    }

    fn space(&self) -> Result<Option<Space>> {
        let property = |name| self.db.property_int_value(name).map_err(engine);
        let files = property(properties::TOTAL_SST_FILES_SIZE)?.unwrap_or_default();
        let memory = property(properties::CUR_SIZE_ALL_MEM_TABLES)?.unwrap_or_default();
        let disk =
            rustix::fs::statvfs(self.db.path()).map_err(|error| StorageError::Engine(error.to_string()))?;
        Ok(Some(Space {
            used: files + memory,
            free: disk.f_bavail * disk.f_frsize,
        }))
    }
}

self_cell::self_cell!(
    struct OwnedSnapshot {
        owner: Arc<DB>,
        #[covariant]
        dependent: Snapshot,
    }
);

/// What a snapshot saw.
struct View(OwnedSnapshot);

impl View {
    fn options(&self) -> ReadOptions {
        let mut options = ReadOptions::default();
        options.set_snapshot(self.0.borrow_dependent());
        options
    }
}

impl KvRead for View {
    fn get<'a>(&'a self, key: &'a [u8]) -> Pending<'a, Option<Bytes>> {
        Box::pin(ready(get(self.0.borrow_owner(), key, &self.options())))
    }

    fn multi_get<'a>(&'a self, keys: &'a [Bytes]) -> Pending<'a, Vec<Option<Bytes>>> {
        Box::pin(ready(multi_get(self.0.borrow_dependent().multi_get(keys))))
    }

    fn scan<'a>(&'a self, scan: Scan, page: Page) -> Pending<'a, ScanPage> {
        Box::pin(ready(scan_page(
            self.0.borrow_owner(),
            scan,
            page,
            self.options(),
        )))
    }
}

fn options(merge: Option<MergeFn>) -> rocksdb::Options {
    let mut options = tuning::options();
    if let Some(merge) = merge {
        let fold = move |key: &[u8], value: Option<&[u8]>, operands: &rocksdb::MergeOperands| {
            let operands: Vec<&[u8]> = operands.iter().collect();
            Some(merge(key, value, &operands))
        };
        // What operands fold to is an operand: a key that is written again and again shrinks with each flush.
        options.set_merge_operator_associative("smack", fold);
    }
    options
}

fn write_batch(batch: &Batch) -> WriteBatch {
    let mut out = WriteBatch::with_capacity_bytes(batch.ops.iter().map(written_bytes).sum());
    for op in &batch.ops {
        match op {
            Op::Put(key, value) => out.put(key, value),
            Op::Delete(key) => out.delete(key),
            Op::DeleteRange(from, to) if from < to => out.delete_range(from, to),
            Op::DeleteRange(..) => {}
            Op::Merge(key, operand) => out.merge(key, operand),
        }
    }
    out
}

/// What an operation takes in a batch, at the most.
fn written_bytes(op: &Op) -> usize {
    match op {
        Op::Put(one, other) | Op::DeleteRange(one, other) | Op::Merge(one, other) => {
            OP_BYTES + one.len() + other.len()
        }
        Op::Delete(key) => OP_BYTES + key.len(),
    }
}

fn get(db: &DB, key: &[u8], options: &ReadOptions) -> Result<Option<Bytes>> {
    let value = db.get_pinned_opt(key, options).map_err(engine)?;
    Ok(value.map(|value| Bytes::copy_from_slice(&value)))
}

fn multi_get(
    values: Vec<std::result::Result<Option<Vec<u8>>, rocksdb::Error>>,
) -> Result<Vec<Option<Bytes>>> {
    values
        .into_iter()
        .map(|value| Ok(value.map_err(engine)?.map(Bytes::from)))
        .collect()
}

/// The least key at or after every key below `bound`'s end: what follows `key` directly.
fn after(key: &[u8]) -> Vec<u8> {
    let mut after = Vec::with_capacity(key.len() + 1);
    after.extend_from_slice(key);
    after.push(0);
    after
}

fn scan_page(db: &DB, mut scan: Scan, page: Page, mut options: ReadOptions) -> Result<ScanPage> {
    let from = match &scan.from {
        Bound::Included(key) => Some(key.to_vec()),
        Bound::Excluded(key) => Some(after(key)),
        Bound::Unbounded => None,
    };
    let to = match &scan.to {
        Bound::Included(key) => Some(after(key)),
        Bound::Excluded(key) => Some(key.to_vec()),
        Bound::Unbounded => None,
    };
    if let (Some(from), Some(to)) = (&from, &to)
        && from >= to
    {
        return Ok(ScanPage::default());
    }
    if let Some(from) = from {
        options.set_iterate_lower_bound(from);
    }
    if let Some(to) = to {
        options.set_iterate_upper_bound(to);
    }
    let mut cursor: DBRawIterator<'_> = db.raw_iterator_opt(options);
    if scan.reverse {
        cursor.seek_to_last();
    } else {
        cursor.seek_to_first();
    }
    let mut read = Gathered::default();
    let mut is_whole = true;
    while let Some((key, value)) = cursor.item() {
        let bytes = read.bytes.len() + key.len() + value.len();
        if !read.ends.is_empty() && (read.ends.len() >= page.items_max || bytes > page.bytes_max) {
            is_whole = false;
            break;
        }
        read.push(key, value);
        if scan.reverse {
            cursor.prev();
        } else {
            cursor.next();
        }
    }
    cursor.status().map_err(engine)?;
    let items = read.items();
    let next = if is_whole { None } else { rest(&mut scan, &items) };
    Ok(ScanPage { items, next })
}

/// The items of a page: one piece of memory for all their bytes, as most are small.
#[derive(Default)]
struct Gathered {
    bytes: Vec<u8>,
    /// Where each key and each value ends.
    ends: Vec<(usize, usize)>,
}

impl Gathered {
    fn push(&mut self, key: &[u8], value: &[u8]) {
        self.bytes.extend_from_slice(key);
        let key_end = self.bytes.len();
        self.bytes.extend_from_slice(value);
        self.ends.push((key_end, self.bytes.len()));
    }

    fn items(self) -> Vec<(Bytes, Bytes)> {
        let bytes = Bytes::from(self.bytes);
        let mut from = 0;
        let item = |(key_end, end): (usize, usize)| {
            let item = (bytes.slice(from..key_end), bytes.slice(key_end..end));
            from = end;
            item
        };
        self.ends.into_iter().map(item).collect()
    }
}

/// What is left of `scan` after `items`.
fn rest(scan: &mut Scan, items: &[(Bytes, Bytes)]) -> Option<Scan> {
    let (last, _) = items.last()?;
    let bound = Bound::Excluded(last.clone());
    if scan.reverse {
        scan.to = bound;
    } else {
        scan.from = bound;
    }
    Some(scan.clone())
}

fn overlaps(file: &rocksdb::LiveFile, scan: &Scan) -> bool {
    let begins = match (&scan.to, &file.start_key) {
        (Bound::Included(to) | Bound::Excluded(to), Some(start)) => start.as_slice() <= to,
        _ => true,
    };
    let ends = match (&scan.from, &file.end_key) {
        (Bound::Included(from) | Bound::Excluded(from), Some(end)) => end.as_slice() >= from,
        _ => true,
    };
    begins && ends
}

/// RocksDB tells only in words why the operating system refused.
fn engine(error: rocksdb::Error) -> StorageError {
    let text = error.to_string();
    let full = ["No space left", "Space limit reached", "Disk quota exceeded"];
    match error.kind() {
        rocksdb::ErrorKind::Corruption => StorageError::Corrupt(text),
        _ if full.iter().any(|words| text.contains(words)) => StorageError::Full,
        _ => StorageError::Engine(text),
    }
}
