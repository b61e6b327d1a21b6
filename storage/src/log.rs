use crate::{Durability, Pending, Result, StorageError};
use bytes::Bytes;
use std::{fs::File, sync::Arc};
use tokio::sync::watch;

/// The logs of a shard, by name.
pub trait Logs: Send + Sync {
    /// Opens the log `name`, creating it where it is absent, and recovers it: a torn tail is cut, indexes are rebuilt.
    fn open<'a>(&'a self, name: &'a str, options: LogOptions) -> Pending<'a, Arc<dyn Log>>;

    /// Names of every log there is, sorted. One that was never appended to need not be remembered.
    fn list(&self) -> Pending<'_, Vec<String>>;

    /// How large the volume is that holds the logs; `None` where there is no such thing.
    fn volume(&self) -> Option<Volume>;

    /// Removes a log and all it holds; calls under way on it answer [`StorageError::Removed`]. Absent is fine.
    fn remove<'a>(&'a self, name: &'a str) -> Pending<'a, ()>;
}

/// An append-only sequence of opaque entries. Each entry covers a range of offsets; ranges ascend and may have gaps.
pub trait Log: Send + Sync {
    /// What the log holds now.
    fn range(&self) -> LogRange;

    /// Appends `entries` together. The order is taken when this returns; [`Ticket`] says when it is durable.
    /// Appends of one log must not overlap in time: the caller holds its own lock.
    fn append(&self, entries: &[Entry]) -> Result<Appended>;

    /// Whole entries from the one that holds `from` (or the first after it), bounded by `limit`.
    fn read(&self, from: u64, limit: ReadLimit) -> Pending<'_, ReadSlices>;

    /// The first entry whose greatest timestamp is at least `timestamp_ms`.
    fn first_at(&self, timestamp_ms: i64) -> Pending<'_, Option<Timestamped>>;

    /// Makes `before` the first offset held, for good. Storage of whole chunks below it is given back.
    fn trim(&self, before: u64) -> Pending<'_, ()>;

    /// Drops every entry that starts at or after `end`.
    fn truncate(&self, end: u64) -> Pending<'_, ()>;

    /// The runs of entries that are kept and dropped as one, oldest first. The last one is being appended to.
    fn chunks(&self) -> Vec<Chunk>;

    /// When the chunk that starts at `first` was last written, in ms since 1970, as the storage itself remembers it;
    /// `None` where it does not. For entries that tell no time.
    fn written_ms(&self, first: u64) -> Option<i64>;

    /// Closes the last chunk, so that the next append starts another one.
    fn roll(&self) -> Result<()>;

    /// Replaces the closed chunks that start in `chunks` by `entries`, which lie within their offsets, in one step.
    fn rewrite(&self, chunks: std::ops::Range<u64>, entries: Vec<Entry>) -> Pending<'_, ()>;

    /// Brings all that was appended so far to stable storage; answers the offset up to which all is.
    fn sync(&self) -> Pending<'_, u64>;

    /// Has the next opening look only at what is appended from now on. What a backend that finds the end of a log by
    /// reading it back is told of a log that nobody appends to for the time being.
    fn settle(&self) -> Pending<'_, ()>;

    /// Changes options from now on.
    fn configure(&self, options: LogOptions);
}

/// The volume that logs are kept on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Volume {
    /// Its size.
    pub bytes: u64,
    /// What of it can still be written.
    pub usable_bytes: u64,
}

/// How a log is kept.
#[derive(Clone)]
pub struct LogOptions {
    /// How entries are told apart in raw bytes.
    pub framing: Arc<dyn Framing>,
    /// Bytes after which a chunk is closed.
    pub chunk_bytes_max: u64,
    /// Bytes of entries between two places of the sparse index.
    pub index_interval_bytes: u32,
    /// What an append promises: [`Ticket::wait`] answers once it is this durable.
    pub durability: Durability,
}

/// Tells entries apart in raw bytes, so that a backend that keeps them back to back can find them after a crash.
/// Pure: called at any time, on any bytes, torn ones included.
pub trait Framing: Send + Sync {
    /// Bytes of an entry's start that [`Framing::measure`] needs.
    fn head_bytes(&self) -> usize;

    /// The whole length and range of the entry whose first [`Framing::head_bytes`] are `head`, unchecked;
    /// `None` where they cannot be an entry's start, as zeroes never can: backends may write them ahead of data.
    fn measure(&self, head: &[u8]) -> Option<EntryMeta>;

