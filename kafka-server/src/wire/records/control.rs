//! Transaction markers: the control batches that end a producer's transaction.

use super::{
    batch::{Attributes, Batch, Header},
    build::assemble,
    record::Records,
    varint::{put_i32, put_i64},
};

/// What a marker says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marker {
    pub(crate) producer_id: i64,
    pub(crate) producer_epoch: i16,
    /// Commit, or abort.
    pub(crate) commit: bool,
    /// Of the transaction coordinator that wrote it.
    pub(crate) coordinator_epoch: i32,
}

/// Bytes of a marker's key (version, type) and of its value (version, coordinator epoch).
const KEY_BYTES: i32 = 4;
const VALUE_BYTES: i32 = 6;

/// A batch of one marker, to be stamped like any other at the append.
pub(crate) fn end_marker(marker: &Marker, now_ms: i64) -> Batch {
    let mut body = vec![0]; // attributes
    put_i64(&mut body, 0); // timestamp delta
    put_i32(&mut body, 0); // offset delta
    put_i32(&mut body, KEY_BYTES);
    body.extend_from_slice(&0i16.to_be_bytes());
    body.extend_from_slice(&i16::from(marker.commit).to_be_bytes());
    put_i32(&mut body, VALUE_BYTES);
    body.extend_from_slice(&0i16.to_be_bytes());
    body.extend_from_slice(&marker.coordinator_epoch.to_be_bytes());
    put_i32(&mut body, 0); // headers
    let mut payload = Vec::with_capacity(body.len() + 1);
    put_i32(&mut payload, i32::try_from(body.len()).unwrap_or(i32::MAX));
    payload.extend_from_slice(&body);
    let header = Header {
        base_offset: 0,
        bytes: 0,
        leader_epoch: 0,
        crc: 0,
        attributes: Attributes(Attributes::TRANSACTIONAL | Attributes::CONTROL),
        last_offset_delta: 0,
        base_timestamp: now_ms,
        max_timestamp: now_ms,
        producer_id: marker.producer_id,
        producer_epoch: marker.producer_epoch,
        base_sequence: -1,
        record_count: 1,
    };
    assemble(header, &payload)
}

/// What the control batch `batch` says; `None` where it is no end of a transaction.
pub(crate) fn read_marker(batch: &Batch) -> Option<Marker> {
    let header = &batch.header;
    if !header.attributes.is_control() {
        return None;
    }
    let payload = batch.body();
    let record = Records::new(&payload, header.record_count).next()?.ok()?;
    let kind = match record.key? {
        [_, _, 0, kind @ (0 | 1)] => *kind,
        _ => return None,
    };
    let coordinator_epoch = record.value?.get(2..6)?.first_chunk().copied()?;
    Some(Marker {
        producer_id: header.producer_id,
        producer_epoch: header.producer_epoch,
        commit: kind == 1,
        coordinator_epoch: i32::from_be_bytes(coordinator_epoch),
    })
}
