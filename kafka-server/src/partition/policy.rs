use crate::{
    config::{
        TopicConfig,
        topic::{CompressionType, TimestampType},
    },
    wire::compression::Compression,
};

/// What a topic's configuration asks of its partitions. Durations in ms; `None` is "without end".
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Policy {
    /// `segment.bytes`
    pub(crate) segment_bytes: u64,
    /// `segment.ms`
    pub(crate) segment_ms: i64,
    /// `segment.jitter.ms`
    pub(crate) segment_jitter_ms: i64,
    /// `index.interval.bytes`
    pub(crate) index_interval_bytes: u32,
    /// `flush.messages`
    pub(crate) flush_messages: i64,
    /// `flush.ms`
    pub(crate) flush_ms: i64,
    /// `retention.bytes`
    pub(crate) retention_bytes: Option<u64>,
    /// `retention.ms`
    pub(crate) retention_ms: Option<i64>,
    /// `cleanup.policy` contains `delete`
    pub(crate) delete: bool,
    /// `cleanup.policy` contains `compact`
    pub(crate) compact: bool,
    /// `delete.retention.ms`
    pub(crate) delete_retention_ms: i64,
    /// `min.compaction.lag.ms`
    pub(crate) compaction_lag_min_ms: i64,
    /// `max.compaction.lag.ms`
    pub(crate) compaction_lag_max_ms: i64,
    /// `min.cleanable.dirty.ratio`
    pub(crate) cleanable_dirty_ratio_min: f64,
    /// `max.message.bytes`
    pub(crate) batch_bytes_max: usize,
    /// `message.timestamp.type` is `LogAppendTime`
    pub(crate) log_append_time: bool,
    /// `message.timestamp.before.max.ms`
    pub(crate) timestamp_before_max_ms: i64,
    /// `message.timestamp.after.max.ms`
    pub(crate) timestamp_after_max_ms: i64,
    /// `compression.type`: `None` is `producer`, else the codec and its level.
    pub(crate) compression: Option<(Compression, Option<i32>)>,
}

impl Default for Policy {
    fn default() -> Self {
        const HOUR_MS: i64 = 3_600_000;
        Policy {
            segment_bytes: 1 << 30,
            segment_ms: 7 * 24 * HOUR_MS,
            segment_jitter_ms: 0,
            index_interval_bytes: 4096,
            flush_messages: i64::MAX,
            flush_ms: i64::MAX,
            retention_bytes: None,
            retention_ms: Some(7 * 24 * HOUR_MS),
            delete: true,
            compact: false,
            delete_retention_ms: 24 * HOUR_MS,
            compaction_lag_min_ms: 0,
            compaction_lag_max_ms: i64::MAX,
            cleanable_dirty_ratio_min: 0.5,
            batch_bytes_max: 1_048_588,
            log_append_time: false,
            timestamp_before_max_ms: i64::MAX,
            timestamp_after_max_ms: HOUR_MS,
            compression: None,
        }
    }
}

impl From<&TopicConfig> for Policy {
    fn from(config: &TopicConfig) -> Self {
        let level = |level: i32| Some(level).filter(|level| *level != -1);
        Policy {
            segment_bytes: config.segment_bytes.into(),
            segment_ms: config.segment_ms,
            segment_jitter_ms: config.segment_jitter_ms,
            index_interval_bytes: config.index_interval_bytes,
            flush_messages: config.flush_messages,
            flush_ms: config.flush_ms,
            retention_bytes: u64::try_from(config.retention_bytes).ok(),
            retention_ms: Some(config.retention_ms).filter(|ms| *ms >= 0),
            delete: config.delete,
            compact: config.compact,
            delete_retention_ms: config.delete_retention_ms,
            compaction_lag_min_ms: config.min_compaction_lag_ms,
            compaction_lag_max_ms: config.max_compaction_lag_ms,
            cleanable_dirty_ratio_min: config.min_cleanable_dirty_ratio,
            batch_bytes_max: usize::try_from(config.max_message_bytes).unwrap_or(0),
            log_append_time: config.message_timestamp_type == TimestampType::LogAppendTime,
            timestamp_before_max_ms: config.message_timestamp_before_max_ms,
            timestamp_after_max_ms: config.message_timestamp_after_max_ms,
            compression: match config.compression_type {
                CompressionType::Producer => None,
                CompressionType::Uncompressed => Some((Compression::None, None)),
                CompressionType::Gzip => Some((Compression::Gzip, level(config.compression_gzip_level))),
                CompressionType::Snappy => Some((Compression::Snappy, None)),
                CompressionType::Lz4 => Some((Compression::Lz4, None)),
                CompressionType::Zstd => Some((Compression::Zstd, Some(config.compression_zstd_level))),
            },
        }
    }
}
