//! Which of a log's oldest segments have had their time or their room.

/// A run of batches that is dropped as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    /// The next offset after it.
    pub(crate) end: u64,
    pub(crate) bytes: u64,
    /// The time that its age is counted from: the greatest timestamp within; where its records have none, when it was
    /// last written. `None` where nobody knows that either: it never grows old.
    pub(crate) newest_ms: Option<i64>,
}

/// How long and how much is kept; `None` is "without end".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) age_max_ms: Option<i64>,
    pub(crate) bytes_max: Option<u64>,
}

/// Where the log starts after what is due was dropped from the front of `segments`, oldest first; `None` where nothing
/// is due. Nothing at or above `high_watermark` is dropped.
pub(crate) fn start_after(
    segments: &[Segment],
    high_watermark: u64,
    now_ms: i64,
    bounds: &Bounds,
) -> Option<u64> {
    let mut bytes: u64 = segments.iter().map(|segment| segment.bytes).sum();
    let mut start = None;
    for segment in segments {
        let old = bounds.age_max_ms.is_some_and(|age_max_ms| {
            segment
                .newest_ms
                .is_some_and(|newest_ms| now_ms.saturating_sub(newest_ms) > age_max_ms)
        });
        let many = bounds
            .bytes_max
            .is_some_and(|bytes_max| bytes.saturating_sub(segment.bytes) >= bytes_max);
        if !(old || many) || segment.end > high_watermark || segment.bytes == 0 {
            break;
        }
        bytes -= segment.bytes;
        start = Some(segment.end);
    }
    start
}

#[cfg(test)]
mod tests;
