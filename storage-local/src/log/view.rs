//! What readers of a log see: which bytes are published, and where offsets lie in them.

use super::{
    index::{Boundary, Index},
    segment::Segment,
};
use std::sync::Arc;
use storage::{Chunk, EntryMeta, Result, StorageError};

/// Boundaries of the latest appends that are remembered exactly, so that readers at the tail need no search.
const MARKS: usize = 16;

/// A segment and how much of it is published.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) segment: Arc<Segment>,
    pub(super) bytes: u64,
    pub(super) timestamp_max_ms: Option<i64>,
}

/// Segments to sync, and the end that is on stable storage once they are.
#[derive(Debug)]
pub(super) struct Unsynced {
    pub(super) closed: Vec<Arc<Segment>>,
    pub(super) active: Option<Arc<Segment>>,
    pub(super) names_created: u64,
    /// The directory itself is to be synced too.
    pub(super) names: bool,
    pub(super) end: u64,
}

#[derive(Debug)]
pub(super) struct View {
    pub(super) start: u64,
    pub(super) end: u64,
    /// Sorted by base, never empty. The last one is being appended to; its file may not exist yet.
    pub(super) runs: Vec<Run>,
    /// Bytes of all runs but the last.
    closed_bytes: u64,
    /// Of the last run.
    pub(super) index: Index,
    marks: [Boundary; MARKS],
    mark: usize,
    /// Closed segments that hold bytes which may not be on stable storage.
    pub(super) closed_unsynced: Vec<Arc<Segment>>,
    /// Files created in the directory, and how many of them its last sync covered.
    pub(super) names_created: u64,
    pub(super) names_synced: u64,
    /// Files behind the manifest's active segment count only from this generation on.
    pub(super) floor: u32,
    pub(super) removed: bool,
}

impl View {
    pub(super) fn new(start: u64, end: u64, runs: Vec<Run>, index: Index) -> Self {
        let mut view = View {
            start,
            end,
            runs,
            closed_bytes: 0,
            index,
            marks: [Boundary::NONE; MARKS],
            mark: 0,
            closed_unsynced: Vec::new(),
            names_created: 1,
            names_synced: 0,
            floor: 0,
            removed: false,
        };
        view.count();
        view
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.removed {
            Err(StorageError::Removed)
        } else {
            Ok(())
        }
    }

    pub(super) fn out_of_range(&self, offset: u64) -> StorageError {
        StorageError::OutOfRange {
            offset,
            start: self.start,
            end: self.end,
        }
    }

    /// The run that is being appended to.
    pub(super) fn last(&self) -> &Run {
        &self.runs[self.runs.len() - 1]
    }

    pub(super) fn bytes(&self) -> u64 {
        self.closed_bytes + self.last().bytes
    }

    /// To be called where closed runs came or went.
    pub(super) fn count(&mut self) {
        self.closed_bytes = self.runs[..self.runs.len() - 1].iter().map(|run| run.bytes).sum();
    }

    /// Where run `at` ends: where the next one begins.
    pub(super) fn run_end(&self, at: usize) -> u64 {
        self.runs.get(at + 1).map_or(self.end, |next| next.segment.base)
    }

    /// The run in which `offset` lies.
    pub(super) fn run_of(&self, offset: u64) -> usize {
        self.runs
            .partition_point(|run| run.segment.base <= offset)
            .saturating_sub(1)
    }

    /// Publishes entries that lie at `position` of the last run.
    pub(super) fn publish<'a>(&mut self, entries: impl Iterator<Item = &'a EntryMeta>, mut position: u64) {
        let mut first = true;
        for meta in entries {
            if std::mem::take(&mut first) {
                self.marks[self.mark % MARKS] = Boundary {
                    offset: meta.first,
                    position,
                };
                self.mark = self.mark.wrapping_add(1);
            }
            self.index.push(meta, position);
            position += u64::from(meta.bytes);
            self.end = meta.last + 1;
        }
        let timestamp_max_ms = self.index.timestamp_max_ms();
        if let Some(run) = self.runs.last_mut() {
            run.bytes = position;
            run.timestamp_max_ms = timestamp_max_ms;
        }
    }

    /// Closes the last run and starts another; answers the index of the closed one.
    pub(super) fn roll(&mut self, next: Arc<Segment>, index: Index) -> Index {
        self.closed_unsynced.push(self.last().segment.clone());
        self.runs.push(Run {
            segment: next,
            bytes: 0,
            timestamp_max_ms: None,
        });
        self.forget_marks();
        self.count();
        std::mem::replace(&mut self.index, index)
    }

    pub(super) fn forget_marks(&mut self) {
        self.marks = [Boundary::NONE; MARKS];
    }

    /// The start of an append of the last run at exactly `offset`.
    pub(super) fn mark_at(&self, offset: u64) -> Option<Boundary> {
        self.marks.iter().find(|mark| mark.offset == offset).copied()
    }

    /// The last start of an append in the last run after `position`, up to `until` and at most `before`.
    pub(super) fn mark_within(&self, position: u64, until: u64, before: u64) -> Option<Boundary> {
        self.marks
            .iter()
            .filter(|mark| mark.position > position && mark.position <= until && mark.offset <= before)
            .max_by_key(|mark| mark.position)
            .copied()
    }

    /// What may hold bytes that are not on stable storage.
    pub(super) fn unsynced(&self) -> Unsynced {
        Unsynced {
            closed: self.closed_unsynced.clone(),
            active: (self.last().bytes > 0).then(|| self.last().segment.clone()),
            names_created: self.names_created,
            names: self.names_synced < self.names_created && self.bytes() > 0,
            end: self.end,
        }
    }

    /// Forgets the closed segments of `synced`. One that was closed meanwhile was synced while it still grew: it stays.
    pub(super) fn note_synced(&mut self, synced: &Unsynced) {
        self.closed_unsynced
            .retain(|segment| !synced.closed.iter().any(|done| Arc::ptr_eq(done, segment)));
        if synced.names {
            self.names_synced = self.names_synced.max(synced.names_created);
        }
    }

    /// The segment that starts at `first`.
    pub(super) fn segment(&self, first: u64) -> Option<Arc<Segment>> {
        let run = &self.runs[self.run_of(first)];
        (run.segment.base == first).then(|| run.segment.clone())
    }

    pub(super) fn chunks(&self) -> Vec<Chunk> {
        let last = self.runs.len() - 1;
        let describe = |(at, run): (usize, &Run)| Chunk {
            first: run.segment.base,
            end: self.run_end(at),
            bytes: run.bytes,
            timestamp_max_ms: run.timestamp_max_ms,
            closed: at < last,
        };
        self.runs.iter().enumerate().map(describe).collect()
    }
}
