//! Every configuration key of a topic, as Kafka 4.3 knows them.

use super::definition::{
    Check::{self, Any, AtLeast, Between, BetweenOr, OneOf, Replicas},
    Definition,
    Type::{self, Boolean, Double, Int, List, Long, String},
};

const fn key(
    name: &'static str,
    kind: Type,
    default: &'static str,
    check: Check,
    documentation: &'static str,
) -> Definition {
    Definition {
        name,
        kind,
        default: Some(default),
        check,
        documentation,
    }
}

const FOREVER: &str = "9223372036854775807";
const TIERED: &str =
    "Belongs to tiered storage, which this server does not have; kept and shown, without effect.";
const REPLICATION: &str = "Throttles replication between brokers. One broker that is the whole cluster copies nothing; kept and shown, without effect.";

/// Sorted by name.
#[rustfmt::skip]
pub(crate) static TOPIC_KEYS: &[Definition] = &[
    key("cleanup.policy", List, "delete", OneOf("compact|delete"),
        "What happens to old records: 'delete' drops those past retention.ms or retention.bytes, 'compact' keeps the last record of every key, both together do both. Empty keeps everything for ever."),
    key("compression.gzip.level", Int, "-1", BetweenOr(1, 9, -1),
        "How hard gzip tries where compression.type is 'gzip'; -1 leaves it to the codec."),
    key("compression.lz4.level", Int, "9", Between(1, 17),
        "How hard lz4 tries where compression.type is 'lz4'."),
    key("compression.type", String, "producer", OneOf("uncompressed|zstd|lz4|snappy|gzip|producer"),
        "The codec batches are stored with: 'gzip', 'snappy', 'lz4', 'zstd', 'uncompressed', or 'producer' to keep each batch as it was sent."),
    key("compression.zstd.level", Int, "3", Between(-131_072, 22),
        "How hard zstd tries where compression.type is 'zstd'."),
    key("delete.retention.ms", Long, "86400000", AtLeast(0),
        "How long a compacted topic keeps the tombstone of a deleted key, which is also how long a consumer that reads from the start may take to see every deletion."),
    key("file.delete.delay.ms", Long, "60000", AtLeast(0),
        "How long the file of a dropped segment may stay on disk."),
    key("flush.messages", Long, FOREVER, AtLeast(1),
        "After how many records data is forced to stable storage; with 1, an acknowledged record has been."),
    key("flush.ms", Long, FOREVER, AtLeast(0),
        "After how many milliseconds data is forced to stable storage."),
    key("follower.replication.throttled.replicas", List, "", Replicas, REPLICATION),
    key("index.interval.bytes", Int, "4096", AtLeast(0),
        "Bytes of records between two entries of the offset index. Smaller finds positions with less reading, and makes the index larger."),
    key("leader.replication.throttled.replicas", List, "", Replicas, REPLICATION),
    key("local.retention.bytes", Long, "-2", AtLeast(-2), TIERED),
    key("local.retention.ms", Long, "-2", AtLeast(-2), TIERED),
    key("max.compaction.lag.ms", Long, FOREVER, AtLeast(1),
        "The longest a record of a compacted topic may wait for its compaction."),
    key("max.message.bytes", Int, "1048588", AtLeast(0),
        "The largest batch of records taken, as it is stored."),
    key("message.timestamp.after.max.ms", Long, "3600000", AtLeast(0),
        "How far a producer's timestamp may lie in the future before the record is refused. Not looked at where message.timestamp.type is 'LogAppendTime'."),
    key("message.timestamp.before.max.ms", Long, FOREVER, AtLeast(0),
        "How far a producer's timestamp may lie in the past before the record is refused. Not looked at where message.timestamp.type is 'LogAppendTime'."),
    key("message.timestamp.type", String, "CreateTime", OneOf("CreateTime|LogAppendTime"),
        "Whose clock stamps records: the producer's ('CreateTime') or the broker's ('LogAppendTime')."),
    key("min.cleanable.dirty.ratio", Double, "0.5", Between(0, 1),
        "Which share of a compacted log must be new since the last compaction before the next one starts, unless max.compaction.lag.ms asks for it earlier."),
    key("min.compaction.lag.ms", Long, "0", AtLeast(0),
        "For how long a record of a compacted topic is safe from compaction."),
    key("min.insync.replicas", Int, "1", AtLeast(1),
        "How many replicas, the leader among them, must hold a record before a producer with acks=all is told so. One broker is one replica: more than 1 refuses such producers."),
    key("preallocate", Boolean, "false", Any,
        "Whether space for a new segment is taken from the disk in advance."),
    key("remote.log.copy.disable", Boolean, "false", Any, TIERED),
    key("remote.log.delete.on.disable", Boolean, "false", Any, TIERED),
    key("remote.storage.enable", Boolean, "false", Any, TIERED),
    key("retention.bytes", Long, "-1", Any,
        "How large a partition may grow before its oldest segments are dropped; -1 sets no bound. Takes part in the 'delete' policy only."),
    key("retention.ms", Long, "604800000", AtLeast(-1),
        "How long records are kept before their segments are dropped; -1 keeps them for ever. Takes part in the 'delete' policy only."),
    key("segment.bytes", Int, "1073741824", AtLeast(1_048_576),
        "How large a segment of the log may grow before the next one is started. Retention and compaction work on whole segments."),
    key("segment.index.bytes", Int, "10485760", AtLeast(4),
        "How large the offset index of one segment may grow."),
    key("segment.jitter.ms", Long, "0", AtLeast(0),
        "The most that is taken at random off segment.ms, so that many logs do not roll at once."),
    key("segment.ms", Long, "604800000", AtLeast(1),
        "After how long the next segment is started even where this one is not full, so that old records can be dropped or compacted."),
    key("unclean.leader.election.enable", Boolean, "false", Any,
        "Whether a replica that lags may become leader as the last resort. With one replica there is none; kept and shown, without effect."),
];

