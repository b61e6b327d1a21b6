use super::batch::{Batch, BatchError};
use crate::wire::compression::{Compression, CompressionError, DECOMPRESSED_BYTES_MAX};
use bytes::Bytes;

/// How many bytes compressed batches may still grow to: what one of them unpacks to says nothing of its own length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Budget {
    bytes: usize,
    left: usize,
    exceeded: bool,
}

impl Budget {
    /// For one batch, `bytes` of all that it may grow to anywhere.
    pub(crate) fn new(bytes: usize) -> Self {
        let bytes = bytes.min(DECOMPRESSED_BYTES_MAX);
        Budget {
            bytes,
            left: bytes,
            exceeded: false,
        }
    }

    /// The records' bytes of `batch`, as [`Batch::payload`] has them.
    pub(crate) fn payload(&mut self, batch: &Batch) -> Result<Bytes, BatchError> {
        let compressed = batch.header.attributes.compression() != Some(Compression::None);
        if compressed && self.left == 0 {
            self.exceeded = true;
            let bytes_max = self.bytes;
            return Err(CompressionError::TooLarge { bytes_max }.into());
        }
        let payload = batch.payload(if compressed { self.left } else { usize::MAX });
        match &payload {
            Ok(payload) if compressed => self.left -= payload.len(),
            Err(BatchError::Compression(CompressionError::TooLarge { .. })) => {
                (self.left, self.exceeded) = (0, true);
            }
            _ => {}
        }
        payload
    }

    /// Bytes that were unpacked.
    pub(crate) fn spent(&self) -> usize {
        self.bytes - self.left
    }

    /// Whether a batch wanted more than there was.
    pub(crate) fn is_exceeded(&self) -> bool {
        self.exceeded
    }
}
