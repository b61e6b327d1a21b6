//! One batch: its header, its checksum, and the stamping of what the broker decides.

use crate::wire::compression::{Compression, CompressionError};
use bytes::Bytes;

/// Bytes of a batch before its records.
pub(crate) const HEAD_BYTES: usize = 61;
/// Bytes before those that the length counts.
const LENGTH_END: usize = 12;
/// Where what the checksum covers begins.
const CHECKED_FROM: usize = 21;
/// The only format there is in Kafka 4.
const MAGIC: i8 = 2;

/// Why bytes are not a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BatchError {
    /// The bytes end before the batch does.
    #[error("the batch is cut short")]
    Cut,
    /// The length field is less than a batch's header.
    #[error("record size {0} is less than the minimum record overhead")]
    Length(i32),
    /// A format before 2, which brokers of 4.x take no more.
    #[error("message format {0} is not supported any more")]
    OldMagic(i8),
    /// No format that exists.
    #[error("invalid magic found in record: {0}")]
    Magic(i8),
    /// A count or a range that contradicts itself.
    #[error("the batch counts {0} as its last offset")]
    Range(i32),
    /// Records that do not fill their batch.
    #[error("{0}")]
    Records(&'static str),
    /// The payload cannot be decompressed.
    #[error(transparent)]
    Compression(#[from] CompressionError),
}

/// Whose clock the timestamps of a batch are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum TimestampType {
    /// The producer's.
    #[default]
    CreateTime,
    /// The broker's, at the append.
    LogAppendTime,
}

/// The flags of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Attributes(pub(crate) i16);

impl Attributes {
    pub(crate) const LOG_APPEND_TIME: i16 = 1 << 3;
    pub(crate) const TRANSACTIONAL: i16 = 1 << 4;
    pub(crate) const CONTROL: i16 = 1 << 5;
    pub(crate) const DELETE_HORIZON: i16 = 1 << 6;

    /// The codec of the payload; `None` where its number is nobody's.
    pub(crate) fn compression(self) -> Option<Compression> {
        Compression::of(self.0)
    }

    pub(crate) fn timestamp_type(self) -> TimestampType {
        if self.0 & Self::LOG_APPEND_TIME == 0 {
            TimestampType::CreateTime
        } else {
            TimestampType::LogAppendTime
        }
    }

    pub(crate) fn is_transactional(self) -> bool {
        self.0 & Self::TRANSACTIONAL != 0
    }

    pub(crate) fn is_control(self) -> bool {
        self.0 & Self::CONTROL != 0
    }

    /// Whether the base timestamp is really the time at which tombstones and markers of the batch may go.
    pub(crate) fn has_delete_horizon(self) -> bool {
        self.0 & Self::DELETE_HORIZON != 0
    }

    fn with_timestamp_type(self, kind: TimestampType) -> Self {
        match kind {
            TimestampType::CreateTime => Attributes(self.0 & !Self::LOG_APPEND_TIME),
            TimestampType::LogAppendTime => Attributes(self.0 | Self::LOG_APPEND_TIME),
        }
    }
}

/// The fields before a batch's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) base_offset: i64,
    /// The whole batch's length, header included.
    pub(crate) bytes: usize,
    pub(crate) leader_epoch: i32,
    pub(crate) crc: u32,
    pub(crate) attributes: Attributes,
    /// Never negative.
    pub(crate) last_offset_delta: i32,
    pub(crate) base_timestamp: i64,
    pub(crate) max_timestamp: i64,
    /// -1 where the producer has none.
    pub(crate) producer_id: i64,
    pub(crate) producer_epoch: i16,
    pub(crate) base_sequence: i32,
    pub(crate) record_count: i32,
}

