//! Where the next page of a query goes on: opaque to clients, and good after a restart.

use crate::error::{CqlError, Result};
use bytes::{BufMut, Bytes, BytesMut};

/// First byte: the format.
const FORMAT: u8 = 1;

/// The last row that was answered, and what is left of the query's limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) partition: Bytes,
    /// The row's position; `None`: nothing of the partition is left.
    pub(crate) position: Option<Bytes>,
    /// Rows the query may still answer.
    pub(crate) left: u64,
    /// Rows the partition may still answer.
    pub(crate) left_of_partition: u64,
}

impl Mark {
    pub(crate) fn to_bytes(&self) -> Bytes {
        let mut out = BytesMut::new();
        out.put_u8(FORMAT);
        out.put_u64(self.left);
        out.put_u64(self.left_of_partition);
        out.put_u16(u16::try_from(self.partition.len()).unwrap_or(u16::MAX));
        out.put_slice(&self.partition);
        if let Some(position) = &self.position {
            out.put_u8(1);
            out.put_slice(position);
        }
        out.freeze()
    }

    /// Reads what a client sent back.
    pub(crate) fn read(state: &Bytes) -> Result<Mark> {
        let broken = || CqlError::Protocol("Invalid value for the paging state".to_owned());
        let number = |at: usize| {
            let bytes = state.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
            bytes.map(u64::from_be_bytes).ok_or_else(broken)
        };
        if state.first() != Some(&FORMAT) {
            return Err(broken());
        }
        let (left, left_of_partition) = (number(1)?, number(9)?);
        let length: [u8; 2] = state
            .get(17..19)
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(broken)?;
        let end = 19 + usize::from(u16::from_be_bytes(length));
        if state.len() < end {
            return Err(broken());
        }
        let position = match state.get(end) {
            None => None,
            Some(1) => Some(state.slice(end + 1..)),
            Some(_) => return Err(broken()),
        };
        Ok(Mark {
            partition: state.slice(19..end),
            position,
            left,
            left_of_partition,
        })
    }
}
