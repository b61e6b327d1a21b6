use super::Ownership;
use crate::{
    Appended, Chunk, Entry, EntryMeta, Log, LogOptions, LogRange, Logs, Pending, ReadLimit, ReadSlices,
    Result, Slice, StorageError, Ticket, Timestamped, Volume,
};
use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use std::{future::ready, ops::Range, sync::Arc};

/// The logs of a store, as one owner sees them.
pub(super) struct MemoryLogs {
    owner: Ownership,
}

impl MemoryLogs {
    pub(super) fn new(owner: Ownership) -> Self {
        MemoryLogs { owner }
    }
}

impl Logs for MemoryLogs {
    fn open<'a>(&'a self, name: &'a str, options: LogOptions) -> Pending<'a, Arc<dyn Log>> {
        let opened = self.owner.check().map(|()| {
            let mut logs = self.owner.store.logs.lock();
            let log = logs
                .entry(name.to_owned())
                .or_insert_with(|| Arc::new(MemoryLog::new(options.chunk_bytes_max)))
                .clone();
            log.state.lock().chunk_bytes_max = options.chunk_bytes_max;
            let owned: Arc<dyn Log> = Arc::new(OwnedLog {
                owner: self.owner.clone(),
                log,
            });
            owned
        });
        Box::pin(ready(opened))
    }

    fn list(&self) -> Pending<'_, Vec<String>> {
        let mut names: Vec<String> = self.owner.store.logs.lock().keys().cloned().collect();
        names.sort();
        Box::pin(ready(Ok(names)))
    }

    fn volume(&self) -> Option<Volume> {
        None
    }

    fn remove<'a>(&'a self, name: &'a str) -> Pending<'a, ()> {
        let removed = self.owner.check().map(|()| {
            if let Some(log) = self.owner.store.logs.lock().remove(name) {
                log.state.lock().removed = true;
            }
        });
        Box::pin(ready(removed))
    }
}

/// A log as its store keeps it.
pub(super) struct MemoryLog {
    state: Mutex<State>,
}

struct State {
    chunk_bytes_max: u64,
    removed: bool,
    start: u64,
    end: u64,
    /// Never empty; only the last one is appended to.
    chunks: Vec<Run>,
}

struct Run {
    first: u64,
    bytes: u64,
    entries: Vec<(EntryMeta, Bytes)>,
}

impl Run {
    fn new(first: u64) -> Self {
        Run {
            first,
            bytes: 0,
            entries: Vec::new(),
        }
    }

    fn push(&mut self, entry: &Entry) {
        let mut bytes = BytesMut::with_capacity(entry.head.len() + entry.body.len());
        bytes.extend_from_slice(&entry.head);
        bytes.extend_from_slice(&entry.body);
        self.bytes += u64::from(entry.meta.bytes);
        self.entries.push((entry.meta, bytes.freeze()));
    }
}

impl MemoryLog {
    fn new(chunk_bytes_max: u64) -> Self {
        MemoryLog {
            state: Mutex::new(State {
                chunk_bytes_max,
                removed: false,
                start: 0,
                end: 0,
                chunks: vec![Run::new(0)],
            }),
        }
    }
}

impl State {
    fn out_of_range(&self, offset: u64) -> StorageError {
        StorageError::OutOfRange {
            offset,
            start: self.start,
            end: self.end,
        }
    }

    fn append(&mut self, entries: &[Entry]) -> Result<u64> {
        let mut end = self.end;
        for entry in entries {
            if entry.meta.first < end || entry.meta.last < entry.meta.first {
                return Err(self.out_of_range(entry.meta.first));
            }
            end = entry.meta.last + 1;
        }
        let bytes: u64 = entries.iter().map(|entry| u64::from(entry.meta.bytes)).sum();
        let full = self
            .chunks
            .last()
            .is_some_and(|run| run.bytes > 0 && run.bytes + bytes > self.chunk_bytes_max);
        if full {
            self.roll();
        }
        if let Some(run) = self.chunks.last_mut() {
            entries.iter().for_each(|entry| run.push(entry));
        }
        self.end = end;
        Ok(end)
    }

    fn roll(&mut self) {
        if self.chunks.last().is_some_and(|run| !run.entries.is_empty()) {
            self.chunks.push(Run::new(self.end));
        }
    }

    fn read(&self, from: u64, limit: ReadLimit) -> Result<ReadSlices> {
        if from < self.start || from > self.end {
            return Err(self.out_of_range(from));
        }
        let mut answer = ReadSlices::default();
        for (meta, bytes) in self.from(from) {
            let fits = answer.bytes + bytes.len() <= limit.bytes_max;
            let first = answer.slices.is_empty() && limit.at_least_one;
            if meta.first >= limit.before || !(fits || first) {
                break;
            }
            answer.bytes += bytes.len();
            answer.slices.push(Slice::Memory(bytes.clone()));
        }
        Ok(answer)
    }

    fn from(&self, offset: u64) -> impl Iterator<Item = &(EntryMeta, Bytes)> {
        let run = self
            .chunks
            .partition_point(|run| run.first <= offset)
            .saturating_sub(1);
        self.chunks[run..]
            .iter()
            .flat_map(|run| &run.entries)
            .skip_while(move |(meta, _)| meta.last < offset)
    }

    fn trim(&mut self, before: u64) -> Result<()> {
        if before > self.end {
            return Err(self.out_of_range(before));
        }
        self.start = self.start.max(before);
        if self.start == self.end {
            self.roll();
        }
        while self.chunks.len() > 1 && self.chunks[1].first <= self.start {
            self.chunks.remove(0);
        }
        Ok(())
    }

