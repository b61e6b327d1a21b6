//! What a broker checks of the records a client sends to one partition, and how it refuses them.

use super::{
    batch::{Batch, BatchError, Batches, Header, TimestampType},
    budget::Budget,
    record::{Records, walk},
};
use crate::wire::compression::{Compression, CompressionError};
use bytes::Bytes;

/// Refused records that are named one by one; further ones are only counted.
const RECORD_ERRORS_MAX: usize = 100;
/// No timestamp.
const NO_TIMESTAMP: i64 = -1;

/// What the topic and the request ask of records.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules<'a> {
    /// `topic-partition`, as texts of refusals name it.
    pub(crate) partition: &'a str,
    /// Version of the Produce request.
    pub(crate) version: i16,
    /// `max.message.bytes`.
    pub(crate) batch_bytes_max: usize,
    /// The topic is compacted: each record has a key.
    pub(crate) key_required: bool,
    /// `message.timestamp.type`.
    pub(crate) timestamp_type: TimestampType,
    /// `message.timestamp.before.max.ms`.
    pub(crate) timestamp_before_max_ms: i64,
    /// `message.timestamp.after.max.ms`.
    pub(crate) timestamp_after_max_ms: i64,
    /// `compression.type`; `None` keeps the producer's.
    pub(crate) compression: Option<(Compression, Option<i32>)>,
    /// The time.
    pub(crate) now_ms: i64,
}

/// A batch that may be appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checked {
    /// As sent, or as the topic's compression wants it.
    pub(crate) batch: Batch,
    /// The greatest timestamp of its records: the header's is the producer's word.
    pub(crate) max_timestamp: i64,
}

/// A record that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecordError {
    /// Its place in its batch.
    pub(crate) index: i32,
    /// What is wrong with it.
    pub(crate) message: String,
}

/// Why records are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// Damaged on the way.
    #[error("{0}")]
    Corrupt(String),
    /// Against the rules as a whole.
    #[error("{0}")]
    Invalid(String),
    /// Records of a compressed batch do not count up one by one.
    #[error("records do not count up one by one")]
    Order,
    /// Larger than the topic takes.
    #[error("{0}")]
    TooLarge(String),
    /// A codec that the request's version does not have, or that nobody has.
    #[error("{0}")]
    Compression(String),
    /// Single records are against the rules.
    #[error("{message}")]
    Records {
        /// For the partition as a whole.
        message: String,
        /// Some of them have a timestamp out of range.
        timestamp: bool,
        /// The first of them, by place.
        errors: Vec<RecordError>,
    },
}

/// Checks what a Produce request has for one partition, and converts it to the topic's compression.
///
/// A compressed batch is decompressed only where a rule needs its records: otherwise its header is taken at its word,
/// and of its payload only the build is looked at.
pub(crate) fn check(
    records: Option<&Bytes>,
    rules: &Rules<'_>,
    budget: &mut Budget,
) -> Result<Checked, Refusal> {
    let batch = single_batch(records, rules)?;
    check_batch(&batch, rules)?;
    let header = &batch.header;
    let codec = header
        .attributes
        .compression()
        .ok_or_else(|| Refusal::Compression("unknown compression type".to_owned()))?;
    let target = rules.compression.filter(|(target, _)| *target != codec);
    if codec == Compression::None && !rules.key_required && target.is_none() {
        return walk_plain(batch, rules);
    }
    let by_header = !rules.key_required
        && rules.timestamp_before_max_ms == i64::MAX
        && header.attributes.timestamp_type() == TimestampType::CreateTime
        && timestamp_error(0, header.max_timestamp, header, rules).is_none();
    if by_header && target.is_none() {
        if !codec.is_whole(&batch.body()) {
            return Err(Refusal::Corrupt(CompressionError::Corrupt.to_string()));
        }
        let max_timestamp = header.max_timestamp;
        return Ok(Checked { batch, max_timestamp });
    }
    let payload = budget.payload(&batch).map_err(unreadable)?;
    let ordered = codec != Compression::None || target.is_some();
    let max_timestamp = check_records(header, &payload, rules, ordered)?;
    let batch = match target {
        Some((target, level)) => {
            let batch = recompress(header, &payload, target, level).map_err(unreadable)?;
            check_size(&batch, rules)?;
            batch
        }
        None => batch,
    };
    Ok(Checked { batch, max_timestamp })
}

