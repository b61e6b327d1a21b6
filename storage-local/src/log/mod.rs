//! `Log` over segment files: plain growing files where an append is acknowledged once written, pre-written ones where
//! it waits for `fdatasync`.
//!
//! Knows: segment files, their sparse indexes, the manifest that says which of them count, and how to recover them.
//! Never: what an entry means (`Framing` tells them apart), a clock.

mod append;
mod change;
mod index;
mod logs;
mod manifest;
mod open;
mod read;
mod scan;
mod segment;
mod spares;
mod view;

#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod tests;

#[cfg(feature = "internals")]
pub(crate) use index::Index;
pub(crate) use logs::LocalLogs;

use crate::work::{Chores, SyncQueue, Syncable};
use append::Writer;
use parking_lot::{Mutex, RwLock};
use segment::OpenFiles;
use std::{
    ops::Range,
    path::Path,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
};
use storage::{
    Appended, Chunk, Durability, Entry, Log, LogOptions, LogRange, Pending, ReadLimit, ReadSlices, Result,
    StorageError, Timestamped,
};
use tokio::sync::watch;
use view::View;

/// Who waits for the disk in place of those who call.
pub(crate) struct Threads {
    pub(crate) syncs: Arc<SyncQueue>,
    pub(crate) openings: Chores,
    pub(crate) chores: Chores,
}

/// What the logs of a directory share.
pub(crate) struct Shared {
    files: OpenFiles,
    threads: Threads,
    spares: spares::Spares,
    /// Held for as long as anything may still touch the directory.
    _lock: Arc<crate::lease::LockFile>,
}

/// One open log. Locks are taken in the order of the fields.
pub(crate) struct LocalLog {
    this: Weak<LocalLog>,
    shared: Arc<Shared>,
    dir: Arc<Path>,
    /// Held across each change of what the log consists of.
    changes: Mutex<()>,
    /// Held while bytes are written; never by readers.
    writer: Mutex<Writer>,
    /// What readers see. Held for moments, never across a system call.
    view: RwLock<View>,
    options: RwLock<Arc<LogOptions>>,
    /// Offset below which everything is on stable storage, or why that cannot be said any more.
    synced: watch::Sender<Result<u64>>,
    /// A request to sync is queued.
    sync_queued: AtomicBool,
    /// A request for a checkpoint is queued.
    checkpoint_queued: AtomicBool,
}

impl LocalLog {
    fn options(&self) -> Arc<LogOptions> {
        self.options.read().clone()
    }

    /// Runs `job`, one of a log at a time, on a thread for chores, so that it does not hold up the caller's.
    fn chore<T: Send + 'static>(
        &self,
        job: impl FnOnce(&LocalLog) -> Result<T> + Send + 'static,
    ) -> Pending<'_, T> {
        let Some(this) = self.this.upgrade() else {
            return Box::pin(std::future::ready(Err(StorageError::Removed)));
        };
        Box::pin(self.shared.threads.chores.run(move || {
            let _changes = this.changes.lock();
            this.writer.lock().check()?;
            job(&this)
        }))
    }
}

impl Log for LocalLog {
    fn range(&self) -> LogRange {
        let (start, end, bytes) = {
            let view = self.view.read();
            (view.start, view.end, view.bytes())
        };
        let durable_end = match self.options().durability {
            Durability::Memory | Durability::Written => end,
            Durability::Synced | Durability::Remote => self
                .synced
                .borrow()
                .as_ref()
                .map_or(start, |synced| *synced)
                .min(end),
        };
        LogRange {
            start,
            end,
            durable_end,
            bytes,
        }
    }

    fn append(&self, entries: &[Entry]) -> Result<Appended> {
        self.append_now(entries)
    }

    fn read(&self, from: u64, limit: ReadLimit) -> Pending<'_, ReadSlices> {
        Box::pin(std::future::ready(self.read_now(from, limit)))
    }

    fn first_at(&self, timestamp_ms: i64) -> Pending<'_, Option<Timestamped>> {
        Box::pin(std::future::ready(self.first_at_now(timestamp_ms)))
    }

    fn trim(&self, before: u64) -> Pending<'_, ()> {
        self.chore(move |log| log.trim_now(before))
    }

    fn truncate(&self, end: u64) -> Pending<'_, ()> {
        self.chore(move |log| log.truncate_now(end))
    }

    fn chunks(&self) -> Vec<Chunk> {
        self.view.read().chunks()
    }

    fn written_ms(&self, first: u64) -> Option<i64> {
        let segment = self.view.read().segment(first)?;
        segment.written_ms()
    }

    fn roll(&self) -> Result<()> {
        let mut writer = self.writer.lock();
        writer.check()?;
        self.roll_now(&mut writer)
    }

    fn rewrite(&self, chunks: Range<u64>, entries: Vec<Entry>) -> Pending<'_, ()> {
        self.chore(move |log| log.rewrite_now(&chunks, &entries))
    }

    fn sync(&self) -> Pending<'_, u64> {
        Box::pin(async {
            self.writer.lock().check()?;
            let end = self.view.read().end;
            let mut synced = self.synced.subscribe();
            self.request_sync();
            let reached = synced
                .wait_for(|state| !matches!(state, Ok(at) if *at < end))
                .await;
            reached.map_err(|_| StorageError::Removed)?.clone()
        })
    }

    fn settle(&self) -> Pending<'_, ()> {
        if self.writer.lock().unchecked == 0 {
            return Box::pin(std::future::ready(Ok(())));
        }
        self.chore(|log| {
            log.writer.lock().unchecked = 0;
            log.checkpoint_now().map(drop)
        })
    }

    fn configure(&self, options: LogOptions) {
        *self.options.write() = Arc::new(options);
    }
}

impl LocalLog {
    /// Asks the sync thread to bring this log to stable storage, with others that ask at the same time.
    fn request_sync(&self) {
        if !self.sync_queued.swap(true, Ordering::AcqRel)
            && let Some(this) = self.this.upgrade()
        {
            self.shared.threads.syncs.push(this);
        }
    }

    fn sync_files(&self) -> Result<u64> {
        let unsynced = self.view.read().unsynced();
        for segment in unsynced.closed.iter().chain(&unsynced.active) {
            match self.shared.files.get(segment) {
                // Trimmed or replaced since the view was looked at: nothing of it counts any more.
                Err(error) if segment::is_gone(&error) => {}
                file => file?.sync_data()?,
            }
        }
        if unsynced.names {
            manifest::sync_dir(&self.dir)?;
        }
        self.view.write().note_synced(&unsynced);
        Ok(unsynced.end)
    }
}

impl Syncable for LocalLog {
    fn sync_now(&self) {
        self.sync_queued.store(false, Ordering::Release);
        let synced = self.sync_files();
        self.synced.send_if_modified(|state| match (&mut *state, synced) {
            (Ok(at), Ok(end)) if *at >= end => false,
            // Once a sync failed nobody knows which bytes the kernel dropped: the log stays refused until reopened.
            (Err(_), _) => false,
            (_, synced) => {
                *state = synced;
                true
            }
        });
    }
}
