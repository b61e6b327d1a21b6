//! Rows, written in the form in which they leave.
//!
//! Knows: `[bytes]`. Never: types, or where rows come from.

use super::write::Put;
use crate::engine::{ColumnSpec, Rows};
use bytes::{Bytes, BytesMut};
use std::sync::Arc;

/// Writes rows cell after cell; what it holds is the answer's content, byte for byte.
#[derive(Debug, Default)]
pub(crate) struct RowsWriter {
    content: BytesMut,
    count: u32,
}

impl RowsWriter {
    /// A writer with room for `bytes` of content.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        RowsWriter {
            content: BytesMut::with_capacity(bytes),
            count: 0,
        }
    }

    /// The next cell of the row: a value, or null.
    pub(crate) fn cell(&mut self, value: Option<&[u8]>) {
        self.content.put_bytes_or_null(value);
    }

    /// Ends the row, whose cells were written in the order of the columns.
    pub(crate) fn end_row(&mut self) {
        self.count += 1;
    }

    /// Bytes written.
    pub(crate) fn bytes(&self) -> usize {
        self.content.len()
    }

    /// Rows written.
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// The rows as an answer has them.
    pub(crate) fn finish(self, columns: Arc<[ColumnSpec]>, paging_state: Option<Bytes>) -> Rows {
        Rows {
            columns,
            count: self.count,
            content: self.content.freeze(),
            paging_state,
        }
    }
}

#[cfg(test)]
mod tests;