/// Whether a batch that was compressed anew still is as large as the topic takes.
fn check_size(batch: &Batch, rules: &Rules<'_>) -> Result<(), Refusal> {
    let (bytes, most, partition) = (batch.header.bytes, rules.batch_bytes_max, rules.partition);
    if bytes <= most {
        return Ok(());
    }
    Err(Refusal::TooLarge(format!(
        "Message batch size is {bytes} bytes in append to partition {partition} which exceeds the maximum configured size of {most}."
    )))
}

/// The one batch there must be.
fn single_batch(records: Option<&Bytes>, rules: &Rules<'_>) -> Result<Batch, Refusal> {
    let invalid =
        |what: &str| Refusal::Invalid(format!("Produce requests with version {} {what}", rules.version));
    let mut batches = Batches::new(records.cloned().unwrap_or_default());
    let batch = match batches.next() {
        None | Some(Err(BatchError::Cut)) => {
            return Err(invalid("must have at least one record batch per partition"));
        }
        Some(Err(BatchError::OldMagic(_))) => {
            return Err(invalid(
                "are only allowed to contain record batches with magic version 2",
            ));
        }
        Some(Err(BatchError::Range(delta))) => {
            return Err(Refusal::Invalid(format!(
                "Batch has an invalid offset range: [0, {delta}] in topic partition {}",
                rules.partition
            )));
        }
        Some(Err(why)) => return Err(Refusal::Corrupt(why.to_string())),
        Some(Ok(batch)) => batch,
    };
    if rules.version < 7 && batch.header.attributes.compression() == Some(Compression::Zstd) {
        let why = "are not allowed to use ZStandard compression";
        return Err(Refusal::Compression(format!(
            "Produce requests with version {} {why}",
            rules.version
        )));
    }
    match batches.next() {
        // What is cut after a whole batch is let go, as the original does.
        None | Some(Err(BatchError::Cut)) => Ok(batch),
        Some(_) => Err(invalid(
            "are only allowed to contain exactly one record batch per partition",
        )),
    }
}

/// What the header alone can be refused for, in the original's order.
fn check_batch(batch: &Batch, rules: &Rules<'_>) -> Result<(), Refusal> {
    let (header, partition) = (&batch.header, rules.partition);
    let invalid = |why: String| Err(Refusal::Invalid(why));
    if header.base_offset != 0 {
        return invalid(format!(
            "The baseOffset of the record batch in the append to {partition} should be 0, but it is {}",
            header.base_offset
        ));
    }
    if header.bytes > rules.batch_bytes_max {
        return Err(Refusal::TooLarge(format!(
            "The record batch size in the append to {partition} is {} bytes which exceeds the maximum configured value of {}.",
            header.bytes, rules.batch_bytes_max
        )));
    }
    if !batch.is_intact() {
        return Err(Refusal::Corrupt(format!(
            "Record is corrupt (stored crc = {}) in topic partition {partition}.",
            header.crc
        )));
    }
    if header.record_count <= 0 {
        return invalid(format!(
            "Invalid reported count for record batch: {} in topic partition {partition}",
            header.record_count
        ));
    }
    if i64::from(header.last_offset_delta) + 1 != i64::from(header.record_count) {
        return invalid(format!(
            "Inconsistent batch offset range [0, {}] and count of records {} in topic partition {partition}",
            header.last_offset_delta, header.record_count
        ));
    }
    if header.attributes.is_control() {
        return invalid(format!(
            "Clients are not allowed to write control records in topic partition {partition}"
        ));
    }
    if header.has_producer() && header.base_sequence < 0 {
        return invalid(format!(
            "Invalid sequence number {} in record batch with producerId {} in topic partition {partition}",
            header.base_sequence, header.producer_id
        ));
    }
    Ok(())
}

/// An uncompressed batch whose records need no key: one quick walk, a slower one only to name what is refused.
fn walk_plain(batch: Batch, rules: &Rules<'_>) -> Result<Checked, Refusal> {
    let header = &batch.header;
    let payload = batch.body();
    let (least, greatest) = walk(&payload, header.record_count)
        .map_err(unreadable)?
        .timestamp_deltas;
    let time = |delta: i64| header.base_timestamp.saturating_add(delta);
    let fine = timestamp_error(0, time(least), header, rules).is_none()
        && timestamp_error(0, time(greatest), header, rules).is_none();
    let max_timestamp = match fine {
        true => time(greatest),
        false => check_records(header, &payload, rules, false)?,
    };
    Ok(Checked { batch, max_timestamp })
}

