//! Changes of what a log consists of. All run on the threads for chores, one of a log at a time (`LocalLog::changes`), and
//! each becomes true in one step: when the manifest is replaced.

use super::{
    LocalLog,
    append::{Writer, write_parts},
    index::Index,
    manifest::{self, Closed, Manifest},
    scan::Heads,
    segment::Segment,
    view::{Run, View},
};
use crate::work::Syncable;
use std::{
    io::{Read, Seek},
    ops::Range,
    sync::Arc,
};
use storage::{Durability, Entry, EntryMeta, Result, StorageError};

fn closed(run: &Run) -> Closed {
    Closed {
        base: run.segment.base,
        generation: run.segment.generation,
        bytes: run.bytes,
        timestamp_max_ms: run.timestamp_max_ms,
    }
}

/// The manifest of what `view` shows. It may be stored once all of that is synced.
fn manifest_of(view: &View) -> Manifest {
    let active = view.last();
    Manifest {
        start: view.start,
        floor: view.floor,
        closed: view.runs[..view.runs.len() - 1].iter().map(closed).collect(),
        active: active.segment.base,
        active_generation: active.segment.generation,
        checked_bytes: active.bytes,
        checked_end: view.end,
    }
}

impl LocalLog {
    /// Persists a recovery point: opening the log later checks only what was appended after it.
    pub(super) fn checkpoint_now(&self) -> Result<Manifest> {
        let (manifest, index, active) = {
            let view = self.view.read();
            view.check()?;
            (
                manifest_of(&view),
                view.index.clone(),
                view.last().segment.clone(),
            )
        };
        self.sync_now();
        self.synced.borrow().clone()?;
        if manifest.checked_bytes > 0 {
            // Without it the index is rebuilt at the next opening, so a failure is none of the log.
            let _ = std::fs::write(active.sidecar(), index.encode(manifest.checked_bytes));
        }
        manifest.store(&self.dir)?;
        Ok(manifest)
    }

    pub(super) fn trim_now(&self, before: u64) -> Result<()> {
        {
            let view = self.view.read();
            if before > view.end {
                return Err(view.out_of_range(before));
            }
            if before <= view.start {
                return Ok(());
            }
        }
        {
            let mut writer = self.writer.lock();
            if before == writer.end {
                self.roll_now(&mut writer)?;
            }
        }
        let dropped: Vec<Run> = {
            let mut view = self.view.write();
            view.start = before;
            let gone = view.run_of(before).min(view.runs.len() - 1);
            let dropped: Vec<Run> = view.runs.drain(..gone).collect();
            view.closed_unsynced
                .retain(|segment| !dropped.iter().any(|run| Arc::ptr_eq(&run.segment, segment)));
            view.count();
            dropped
        };
        let stored = self.checkpoint_now();
        let recycle = self.options().durability >= Durability::Synced;
        for run in &dropped {
            if !(recycle && self.shared.spares.keep(&run.segment, run.bytes)) {
                run.segment.unlink();
            }
        }
        match stored {
            // On a full disk the files go first, and make the room that the manifest needs.
            Err(StorageError::Full) if !dropped.is_empty() => self.checkpoint_now().map(|_| ()),
            stored => stored.map(|_| ()),
        }
    }

    pub(super) fn truncate_now(&self, end: u64) -> Result<()> {
        let mut writer = self.writer.lock();
        if end >= writer.end {
            return Ok(());
        }
        self.sync_now();
        self.synced.borrow().clone()?;
        let (mut manifest, at, run) = {
            let view = self.view.read();
            let at = view.run_of(end);
            (manifest_of(&view), at, view.runs[at].clone())
        };
        writer.generation += 1;
        let kept = self.copy_prefix(&run, end, writer.generation)?;
        manifest.start = manifest.start.min(kept.end);
        manifest.floor = writer.generation;
        manifest.closed.truncate(at);
        manifest.active = kept.segment.base;
        manifest.active_generation = writer.generation;
        manifest.checked_bytes = kept.bytes;
        manifest.checked_end = kept.end;
        manifest.store(&self.dir)?;
        let dropped = self.replace_tail(&mut writer, &manifest, at, kept);
        dropped.iter().for_each(|run| run.segment.unlink());
        Ok(())
    }

    /// Copies the entries of `run` that start below `end` to a file of a new generation: the old one may be being read.
    fn copy_prefix(&self, run: &Run, end: u64, generation: u32) -> Result<Prefix> {
        let options = self.options();
        let base = run.segment.base.min(end);
        let segment = Segment::new(self.dir.clone(), base, generation);
        let mut prefix = Prefix {
            segment,
            bytes: 0,
            end: base,
            index: Index::new(base, options.index_interval_bytes),
        };
        if run.bytes == 0 || base == end {
            return Ok(prefix);
        }
        let file = self.shared.files.get(&run.segment)?;
        let mut heads = Heads::new(&file, &*options.framing, 0, run.bytes);
        while let Some((position, meta)) = heads.next()? {
            if meta.first >= end {
                break;
            }
            prefix.index.push(&meta, position);
            prefix.bytes = position + u64::from(meta.bytes);
            prefix.end = meta.last + 1;
        }
        if prefix.bytes > 0 {
            let mut copy = self.shared.files.create(&prefix.segment)?;
            let mut source = std::fs::File::open(run.segment.path())?;
            source.rewind()?;
            std::io::copy(&mut source.take(prefix.bytes), &mut copy)?;
            copy.sync_data()?;
            manifest::sync_dir(&self.dir)?;
        }
        Ok(prefix)
    }

