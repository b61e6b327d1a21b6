//! A store that fails on demand, for tests: reads go on, writes are refused as by a full disk.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use storage::{
    Appended, Batch, Chunk, Durability, Entry, Kv, KvRead, Log, LogOptions, LogRange, Logs, Page, Pending,
    ReadLimit, ReadSlices, Result, Scan, ScanPage, Shard, StorageError, Timestamped, Volume,
};

/// Whether writes fail now; clones are the same switch.
#[derive(Debug, Clone, Default)]
pub(crate) struct Failing(Arc<AtomicBool>);

impl Failing {
    pub(crate) fn set(&self, fails: bool) {
        self.0.store(fails, Ordering::SeqCst);
    }

    fn check(&self) -> Result<()> {
        match self.0.load(Ordering::SeqCst) {
            true => Err(StorageError::Full),
            false => Ok(()),
        }
    }

    /// `shard`, whose writes fail while this says so.
    pub(crate) fn wrap(&self, shard: Shard) -> Shard {
        Shard {
            kv: Arc::new(FailingKv(shard.kv, self.clone())),
            logs: Arc::new(FailingLogs(shard.logs, self.clone())),
            lease: shard.lease,
        }
    }
}

struct FailingKv(Arc<dyn Kv>, Failing);

impl KvRead for FailingKv {
    fn get<'a>(&'a self, key: &'a [u8]) -> Pending<'a, Option<bytes::Bytes>> {
        self.0.get(key)
    }

    fn multi_get<'a>(&'a self, keys: &'a [bytes::Bytes]) -> Pending<'a, Vec<Option<bytes::Bytes>>> {
        self.0.multi_get(keys)
    }

    fn scan<'a>(&'a self, scan: Scan, page: Page) -> Pending<'a, ScanPage> {
        self.0.scan(scan, page)
    }
}

impl Kv for FailingKv {
    fn snapshot(&self) -> Result<Arc<dyn KvRead>> {
        self.0.snapshot()
    }

    fn commit(&self, batch: Batch, durability: Durability) -> Pending<'_, ()> {
        match self.1.check() {
            Ok(()) => self.0.commit(batch, durability),
            Err(error) => Box::pin(async { Err(error) }),
        }
    }

    fn reclaim(&self, scan: &Scan) {
        self.0.reclaim(scan);
    }

    fn estimate(&self, scan: &Scan) -> Result<(u64, u64)> {
        self.0.estimate(scan)
    }
}

struct FailingLogs(Arc<dyn Logs>, Failing);

impl Logs for FailingLogs {
    fn open<'a>(&'a self, name: &'a str, options: LogOptions) -> Pending<'a, Arc<dyn Log>> {
        Box::pin(async move {
            let log = self.0.open(name, options).await?;
            Ok(Arc::new(FailingLog(log, self.1.clone())) as Arc<dyn Log>)
        })
    }

    fn list(&self) -> Pending<'_, Vec<String>> {
        self.0.list()
    }

    fn volume(&self) -> Option<Volume> {
        self.0.volume()
    }

    fn remove<'a>(&'a self, name: &'a str) -> Pending<'a, ()> {
        self.0.remove(name)
    }
}

struct FailingLog(Arc<dyn Log>, Failing);

impl Log for FailingLog {
    fn range(&self) -> LogRange {
        self.0.range()
    }

    fn append(&self, entries: &[Entry]) -> Result<Appended> {
        self.1.check()?;
        self.0.append(entries)
    }

    fn read(&self, from: u64, limit: ReadLimit) -> Pending<'_, ReadSlices> {
        self.0.read(from, limit)
    }

    fn first_at(&self, timestamp_ms: i64) -> Pending<'_, Option<Timestamped>> {
        self.0.first_at(timestamp_ms)
    }

    fn trim(&self, before: u64) -> Pending<'_, ()> {
        self.0.trim(before)
    }

    fn truncate(&self, end: u64) -> Pending<'_, ()> {
        self.0.truncate(end)
    }

    fn chunks(&self) -> Vec<Chunk> {
        self.0.chunks()
    }

    fn written_ms(&self, first: u64) -> Option<i64> {
        self.0.written_ms(first)
    }

    fn roll(&self) -> Result<()> {
        self.0.roll()
    }

    fn rewrite(&self, chunks: std::ops::Range<u64>, entries: Vec<Entry>) -> Pending<'_, ()> {
        self.0.rewrite(chunks, entries)
    }

    fn sync(&self) -> Pending<'_, u64> {
        self.0.sync()
    }

    fn settle(&self) -> Pending<'_, ()> {
        self.0.settle()
    }

    fn configure(&self, options: LogOptions) {
        self.0.configure(options);
    }
}