/// The keys of the broker a topic's key falls back to, in order, each with what its value is multiplied by.
pub(crate) fn broker_synonyms(name: &str) -> &'static [(&'static str, i64)] {
    match name {
        "cleanup.policy" => &[("log.cleanup.policy", 1)],
        "compression.gzip.level" => &[("compression.gzip.level", 1)],
        "compression.lz4.level" => &[("compression.lz4.level", 1)],
        "compression.type" => &[("compression.type", 1)],
        "compression.zstd.level" => &[("compression.zstd.level", 1)],
        "delete.retention.ms" => &[("log.cleaner.delete.retention.ms", 1)],
        "file.delete.delay.ms" => &[("log.segment.delete.delay.ms", 1)],
        "flush.messages" => &[("log.flush.interval.messages", 1)],
        "flush.ms" => &[
            ("log.flush.interval.ms", 1),
            ("log.flush.scheduler.interval.ms", 1),
        ],
        "index.interval.bytes" => &[("log.index.interval.bytes", 1)],
        "local.retention.bytes" => &[("log.local.retention.bytes", 1)],
        "local.retention.ms" => &[("log.local.retention.ms", 1)],
        "max.compaction.lag.ms" => &[("log.cleaner.max.compaction.lag.ms", 1)],
        "max.message.bytes" => &[("message.max.bytes", 1)],
        "message.timestamp.after.max.ms" => &[("log.message.timestamp.after.max.ms", 1)],
        "message.timestamp.before.max.ms" => &[("log.message.timestamp.before.max.ms", 1)],
        "message.timestamp.type" => &[("log.message.timestamp.type", 1)],
        "min.cleanable.dirty.ratio" => &[("log.cleaner.min.cleanable.ratio", 1)],
        "min.compaction.lag.ms" => &[("log.cleaner.min.compaction.lag.ms", 1)],
        "min.insync.replicas" => &[("min.insync.replicas", 1)],
        "preallocate" => &[("log.preallocate", 1)],
        "retention.bytes" => &[("log.retention.bytes", 1)],
        "retention.ms" => &[
            ("log.retention.ms", 1),
            ("log.retention.minutes", 60_000),
            ("log.retention.hours", 3_600_000),
        ],
        "segment.bytes" => &[("log.segment.bytes", 1)],
        "segment.index.bytes" => &[("log.index.size.max.bytes", 1)],
        "segment.jitter.ms" => &[("log.roll.jitter.ms", 1), ("log.roll.jitter.hours", 3_600_000)],
        "segment.ms" => &[("log.roll.ms", 1), ("log.roll.hours", 3_600_000)],
        "unclean.leader.election.enable" => &[("unclean.leader.election.enable", 1)],
        _ => &[],
    }
}