    fn truncate(&mut self, end: u64) {
        if end >= self.end {
            return;
        }
        self.chunks.retain(|run| run.first < end);
        self.start = self.start.min(end);
        match self.chunks.last_mut() {
            Some(run) => {
                while run.entries.last().is_some_and(|(meta, _)| meta.first >= end) {
                    run.bytes -= run.entries.pop().map_or(0, |(meta, _)| u64::from(meta.bytes));
                }
                self.end = run
                    .entries
                    .last()
                    .map_or(run.first, |(meta, _)| meta.last + 1)
                    .max(self.start);
            }
            None => {
                self.chunks.push(Run::new(end));
                self.end = end;
            }
        }
    }

    fn chunks(&self) -> Vec<Chunk> {
        let ends = self.chunks.iter().skip(1).map(|run| run.first).chain([self.end]);
        let last = self.chunks.len() - 1;
        let describe = |(at, (run, end)): (usize, (&Run, u64))| Chunk {
            first: run.first,
            end,
            bytes: run.bytes,
            timestamp_max_ms: run.entries.iter().map(|(meta, _)| meta.timestamp_max_ms).max(),
            closed: at < last,
        };
        self.chunks.iter().zip(ends).enumerate().map(describe).collect()
    }

    fn rewrite(&mut self, chunks: &Range<u64>, entries: &[Entry]) -> Result<()> {
        let closed = &self.chunks[..self.chunks.len() - 1];
        let from = closed.partition_point(|run| run.first < chunks.start);
        let to = closed.partition_point(|run| run.first < chunks.end);
        if from >= to {
            return match entries.first() {
                Some(entry) => Err(self.out_of_range(entry.meta.first)),
                None => Ok(()),
            };
        }
        let mut next = self.chunks[from].first;
        let bound = self.chunks[to].first;
        let mut runs = vec![Run::new(next)];
        for entry in entries {
            if entry.meta.first < next || entry.meta.last >= bound {
                return Err(self.out_of_range(entry.meta.first));
            }
            next = entry.meta.last + 1;
            let bytes = u64::from(entry.meta.bytes);
            if runs
                .last()
                .is_some_and(|run| run.bytes > 0 && run.bytes + bytes > self.chunk_bytes_max)
            {
                runs.push(Run::new(entry.meta.first));
            }
            if let Some(run) = runs.last_mut() {
                run.push(entry);
            }
        }
        runs.retain(|run| !run.entries.is_empty());
        self.chunks.splice(from..to, runs);
        Ok(())
    }
}

/// A log as one owner sees it.
struct OwnedLog {
    owner: Ownership,
    log: Arc<MemoryLog>,
}

impl OwnedLog {
    fn reading<T>(&self, read: impl FnOnce(&State) -> Result<T>) -> Result<T> {
        let state = self.log.state.lock();
        if state.removed {
            return Err(StorageError::Removed);
        }
        read(&state)
    }

    fn writing<T>(&self, write: impl FnOnce(&mut State) -> Result<T>) -> Result<T> {
        self.owner.check()?;
        let mut state = self.log.state.lock();
        if state.removed {
            return Err(StorageError::Removed);
        }
        write(&mut state)
    }
}

impl Log for OwnedLog {
    fn range(&self) -> LogRange {
        let state = self.log.state.lock();
        LogRange {
            start: state.start,
            end: state.end,
            durable_end: state.end,
            bytes: state.chunks.iter().map(|run| run.bytes).sum(),
        }
    }

    fn append(&self, entries: &[Entry]) -> Result<Appended> {
        let end = self.writing(|state| state.append(entries))?;
        Ok(Appended {
            end,
            ticket: Ticket::Durable,
        })
    }

    fn read(&self, from: u64, limit: ReadLimit) -> Pending<'_, ReadSlices> {
        Box::pin(ready(self.reading(|state| state.read(from, limit))))
    }

    fn first_at(&self, timestamp_ms: i64) -> Pending<'_, Option<Timestamped>> {
        let found = self.reading(|state| {
            let mut entries = state.from(state.start);
            let found = entries.find(|(meta, _)| meta.timestamp_max_ms >= timestamp_ms);
            Ok(found.map(|(meta, _)| Timestamped {
                first: meta.first,
                timestamp_max_ms: meta.timestamp_max_ms,
            }))
        });
        Box::pin(ready(found))
    }

    fn trim(&self, before: u64) -> Pending<'_, ()> {
        Box::pin(ready(self.writing(|state| state.trim(before))))
    }

    fn truncate(&self, end: u64) -> Pending<'_, ()> {
        let truncated = self.writing(|state| {
            state.truncate(end);
            Ok(())
        });
        Box::pin(ready(truncated))
    }

    fn chunks(&self) -> Vec<Chunk> {
        self.log.state.lock().chunks()
    }

    /// Memory has no clock that would tell.
    fn written_ms(&self, _first: u64) -> Option<i64> {
        None
    }

    fn roll(&self) -> Result<()> {
        self.writing(|state| {
            state.roll();
            Ok(())
        })
    }

    fn rewrite(&self, chunks: Range<u64>, entries: Vec<Entry>) -> Pending<'_, ()> {
        Box::pin(ready(self.writing(|state| state.rewrite(&chunks, &entries))))
    }

    fn sync(&self) -> Pending<'_, u64> {
        Box::pin(ready(self.writing(|state| Ok(state.end))))
    }

    fn settle(&self) -> Pending<'_, ()> {
        Box::pin(ready(Ok(())))
    }

    fn configure(&self, options: LogOptions) {
        self.log.state.lock().chunk_bytes_max = options.chunk_bytes_max;
    }
}
