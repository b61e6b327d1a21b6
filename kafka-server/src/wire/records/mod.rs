//! Record batches of format 2, read and stamped where they lie.
//!
//! Knows: the layout of batches, records, headers and transaction markers, their checksum, and what a broker refuses.
//! Never: offsets to give, producers' sequences, where batches are stored.

mod batch;
mod budget;
mod build;
mod check;
mod control;
mod record;
mod varint;

pub(crate) use batch::{Attributes, Batch, BatchError, Batches, HEAD_BYTES, Header, Stamp, TimestampType};
pub(crate) use budget::Budget;
pub(crate) use build::BatchBuilder;
#[cfg(any(test, feature = "internals"))]
pub(crate) use build::NewRecord;
pub(crate) use check::{Checked, RecordError, Refusal, Rules, check};
pub(crate) use control::{Marker, end_marker, read_marker};
#[cfg(test)]
pub(crate) use record::RecordHeader;
pub(crate) use record::{Record, Records};
pub(crate) use varint::take_u32;

#[cfg(test)]
mod tests;
