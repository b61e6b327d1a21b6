use super::{Opened, Partition};
use crate::{core::producers::Aborted, error::ApiError};
use storage::{ReadLimit, Slice, StorageError};

/// What a fetch wants of one partition.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReadFrom {
    pub(crate) offset: u64,
    pub(crate) bytes_max: usize,
    /// Answer the first batch even where it is larger than `bytes_max`.
    pub(crate) at_least_one: bool,
    /// Only what lies below the last stable offset.
    pub(crate) committed: bool,
}

/// What a fetch finds in one partition.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) slices: Vec<Slice>,
    pub(crate) bytes: usize,
    pub(crate) high_watermark: u64,
    pub(crate) last_stable: u64,
    pub(crate) log_start: u64,
    /// For read_committed alone.
    pub(crate) aborted: Option<Vec<Aborted>>,
}

impl Opened {
    /// Where the log stands, without any of it.
    pub(crate) fn ends(&self) -> Found {
        let mut state = self.state.lock();
        let range = self.log.range();
        Found {
            high_watermark: range.durable_end,
            last_stable: state.producers.last_stable(range.durable_end),
            log_start: range.start,
            ..Found::default()
        }
    }

    /// Whole batches from `from.offset` on, and where the log stands.
    pub(crate) async fn read(&self, from: ReadFrom) -> Result<Found, ApiError> {
        let mut found = self.ends();
        let end = self.log_end();
        if from.offset < found.log_start || from.offset > end {
            return Err(StorageError::OutOfRange {
                offset: from.offset,
                start: found.log_start,
                end,
            }
            .into());
        }
        let before = match from.committed {
            true => found.last_stable,
            false => found.high_watermark,
        };
        if from.committed {
            // Before the log is read: what is trimmed meanwhile may take aborted transactions with it whose records are
            // still answered.
            let state = self.state.lock();
            let known = state.producers.transactions();
            found.aborted = Some(known.aborted_between(from.offset, before));
        }
        if from.offset < before && (from.bytes_max > 0 || from.at_least_one) {
            let limit = ReadLimit {
                bytes_max: from.bytes_max,
                before,
                at_least_one: from.at_least_one,
            };
            let read = self.log.read(from.offset, limit).await?;
            (found.slices, found.bytes) = (read.slices, read.bytes);
            self.reads.add(found.bytes);
        }
        if let Some(aborted) = &mut found.aborted
            && found.bytes == 0
        {
            aborted.clear();
        }
        Ok(found)
    }
}

impl Partition {
    /// The end of what `committed` or all readers see; `None` where its storage was never opened.
    pub(crate) fn visible_end(&self, committed: bool) -> Option<u64> {
        let opened = self.opened()?;
        Some(match committed {
            true => opened.last_stable_offset(),
            false => opened.high_watermark(),
        })
    }
}