    /// Whether `entry`, as long as measured, is whole (its checksum holds).
    fn verify(&self, entry: &[u8]) -> bool;
}

/// Where an entry lies, and how long it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryMeta {
    /// First offset covered.
    pub first: u64,
    /// Last offset covered.
    pub last: u64,
    /// Greatest timestamp within, in ms since 1970.
    pub timestamp_max_ms: i64,
    /// Length in bytes.
    pub bytes: u32,
}

/// One entry to append: its bytes in parts, so that a header can be stamped without copying what follows it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Where it lies. `bytes` equals the parts' lengths together.
    pub meta: EntryMeta,
    /// Its first bytes.
    pub head: Bytes,
    /// Its remaining bytes.
    pub body: Bytes,
}

/// What a log holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogRange {
    /// First offset held.
    pub start: u64,
    /// Next offset to be written.
    pub end: u64,
    /// Every offset below is as durable as [`LogOptions::durability`] asks.
    pub durable_end: u64,
    /// Bytes held.
    pub bytes: u64,
}

/// The order an append was given.
#[derive(Debug)]
pub struct Appended {
    /// Next offset to be written.
    pub end: u64,
    /// Answers when the append is durable.
    pub ticket: Ticket,
}

/// The acknowledgement of an append.
#[derive(Debug)]
pub enum Ticket {
    /// Already as durable as asked.
    Durable,
    /// Durable once the watched offset reaches `end`; the sender is dropped where the log failed or was removed.
    Pending {
        /// The offset to wait for.
        end: u64,
        /// The log's durable end, or the failure that stopped it.
        durable_end: watch::Receiver<Result<u64>>,
    },
}

impl Ticket {
    /// Answers when the append is durable.
    pub async fn wait(self) -> Result<()> {
        let Ticket::Pending { end, mut durable_end } = self else {
            return Ok(());
        };
        let reached = durable_end
            .wait_for(|state| !matches!(state, Ok(at) if *at < end))
            .await;
        reached
            .map_err(|_| StorageError::Removed)?
            .as_ref()
            .map(|_| ())
            .map_err(Clone::clone)
    }
}

/// Bounds of a read.
#[derive(Debug, Clone, Copy)]
pub struct ReadLimit {
    /// Bytes at the most, but for `at_least_one`.
    pub bytes_max: usize,
    /// Only entries that start below this offset.
    pub before: u64,
    /// Answer the first entry even where it is larger than `bytes_max`.
    pub at_least_one: bool,
}

/// Whole entries, back to back.
#[derive(Debug, Default)]
pub struct ReadSlices {
    /// The bytes, in order.
    pub slices: Vec<Slice>,
    /// Their length together.
    pub bytes: usize,
}

/// Bytes of a log where they are: in memory, or in a file that the kernel can send from by itself.
#[derive(Debug, Clone)]
pub enum Slice {
    /// In memory.
    Memory(Bytes),
    /// `bytes` of `file` from `position` on. They do not change for as long as the file is held.
    File {
        /// The open file.
        file: Arc<File>,
        /// Where the bytes start.
        position: u64,
        /// How many they are.
        bytes: usize,
    },
}

impl Slice {
    /// Length in bytes.
    pub fn len(&self) -> usize {
        match self {
            Slice::Memory(bytes) => bytes.len(),
            Slice::File { bytes, .. } => *bytes,
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes in memory, read from the file where they lie in one.
    pub fn load(&self) -> Result<Bytes> {
        match self {
            Slice::Memory(bytes) => Ok(bytes.clone()),
            Slice::File {
                file,
                position,
                bytes,
            } => {
                use std::os::unix::fs::FileExt;
                let mut buffer = vec![0; *bytes];
                file.read_exact_at(&mut buffer, *position)?;
                Ok(Bytes::from(buffer))
            }
        }
    }
}

/// An entry found by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timestamped {
    /// First offset of the entry.
    pub first: u64,
    /// Its greatest timestamp, in ms since 1970.
    pub timestamp_max_ms: i64,
}

/// A run of entries that is kept and dropped as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    /// First offset.
    pub first: u64,
    /// Next offset after it.
    pub end: u64,
    /// Bytes held.
    pub bytes: u64,
    /// Greatest timestamp within, in ms since 1970; `None` where it is empty.
    pub timestamp_max_ms: Option<i64>,
    /// No more is appended to it.
    pub closed: bool,
}
