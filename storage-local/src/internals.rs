//! A way in for micro-benchmarks, which are a crate of their own. Behind the feature `internals`; nothing here is an
//! interface to build on.

use crate::log::Index;
use storage::EntryMeta;

/// Bytes, records and time of each entry of a sample.
const ENTRY_BYTES: u32 = 16 << 10;
const ENTRY_OFFSETS: u64 = 160;
const ENTRY_MS: i64 = 3;

/// The sparse index of a segment.
pub struct SampleIndex(Index);

impl SampleIndex {
    /// The index of a segment that holds `entries` entries, as an append notes them one by one.
    pub fn of(entries: u32) -> Self {
        let mut index = Index::new(0, 4096);
        for at in 0..entries {
            let first = u64::from(at) * ENTRY_OFFSETS;
            let meta = EntryMeta {
                first,
                last: first + ENTRY_OFFSETS - 1,
                timestamp_max_ms: i64::from(at) * ENTRY_MS,
                bytes: ENTRY_BYTES,
            };
            index.push(&meta, u64::from(at) * u64::from(ENTRY_BYTES));
        }
        SampleIndex(index)
    }

    /// Where to begin to look for the offset that is `share` parts in 65536 into the segment.
    pub fn find_offset(&self, entries: u32, share: u16) -> u64 {
        let offsets = u64::from(entries) * ENTRY_OFFSETS;
        self.0.at_offset((offsets * u64::from(share)) >> 16).position
    }

    /// Where to begin to look for a time as far into the segment.
    pub fn find_time(&self, entries: u32, share: u16) -> u64 {
        let ms = i64::from(entries) * ENTRY_MS;
        self.0.at_time((ms * i64::from(share)) >> 16)
    }

    /// The file that is written beside a closed segment, and the index that is read back from it.
    pub fn write_and_read(&self) -> bool {
        Index::decode(0, 1, &self.0.encode(1)).is_some()
    }
}