    fn replace_tail(&self, writer: &mut Writer, manifest: &Manifest, at: usize, kept: Prefix) -> Vec<Run> {
        let mut view = self.view.write();
        let dropped = view.runs.split_off(at);
        view.runs.push(Run {
            segment: kept.segment,
            bytes: kept.bytes,
            timestamp_max_ms: kept.index.timestamp_max_ms(),
        });
        view.index = kept.index;
        view.start = manifest.start;
        view.end = kept.end;
        view.floor = manifest.floor;
        view.forget_marks();
        view.closed_unsynced.clear();
        view.count();
        writer.end = kept.end;
        writer.bytes = kept.bytes;
        writer.length = kept.bytes;
        writer.created = kept.bytes > 0;
        writer.torn = false;
        let _ = self.synced.send_replace(Ok(kept.end));
        dropped
    }

    pub(super) fn rewrite_now(&self, chunks: &Range<u64>, entries: &[Entry]) -> Result<()> {
        let (at, bound) = {
            let view = self.view.read();
            let closed = &view.runs[..view.runs.len() - 1];
            let from = closed.partition_point(|run| run.segment.base < chunks.start);
            let to = closed.partition_point(|run| run.segment.base < chunks.end);
            if from >= to {
                return entries
                    .first()
                    .map_or(Ok(()), |entry| Err(view.out_of_range(entry.meta.first)));
            }
            let bound = view.runs[to].segment.base;
            let mut next = view.runs[from].segment.base;
            for entry in entries {
                if entry.meta.first < next || entry.meta.last < entry.meta.first || entry.meta.last >= bound {
                    return Err(view.out_of_range(entry.meta.first));
                }
                next = entry.meta.last + 1;
            }
            (from..to, bound)
        };
        let mut manifest = self.checkpoint_now()?;
        let generation = {
            let mut writer = self.writer.lock();
            writer.generation += 1;
            writer.generation
        };
        let mut written = Vec::new();
        let stored = self
            .write_aside(
                manifest.closed[at.start].base,
                bound,
                entries,
                generation,
                &mut written,
            )
            .and_then(|()| {
                manifest.closed.splice(at.clone(), written.iter().map(closed));
                manifest.store(&self.dir)
            });
        if let Err(error) = stored {
            written.iter().for_each(|run| run.segment.unlink());
            return Err(error);
        }
        let replaced: Vec<Run> = {
            let mut view = self.view.write();
            let replaced = view.runs.splice(at, written).collect();
            view.count();
            replaced
        };
        replaced.iter().for_each(|run| run.segment.unlink());
        Ok(())
    }

    /// Writes `entries` to new closed segments and brings them to stable storage. They count once a manifest lists them.
    fn write_aside(
        &self,
        base: u64,
        bound: u64,
        entries: &[Entry],
        generation: u32,
        written: &mut Vec<Run>,
    ) -> Result<()> {
        let options = self.options();
        let mut rest = entries;
        let mut base = base;
        while let Some(first) = rest.first() {
            let base_now = if written.is_empty() {
                base
            } else {
                first.meta.first
            };
            base = base_now;
            let count = fitting(rest, options.chunk_bytes_max, base);
            let (group, after) = rest.split_at(count);
            rest = after;
            let segment = Segment::new(self.dir.clone(), base, generation);
            written.push(Run {
                segment: segment.clone(),
                bytes: 0,
                timestamp_max_ms: None,
            });
            let file = self.shared.files.create(&segment)?;
            write_parts(&file, group, 0)?;
            file.sync_data()?;
            let mut index = Index::new(base, options.index_interval_bytes);
            let bytes = index_all(&mut index, group.iter().map(|entry| &entry.meta));
            if let Some(run) = written.last_mut() {
                run.bytes = bytes;
                run.timestamp_max_ms = index.timestamp_max_ms();
            }
            self.shared.files.close(&segment, index, bytes);
        }
        debug_assert!(base <= bound);
        manifest::sync_dir(&self.dir)
    }
}

/// What is left of a segment.
struct Prefix {
    segment: Arc<Segment>,
    bytes: u64,
    end: u64,
    index: Index,
}

fn index_all<'a>(index: &mut Index, metas: impl Iterator<Item = &'a EntryMeta>) -> u64 {
    metas.fold(0, |position, meta| {
        index.push(meta, position);
        position + u64::from(meta.bytes)
    })
}

/// How many of `entries` go into one segment: at least one.
fn fitting(entries: &[Entry], bytes_max: u64, base: u64) -> usize {
    let mut bytes = 0;
    let fits = entries.iter().position(|entry| {
        bytes += u64::from(entry.meta.bytes);
        bytes > bytes_max || entry.meta.last - base > u64::from(u32::MAX)
    });
    fits.unwrap_or(entries.len()).max(1)
}
