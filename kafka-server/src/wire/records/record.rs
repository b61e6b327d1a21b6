//! The records of a batch, read one by one where they lie.

use super::{
    batch::{BatchError, Header},
    varint::{take_i32, take_i64},
};

/// One record; its key, value and headers are slices of the payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    pub(crate) offset_delta: i32,
    pub(crate) timestamp_delta: i64,
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) value: Option<&'a [u8]>,
    header_count: i32,
    header_bytes: &'a [u8],
}

/// A header of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordHeader<'a> {
    pub(crate) key: &'a [u8],
    pub(crate) value: Option<&'a [u8]>,
}

impl<'a> Record<'a> {
    pub(crate) fn offset(&self, batch: &Header) -> i64 {
        batch.base_offset.saturating_add(i64::from(self.offset_delta))
    }

    pub(crate) fn timestamp(&self, batch: &Header) -> i64 {
        batch.base_timestamp.saturating_add(self.timestamp_delta)
    }

    /// The headers, in order. They were checked when the record was read.
    pub(crate) fn headers(&self) -> impl Iterator<Item = RecordHeader<'a>> + use<'a> {
        let mut rest = self.header_bytes;
        (0..self.header_count).map_while(move |_| take_header(&mut rest))
    }

    /// Takes one record off the front of `bytes`, checking every length.
    fn take(bytes: &mut &'a [u8]) -> Result<Self, BatchError> {
        let mut body = take_body(bytes)?;
        read_body(&mut body).ok_or(BatchError::Records("found invalid record structure"))
    }
}

/// The records of a decompressed payload, lazily. Ends after the first error; answers one where the payload holds
/// fewer or more records than `count`.
#[derive(Debug, Clone)]
pub(crate) struct Records<'a> {
    rest: &'a [u8],
    left: i32,
    failed: bool,
}

impl<'a> Records<'a> {
    pub(crate) fn new(payload: &'a [u8], count: i32) -> Self {
        Records {
            rest: payload,
            left: count,
            failed: false,
        }
    }

    fn step(&mut self) -> Result<Option<Record<'a>>, BatchError> {
        if self.left <= 0 {
            return if self.rest.is_empty() && self.left == 0 {
                Ok(None)
            } else {
                Err(BatchError::Records(
                    "Incorrect declared batch size, records still remaining in file",
                ))
            };
        }
        if self.rest.is_empty() {
            return Err(BatchError::Records(
                "Incorrect declared batch size, premature EOF reached",
            ));
        }
        self.left -= 1;
        Record::take(&mut self.rest).map(Some)
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let step = self.step();
        self.failed = !matches!(step, Ok(Some(_)));
        step.transpose()
    }
}

/// What a walk over a whole uncompressed payload found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Walked {
    /// The least and greatest of the records' timestamp deltas.
    pub(crate) timestamp_deltas: (i64, i64),
}

/// Steps from record to record by their lengths alone, looking at nothing but what the broker must know: whether
/// they fill the payload, and their timestamps. Several times quicker than [`Records`].
pub(crate) fn walk(payload: &[u8], count: i32) -> Result<Walked, BatchError> {
    let broken = || BatchError::Records("found invalid record structure");
    let mut rest = payload;
    let (mut least, mut greatest) = (i64::MAX, i64::MIN);
    for _ in 0..count {
        if rest.is_empty() {
            return Err(BatchError::Records(
                "Incorrect declared batch size, premature EOF reached",
            ));
        }
        let mut body = take_body(&mut rest)?;
        body = body.get(1..).ok_or_else(broken)?;
        let timestamp_delta = take_i64(&mut body).ok_or_else(broken)?;
        take_i32(&mut body).ok_or_else(broken)?; // its offset: producers count up, and nobody asks whether they do
        least = least.min(timestamp_delta);
        greatest = greatest.max(timestamp_delta);
    }
    if !rest.is_empty() {
        return Err(BatchError::Records(
            "Incorrect declared batch size, records still remaining in file",
        ));
    }
    Ok(Walked {
        timestamp_deltas: (least, greatest),
    })
}

/// Takes a record's length and as many bytes.
fn take_body<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8], BatchError> {
    take_i32(bytes)
        .and_then(|length| usize::try_from(length).ok())
        .and_then(|length| take(bytes, length))
        .ok_or(BatchError::Records(
            "invalid record size: the payload ends before the record",
        ))
}

fn read_body<'a>(body: &mut &'a [u8]) -> Option<Record<'a>> {
    take(body, 1)?; // attributes: no bit has a meaning
    let timestamp_delta = take_i64(body)?;
    let offset_delta = take_i32(body)?;
    let key = take_nullable(body)?;
    let value = take_nullable(body)?;
    let header_count = take_i32(body)?;
    // A header takes two bytes at least, so that a hostile count costs nothing.
    if header_count < 0 || header_count as usize > body.len() / 2 {
        return None;
    }
    let header_bytes = *body;
    for _ in 0..header_count {
        take_header(body)?;
    }
    body.is_empty().then_some(Record {
        offset_delta,
        timestamp_delta,
        key,
        value,
        header_count,
        header_bytes,
    })
}

fn take_header<'a>(body: &mut &'a [u8]) -> Option<RecordHeader<'a>> {
    Some(RecordHeader {
        key: take_nullable(body)??,
        value: take_nullable(body)?,
    })
}

fn take_nullable<'a>(body: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    match take_i32(body)? {
        -1 => Some(None),
        length => take(body, usize::try_from(length).ok()?).map(Some),
    }
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (front, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(front)
}
