//! Makes batches: for transaction markers, for a topic whose compression differs, for compaction.

use super::{
    batch::{Attributes, Batch, HEAD_BYTES, Header},
    record::{Record, RecordHeader},
    varint::{put_i32, put_i64},
};
use crate::wire::compression::{Compression, CompressionError};
use bytes::Bytes;

/// A record to write.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct NewRecord<'a> {
    pub(crate) offset: i64,
    pub(crate) timestamp: i64,
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) value: Option<&'a [u8]>,
}

/// Collects records of one batch. Offsets ascend; the header given at the start says all that records do not.
#[derive(Debug)]
pub(crate) struct BatchBuilder {
    header: Header,
    payload: Vec<u8>,
    scratch: Vec<u8>,
    max_timestamp: i64,
    last_offset: i64,
    count: i32,
}

impl BatchBuilder {
    /// A batch with the base offset, base timestamp, attributes and producer of `header`; counts, lengths, the
    /// greatest timestamp, the checksum and the codec come with [`BatchBuilder::finish`].
    pub(crate) fn like(header: Header) -> Self {
        BatchBuilder {
            header,
            payload: Vec::new(),
            scratch: Vec::new(),
            max_timestamp: -1,
            last_offset: header.base_offset,
            count: 0,
        }
    }

    /// A batch of no producer that starts at `base_offset` and `base_timestamp`.
    #[cfg(any(test, feature = "internals"))]
    pub(crate) fn new(base_offset: i64, base_timestamp: i64) -> Self {
        Self::like(Header {
            base_offset,
            bytes: HEAD_BYTES,
            leader_epoch: -1,
            crc: 0,
            attributes: Attributes::default(),
            last_offset_delta: 0,
            base_timestamp,
            max_timestamp: -1,
            producer_id: -1,
            producer_epoch: -1,
            base_sequence: -1,
            record_count: 0,
        })
    }

    /// Adds a record.
    pub(crate) fn push<'h>(
        &mut self,
        record: &NewRecord<'_>,
        headers: impl Iterator<Item = RecordHeader<'h>> + Clone,
    ) {
        let delta = record.offset.saturating_sub(self.header.base_offset);
        self.write(
            i32::try_from(delta).unwrap_or(i32::MAX),
            record.timestamp.saturating_sub(self.header.base_timestamp),
            (record.key, record.value),
            headers,
        );
        self.last_offset = record.offset;
        self.max_timestamp = self.max_timestamp.max(record.timestamp);
    }

    /// Adds a record of `batch` as it is.
    pub(crate) fn keep(&mut self, batch: &Header, record: &Record<'_>) {
        let new = NewRecord {
            offset: record.offset(batch),
            timestamp: record.timestamp(batch),
            key: record.key,
            value: record.value,
        };
        self.push(&new, record.headers().collect::<Vec<_>>().into_iter());
    }

    fn write<'h>(
        &mut self,
        offset_delta: i32,
        timestamp_delta: i64,
        (key, value): (Option<&[u8]>, Option<&[u8]>),
        headers: impl Iterator<Item = RecordHeader<'h>> + Clone,
    ) {
        let body = &mut self.scratch;
        body.clear();
        body.push(0);
        put_i64(body, timestamp_delta);
        put_i32(body, offset_delta);
        put_nullable(body, key);
        put_nullable(body, value);
        put_i32(body, i32::try_from(headers.clone().count()).unwrap_or(i32::MAX));
        for header in headers {
            put_nullable(body, Some(header.key));
            put_nullable(body, header.value);
        }
        put_i32(&mut self.payload, length(body.len()));
        self.payload.extend_from_slice(&self.scratch);
        self.count += 1;
    }

    /// The whole batch, compressed by `codec`, its checksum in place. `last_offset` says where it ends if not at its
    /// last record, as after compaction.
    pub(crate) fn finish(
        self,
        codec: Compression,
        level: Option<i32>,
        last_offset: Option<i64>,
    ) -> Result<Batch, CompressionError> {
        let last = last_offset.unwrap_or(self.last_offset);
        let delta = last.saturating_sub(self.header.base_offset);
        let header = Header {
            attributes: Attributes(self.header.attributes.0 & !Compression::MASK | codec.id()),
            last_offset_delta: i32::try_from(delta).unwrap_or(i32::MAX),
            max_timestamp: match self.header.attributes.timestamp_type() {
                super::TimestampType::CreateTime => self.max_timestamp,
                super::TimestampType::LogAppendTime => self.header.max_timestamp,
            },
            record_count: self.count,
            ..self.header
        };
        let payload = match codec {
            Compression::None => self.payload,
            codec => codec.compress(&self.payload, level)?,
        };
        Ok(assemble(header, &payload))
    }
}

/// A batch of `header` and `payload`; length and checksum of the header are made to fit.
pub(crate) fn assemble(mut header: Header, payload: &[u8]) -> Batch {
    header.bytes = HEAD_BYTES + payload.len();
    let mut bytes = Vec::with_capacity(header.bytes);
    bytes.extend_from_slice(&header.write());
    bytes.extend_from_slice(payload);
    header.crc = crc32c::crc32c(&bytes[21..]);
    bytes[17..21].copy_from_slice(&header.crc.to_be_bytes());
    Batch {
        header,
        bytes: Bytes::from(bytes),
    }
}

fn put_nullable(bytes: &mut Vec<u8>, value: Option<&[u8]>) {
    match value {
        None => put_i32(bytes, -1),
        Some(value) => {
            put_i32(bytes, length(value.len()));
            bytes.extend_from_slice(value);
        }
    }
}

fn length(bytes: usize) -> i32 {
    i32::try_from(bytes).unwrap_or(i32::MAX)
}