/// Checks record by record; answers the greatest timestamp. `ordered`: their offsets in the batch must count up, which
/// the original asks of no batch that is neither sent nor stored compressed.
fn check_records(header: &Header, payload: &[u8], rules: &Rules<'_>, ordered: bool) -> Result<i64, Refusal> {
    let mut errors = Vec::new();
    let (mut refused, mut timestamp, mut max_timestamp) = (0usize, false, NO_TIMESTAMP);
    for (record, index) in Records::new(payload, header.record_count).zip(0..) {
        let record = record.map_err(unreadable)?;
        if ordered && record.offset_delta != index {
            return Err(Refusal::Order);
        }
        let time = record.timestamp(header);
        max_timestamp = max_timestamp.max(time);
        let keyless = (rules.key_required && record.key.is_none()).then(|| {
            let why = "Compacted topic cannot accept message without key in topic partition";
            format!("{why} {}", rules.partition)
        });
        let message = match keyless {
            Some(message) => message,
            None => match timestamp_error(index, time, header, rules) {
                Some(message) => {
                    timestamp = true;
                    message
                }
                None => continue,
            },
        };
        refused += 1;
        if errors.len() < RECORD_ERRORS_MAX {
            errors.push(RecordError { index, message });
        }
    }
    if refused == 0 {
        return Ok(max_timestamp);
    }
    Err(Refusal::Records {
        message: summary(refused, timestamp, &errors),
        timestamp,
        errors,
    })
}

fn summary(refused: usize, timestamp: bool, errors: &[RecordError]) -> String {
    if timestamp {
        return "One or more records have been rejected due to invalid timestamp".to_owned();
    }
    let shown: Vec<_> = errors
        .iter()
        .take(3)
        .map(|error| {
            format!(
                "RecordError(batchIndex={}, message='{}')",
                error.index, error.message
            )
        })
        .collect();
    format!(
        "One or more records have been rejected due to {refused} record errors in total, and only showing the first three errors at most: [{}]",
        shown.join(", ")
    )
}

/// What is wrong with the time `time` of the record at `index`.
fn timestamp_error(index: i32, time: i64, header: &Header, rules: &Rules<'_>) -> Option<String> {
    match rules.timestamp_type {
        TimestampType::CreateTime if time != NO_TIMESTAMP => {
            let age = rules.now_ms.saturating_sub(time);
            let fits =
                age <= rules.timestamp_before_max_ms && age.saturating_neg() <= rules.timestamp_after_max_ms;
            (!fits).then(|| {
                format!(
                    "Timestamp {time} of message with offset {index} is out of range. The timestamp should be within [{}, {}]",
                    rules.now_ms.wrapping_sub(rules.timestamp_before_max_ms),
                    rules.now_ms.wrapping_add(rules.timestamp_after_max_ms)
                )
            })
        }
        _ if header.attributes.timestamp_type() == TimestampType::LogAppendTime => Some(
            "Invalid timestamp type in message. Producer should not set timestamp type to LogAppendTime."
                .to_owned(),
        ),
        _ => None,
    }
}

/// The same records in the topic's codec.
fn recompress(
    header: &Header,
    payload: &[u8],
    codec: Compression,
    level: Option<i32>,
) -> Result<Batch, BatchError> {
    let mut header = *header;
    header.attributes.0 = header.attributes.0 & !Compression::MASK | codec.id();
    let compressed = codec.compress(payload, level)?;
    Ok(super::build::assemble(header, &compressed))
}

fn unreadable(why: BatchError) -> Refusal {
    match why {
        BatchError::Compression(CompressionError::Unknown) => Refusal::Compression(why.to_string()),
        BatchError::Compression(CompressionError::TooLarge { .. }) => Refusal::TooLarge(why.to_string()),
        BatchError::Compression(CompressionError::Corrupt) => Refusal::Corrupt(why.to_string()),
        _ => Refusal::Invalid(why.to_string()),
    }
}
