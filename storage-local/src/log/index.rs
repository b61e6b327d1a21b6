//! The sparse index of one segment: every few kilobytes, which entry starts where and what time came before it.

#[cfg(test)]
mod tests;

use storage::EntryMeta;

/// Places at the most. Beyond, every second one is forgotten and the interval doubles, so that memory stays bounded.
const PLACES_MAX: usize = 8192;
const FORMAT: u8 = 1;
const HEADER_BYTES: usize = 1 + 4 + 8 + 8;
const PLACE_BYTES: usize = 16;

/// Where an entry starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    /// First offset of the entry, from the segment's base.
    offset: u32,
    /// Its first byte.
    position: u32,
    /// Greatest timestamp of all entries before it.
    before_ms: i64,
}

/// A boundary between entries: the one at `position` is the first that ends at or after `offset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Boundary {
    pub(super) offset: u64,
    pub(crate) position: u64,
}

impl Boundary {
    /// No boundary of any log.
    pub(super) const NONE: Boundary = Boundary {
        offset: u64::MAX,
        position: u64::MAX,
    };
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Index {
    base: u64,
    interval: u32,
    /// Bytes of entries since the last place.
    since: u64,
    timestamp_max_ms: Option<i64>,
    places: Vec<Place>,
}

impl Index {
    pub(crate) fn new(base: u64, interval: u32) -> Self {
        Index {
            base,
            interval: interval.max(64),
            since: 0,
            timestamp_max_ms: None,
            places: Vec::new(),
        }
    }

    /// Notes an entry that was written at `position`, behind all that were noted before.
    pub(crate) fn push(&mut self, meta: &EntryMeta, position: u64) {
        if self.places.is_empty() || self.since >= u64::from(self.interval) {
            if let (Ok(offset), Ok(position)) = (
                u32::try_from(meta.first.saturating_sub(self.base)),
                u32::try_from(position),
            ) {
                self.places.push(Place {
                    offset,
                    position,
                    before_ms: self.timestamp_max_ms.unwrap_or(i64::MIN),
                });
                self.since = 0;
            }
            if self.places.len() > PLACES_MAX {
                let mut keep = false;
                self.places.retain(|_| {
                    keep = !keep;
                    keep
                });
                self.interval = self.interval.saturating_mul(2);
            }
        }
        self.since += u64::from(meta.bytes);
        self.timestamp_max_ms = self.timestamp_max_ms.max(Some(meta.timestamp_max_ms));
    }

    pub(super) fn timestamp_max_ms(&self) -> Option<i64> {
        self.timestamp_max_ms
    }

    pub(super) fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.places.capacity() * size_of::<Place>()
    }

    fn boundary(&self, place: &Place) -> Boundary {
        Boundary {
            offset: self.base + u64::from(place.offset),
            position: u64::from(place.position),
        }
    }

    fn floor(&self, below: impl Fn(&Place) -> bool) -> Option<&Place> {
        self.places
            .partition_point(below)
            .checked_sub(1)
            .map(|at| &self.places[at])
    }

    /// The last known boundary at or before the entry that holds `offset`.
    pub(crate) fn at_offset(&self, offset: u64) -> Boundary {
        let delta = offset.saturating_sub(self.base);
        self.floor(|place| u64::from(place.offset) <= delta).map_or(
            Boundary {
                offset: self.base,
                position: 0,
            },
            |place| self.boundary(place),
        )
    }

    /// The last known boundary at or before `position` whose offset is at most `before`.
    pub(super) fn at_position(&self, position: u64, before: u64) -> Option<Boundary> {
        let delta = before.saturating_sub(self.base);
        self.floor(|place| u64::from(place.position) <= position && u64::from(place.offset) <= delta)
            .map(|place| self.boundary(place))
    }

    /// The last known position before which every timestamp is below `timestamp_ms`.
    pub(crate) fn at_time(&self, timestamp_ms: i64) -> u64 {
        self.floor(|place| place.before_ms < timestamp_ms)
            .map_or(0, |place| u64::from(place.position))
    }

    /// The bytes of the sidecar file of a closed segment of `bytes`.
    pub(crate) fn encode(&self, bytes: u64) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_BYTES + self.places.len() * PLACE_BYTES + 4);
        out.push(FORMAT);
        out.extend_from_slice(&self.interval.to_le_bytes());
        out.extend_from_slice(&bytes.to_le_bytes());
        out.extend_from_slice(&self.timestamp_max_ms.unwrap_or(i64::MIN).to_le_bytes());
        for place in &self.places {
            out.extend_from_slice(&place.offset.to_le_bytes());
            out.extend_from_slice(&place.position.to_le_bytes());
            out.extend_from_slice(&place.before_ms.to_le_bytes());
        }
        let crc = crc32c::crc32c(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads what [`Index::encode`] wrote; `None` where it does not check out or is of a segment of another length:
    /// the index is then rebuilt from the segment.
    pub(crate) fn decode(base: u64, bytes: u64, raw: &[u8]) -> Option<Self> {
        let (body, crc) = raw.split_last_chunk::<4>()?;
        if crc32c::crc32c(body) != u32::from_le_bytes(*crc) {
            return None;
        }
        let (format, body) = body.split_first()?;
        let (interval, body) = body.split_first_chunk::<4>()?;
        let (length, body) = body.split_first_chunk::<8>()?;
        let (timestamp, body) = body.split_first_chunk::<8>()?;
        if *format != FORMAT || u64::from_le_bytes(*length) != bytes {
            return None;
        }
        let timestamp = i64::from_le_bytes(*timestamp);
        let (places, _) = body.as_chunks::<PLACE_BYTES>();
        Some(Index {
            base,
            interval: u32::from_le_bytes(*interval),
            since: 0,
            timestamp_max_ms: (timestamp != i64::MIN).then_some(timestamp),
            places: places.iter().map(decode_place).collect(),
        })
    }
}

fn decode_place(raw: &[u8; PLACE_BYTES]) -> Place {
    let [o0, o1, o2, o3, p0, p1, p2, p3, time @ ..] = *raw;
    Place {
        offset: u32::from_le_bytes([o0, o1, o2, o3]),
        position: u32::from_le_bytes([p0, p1, p2, p3]),
        before_ms: i64::from_le_bytes(time),
    }
}
