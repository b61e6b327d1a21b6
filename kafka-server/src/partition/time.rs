use super::{Opened, Partition, Unpacking, contiguous};
use crate::{
    error::ApiError,
    wire::{
        ResponseError,
        compression::CompressionError,
        records::{Batch, BatchError, Batches, Budget, Records, TimestampType},
    },
};
use std::sync::Arc;
use storage::{ReadLimit, StorageError};

/// Bytes read at once when looking on for a record by time.
const SEARCH_BYTES: usize = 256 << 10;

impl Opened {
    /// The first record whose timestamp is at least `timestamp_ms`: its timestamp and its offset.
    pub(crate) async fn first_at(
        &self,
        timestamp_ms: i64,
        unpacking: &mut Unpacking<'_>,
    ) -> Result<Option<(i64, u64)>, ApiError> {
        let Some(entry) = self.log.first_at(timestamp_ms).await? else {
            return Ok(None);
        };
        let range = self.log.range();
        let mut from = entry.first.max(range.start);
        // Records of the entry found may lie below the log's start: then the search goes on behind it.
        while from < range.end {
            let limit = ReadLimit {
                bytes_max: SEARCH_BYTES,
                before: range.end,
                at_least_one: true,
            };
            let read = contiguous(self.log.read(from, limit).await?)?;
            if read.is_empty() {
                break;
            }
            for batch in Batches::new(read) {
                let batch = batch.map_err(corrupt)?;
                if batch.header.max_timestamp >= timestamp_ms
                    && let Some(found) = find_in(&batch, timestamp_ms, range.start, unpacking).await?
                {
                    return Ok(Some(found));
                }
                from = u64::try_from(batch.header.last_offset()).unwrap_or(0) + 1;
            }
        }
        Ok(None)
    }
}

impl Partition {
    /// Forgets what lies below `before`; answers where the log starts then.
    pub(crate) async fn trim(self: &Arc<Self>, before: u64) -> Result<u64, ApiError> {
        let opened = self.open().await?;
        if before > opened.log_start() {
            opened.log.trim(before).await?;
            let mut state = opened.state.lock();
            state.producers.trim(before);
            state.epochs.trim(before);
            drop(state);
            self.waiters.wake_all();
        }
        Ok(opened.log_start())
    }
}

/// [`first_in`], on the thread that its size allows.
async fn find_in(
    batch: &Batch,
    timestamp_ms: i64,
    start: u64,
    unpacking: &mut Unpacking<'_>,
) -> Result<Option<(i64, u64)>, ApiError> {
    let mut here = unpacking.here();
    let found = first_in(batch, timestamp_ms, start, &mut here);
    if !unpacking.is_too_much(&here) {
        return found;
    }
    let batch = batch.clone();
    unpacking
        .elsewhere(move |budget| first_in(&batch, timestamp_ms, start, budget))
        .await?
}

/// The first record of `batch` at or after `timestamp_ms` and at or above `start`.
fn first_in(
    batch: &Batch,
    timestamp_ms: i64,
    start: u64,
    budget: &mut Budget,
) -> Result<Option<(i64, u64)>, ApiError> {
    let header = &batch.header;
    let stamped = header.attributes.timestamp_type() == TimestampType::LogAppendTime;
    let payload = budget.payload(batch).map_err(corrupt)?;
    for record in Records::new(&payload, header.record_count) {
        let record = record.map_err(corrupt)?;
        let time = if stamped {
            header.max_timestamp
        } else {
            record.timestamp(header)
        };
        let offset = u64::try_from(record.offset(header)).unwrap_or(0);
        if time >= timestamp_ms && offset >= start {
            return Ok(Some((time, offset)));
        }
    }
    Ok(None)
}

/// A batch that grows too large is none that the store has spoilt.
fn corrupt(why: BatchError) -> ApiError {
    match why {
        BatchError::Compression(CompressionError::TooLarge { .. }) => {
            ApiError::new(ResponseError::MessageTooLarge, why.to_string())
        }
        why => StorageError::Corrupt(why.to_string()).into(),
    }
}
