//! How the log tells record batches apart in raw bytes.

use crate::wire::records::{HEAD_BYTES, Header};
use storage::{EntryMeta, Framing};

/// Entries are record batches of format 2.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct BatchFraming;

impl Framing for BatchFraming {
    fn head_bytes(&self) -> usize {
        HEAD_BYTES
    }

    fn measure(&self, head: &[u8]) -> Option<EntryMeta> {
        meta(&Header::read(head).ok()?)
    }

    fn verify(&self, entry: &[u8]) -> bool {
        Header::read(entry).is_ok_and(|header| header.is_checksum_of(entry))
    }
}

/// Where a batch lies in its log; `None` where its header names no offsets a log can hold.
pub(crate) fn meta(header: &Header) -> Option<EntryMeta> {
    if header.last_offset_delta < 0 {
        return None;
    }
    Some(EntryMeta {
        first: u64::try_from(header.base_offset).ok()?,
        last: u64::try_from(
            header
                .base_offset
                .checked_add(i64::from(header.last_offset_delta))?,
        )
        .ok()?,
        timestamp_max_ms: header.max_timestamp,
        bytes: u32::try_from(header.bytes).ok()?,
    })
}

#[cfg(test)]
mod tests;