impl Header {
    /// Reads the header at the start of `bytes`, which may be longer or shorter than the batch.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, BatchError> {
        if bytes.len() < LENGTH_END + 5 {
            return Err(BatchError::Cut);
        }
        let length = i32::from_be_bytes(at(bytes, 8));
        let magic = i8::from_be_bytes(at(bytes, 16));
        match magic {
            MAGIC => {}
            // The least of the old formats' lengths: checksum, magic, attributes, two lengths.
            0 | 1 if length >= 14 => return Err(BatchError::OldMagic(magic)),
            0 | 1 => return Err(BatchError::Length(length)),
            _ => return Err(BatchError::Magic(magic)),
        }
        let whole = usize::try_from(length).map_or(0, |length| length + LENGTH_END);
        if whole < HEAD_BYTES {
            return Err(BatchError::Length(length));
        }
        if bytes.len() < HEAD_BYTES {
            return Err(BatchError::Cut);
        }
        Ok(Header {
            base_offset: i64::from_be_bytes(at(bytes, 0)),
            bytes: whole,
            leader_epoch: i32::from_be_bytes(at(bytes, 12)),
            crc: u32::from_be_bytes(at(bytes, 17)),
            attributes: Attributes(i16::from_be_bytes(at(bytes, 21))),
            last_offset_delta: i32::from_be_bytes(at(bytes, 23)),
            base_timestamp: i64::from_be_bytes(at(bytes, 27)),
            max_timestamp: i64::from_be_bytes(at(bytes, 35)),
            producer_id: i64::from_be_bytes(at(bytes, 43)),
            producer_epoch: i16::from_be_bytes(at(bytes, 51)),
            base_sequence: i32::from_be_bytes(at(bytes, 53)),
            record_count: i32::from_be_bytes(at(bytes, 57)),
        })
    }

    /// The header's bytes, with the checksum field as it is in `self`.
    pub(crate) fn write(&self) -> [u8; HEAD_BYTES] {
        let mut head = [0; HEAD_BYTES];
        let mut put = |from: usize, bytes: &[u8]| head[from..from + bytes.len()].copy_from_slice(bytes);
        put(0, &self.base_offset.to_be_bytes());
        put(8, &length_field(self.bytes).to_be_bytes());
        put(12, &self.leader_epoch.to_be_bytes());
        put(16, &MAGIC.to_be_bytes());
        put(17, &self.crc.to_be_bytes());
        put(21, &self.attributes.0.to_be_bytes());
        put(23, &self.last_offset_delta.to_be_bytes());
        put(27, &self.base_timestamp.to_be_bytes());
        put(35, &self.max_timestamp.to_be_bytes());
        put(43, &self.producer_id.to_be_bytes());
        put(51, &self.producer_epoch.to_be_bytes());
        put(53, &self.base_sequence.to_be_bytes());
        put(57, &self.record_count.to_be_bytes());
        head
    }

    /// The last offset covered; compaction may have removed its record.
    pub(crate) fn last_offset(&self) -> i64 {
        self.base_offset.saturating_add(i64::from(self.last_offset_delta))
    }

    /// The sequence of the last record: they wrap to zero after the greatest.
    pub(crate) fn last_sequence(&self) -> i32 {
        if self.base_sequence < 0 {
            return self.base_sequence;
        }
        let last = i64::from(self.base_sequence) + i64::from(self.last_offset_delta);
        i32::try_from(last % (i64::from(i32::MAX) + 1)).unwrap_or(i32::MAX)
    }

    pub(crate) fn has_producer(&self) -> bool {
        self.producer_id >= 0
    }

    /// Whether `batch` is as long as this header says, and its checksum the one this header has.
    pub(crate) fn is_checksum_of(&self, batch: &[u8]) -> bool {
        batch.len() == self.bytes && crc32c::crc32c(&batch[CHECKED_FROM..]) == self.crc
    }

    /// The checksum of this header followed by `body`.
    fn checksum(&self, body: &[u8]) -> u32 {
        crc32c::crc32c_append(crc32c::crc32c(&self.write()[CHECKED_FROM..]), body)
    }
}

/// What the broker decides about a batch at its append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) base_offset: i64,
    pub(crate) leader_epoch: i32,
    /// Whose time `max_timestamp` is.
    pub(crate) timestamp_type: TimestampType,
    /// The append's time, or the greatest timestamp of the records.
    pub(crate) max_timestamp: i64,
}

/// A whole batch, as a slice of what it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) header: Header,
    /// Header and records.
    pub(crate) bytes: Bytes,
}

impl Batch {
    /// The batch at the start of `bytes`, its checksum unchecked.
    pub(crate) fn read(bytes: &Bytes) -> Result<Self, BatchError> {
        let header = Header::read(bytes)?;
        if bytes.len() < header.bytes {
            return Err(BatchError::Cut);
        }
        if header.last_offset_delta < 0 {
            return Err(BatchError::Range(header.last_offset_delta));
        }
        Ok(Batch {
            header,
            bytes: bytes.slice(..header.bytes),
        })
    }

    /// Whether the checksum holds.
    pub(crate) fn is_intact(&self) -> bool {
        self.header.is_checksum_of(&self.bytes)
    }

    /// What follows the header, as it is.
    pub(crate) fn body(&self) -> Bytes {
        self.bytes.slice(HEAD_BYTES..)
    }

    /// The records' bytes: a slice where they are not compressed, at most `bytes_max` where they are.
    pub(crate) fn payload(&self, bytes_max: usize) -> Result<Bytes, BatchError> {
        match self.header.attributes.compression() {
            Some(Compression::None) => Ok(self.body()),
            Some(codec) => Ok(codec
                .decompress(&self.bytes[HEAD_BYTES..], bytes_max)
                .map(Bytes::from)?),
            None => Err(CompressionError::Unknown.into()),
        }
    }

    /// The header as it will be stored; [`Batch::body`] follows it unchanged. The base offset and the leader's epoch
    /// are outside the checksum, which is made anew only where a time changes.
    pub(crate) fn stamped(&self, stamp: &Stamp) -> Header {
        let old = &self.header;
        let mut new = Header {
            base_offset: stamp.base_offset,
            leader_epoch: stamp.leader_epoch,
            attributes: old.attributes.with_timestamp_type(stamp.timestamp_type),
            max_timestamp: stamp.max_timestamp,
            ..*old
        };
        if new.attributes != old.attributes || new.max_timestamp != old.max_timestamp {
            new.crc = new.checksum(&self.bytes[HEAD_BYTES..]);
        }
        new
    }
}

/// The batches that lie back to back in `bytes`. Ends after the first error.
#[derive(Debug, Clone)]
pub(crate) struct Batches {
    bytes: Bytes,
}

impl Batches {
    pub(crate) fn new(bytes: Bytes) -> Self {
        Batches { bytes }
    }
}

impl Iterator for Batches {
    type Item = Result<Batch, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.bytes.is_empty() {
            return None;
        }
        let batch = Batch::read(&self.bytes);
        self.bytes = match &batch {
            Ok(batch) => self.bytes.slice(batch.bytes.len()..),
            Err(_) => Bytes::new(),
        };
        Some(batch)
    }
}

fn length_field(whole: usize) -> i32 {
    i32::try_from(whole.saturating_sub(LENGTH_END)).unwrap_or(i32::MAX)
}

/// `N` bytes from `from` on; zeros where `bytes` ends before, which callers have ruled out.
fn at<const N: usize>(bytes: &[u8], from: usize) -> [u8; N] {
    bytes
        .get(from..)
        .and_then(|rest| rest.first_chunk())
        .copied()
        .unwrap_or([0; N])
}
