//! Writes row fragments.
//!
//! ```text
//! fragment = format, flags, [stamp], [expiry], [row deletion], cell*
//! cell     = column, flags, [timestamp], [expiry | at], [path], [value]
//! ```
//!
//! Most cells of a row were written together, so a cell that has the fragment's own timestamp and expiry stores neither.

use super::{Cell, Content, Deletion, Expiry, ROW_FORMAT, Stamp, merge, varint};

/// Flags of a fragment.
pub(super) mod row {
    /// The row itself was written (INSERT), with the fragment's stamp.
    pub(in super::super) const LIVE: u8 = 1;
    /// The fragment's stamp expires.
    pub(in super::super) const EXPIRES: u8 = 2;
    /// The row was deleted.
    pub(in super::super) const DELETED: u8 = 4;
    /// Some cell expires or is deleted: what has none of these three flags is there until it is overwritten.
    pub(in super::super) const MORTAL: u8 = 8;
}

/// Flags of a cell.
pub(super) mod cell {
    pub(in super::super) const OWN_TIMESTAMP: u8 = 1;
    pub(in super::super) const EXPIRES: u8 = 2;
    /// With EXPIRES: an expiry of its own, not the fragment's.
    pub(in super::super) const OWN_EXPIRY: u8 = 4;
    pub(in super::super) const PATH: u8 = 8;
    pub(in super::super) const DEAD: u8 = 16;
    pub(in super::super) const CLEARED: u8 = 32;
    pub(in super::super) const COUNT: u8 = 64;
}

/// Builds one fragment into one buffer.
#[derive(Debug)]
pub(crate) struct RowWriter {
    out: Vec<u8>,
    stamp: Stamp,
    /// Order of the last cell, to notice cells that come out of order. Paths are compared by where they lie in `out`.
    last: Option<(u32, Option<(usize, usize)>)>,
    sorted: bool,
    mortal: bool,
}

impl RowWriter {
    /// A fragment whose cells mostly have `stamp`. `live`: the row itself is written too.
    pub(crate) fn new(stamp: Stamp, live: bool, deletion: Option<Deletion>) -> Self {
        RowWriter::with_capacity(stamp, live, deletion, 64)
    }

    /// As [`RowWriter::new`], with room for so many bytes.
    pub(crate) fn with_capacity(stamp: Stamp, live: bool, deletion: Option<Deletion>, bytes: usize) -> Self {
        let mut out = Vec::with_capacity(bytes);
        let mut flags = 0;
        flags |= if live { row::LIVE } else { 0 };
        flags |= if stamp.expiry.is_some() { row::EXPIRES } else { 0 };
        flags |= if deletion.is_some() { row::DELETED } else { 0 };
        out.extend_from_slice(&[ROW_FORMAT, flags]);
        out.extend_from_slice(&stamp.timestamp.to_be_bytes());
        if let Some(expiry) = stamp.expiry {
            put_expiry(&mut out, expiry);
        }
        if let Some(deletion) = deletion {
            out.extend_from_slice(&deletion.timestamp.to_be_bytes());
            varint::put_signed(&mut out, deletion.at);
        }
        RowWriter {
            out,
            stamp,
            last: None,
            sorted: true,
            mortal: false,
        }
    }

    /// A value with the fragment's own stamp.
    #[inline]
    pub(crate) fn value(&mut self, column: u32, path: Option<&[u8]>, value: &[u8]) {
        let content = match self.stamp.expiry {
            Some(expiry) => Content::Expiring(value, expiry),
            None => Content::Value(value),
        };
        self.cell(&Cell {
            column,
            path,
            timestamp: self.stamp.timestamp,
            content,
        });
    }

    /// A tombstone of a column or element, with the fragment's own timestamp.
    pub(crate) fn tombstone(&mut self, column: u32, path: Option<&[u8]>, at: i64) {
        self.cell(&Cell {
            column,
            path,
            timestamp: self.stamp.timestamp,
            content: Content::Dead { at },
        });
    }

    /// Any cell. Best in order of columns and paths; else the fragment is put in order at the end.
    pub(crate) fn cell(&mut self, written: &Cell<'_>) {
        let expiry = written.content.expiry();
        let own_timestamp = written.timestamp != self.stamp.timestamp;
        let own_expiry = expiry.is_some() && expiry != self.stamp.expiry;
        self.mortal |= !matches!(written.content, Content::Value(_) | Content::Count(_));
        let mut flags = match written.content {
            Content::Value(_) => 0,
            Content::Expiring(..) => cell::EXPIRES,
            Content::Dead { .. } => cell::DEAD,
            Content::Cleared { .. } => cell::CLEARED,
            Content::Count(_) => cell::COUNT,
        };
        flags |= if own_timestamp { cell::OWN_TIMESTAMP } else { 0 };
        flags |= if own_expiry { cell::OWN_EXPIRY } else { 0 };
        flags |= if written.path.is_some() { cell::PATH } else { 0 };
        let out = &mut self.out;
        varint::put(out, u64::from(written.column));
        out.push(flags);
        if own_timestamp {
            varint::put_signed(out, written.timestamp.wrapping_sub(self.stamp.timestamp));
        }
        if let (true, Some(expiry)) = (own_expiry, expiry) {
            put_expiry(out, expiry);
        }
        if let Content::Dead { at } | Content::Cleared { at } = written.content {
            varint::put_signed(out, at);
        }
        let path = written.path.map(|path| {
            varint::put_bytes(out, path);
            (out.len() - path.len(), out.len())
        });
        match written.content {
            Content::Value(value) | Content::Expiring(value, _) => varint::put_bytes(out, value),
            Content::Count(count) => varint::put_signed(out, count),
            Content::Dead { .. } | Content::Cleared { .. } => {}
        }
        self.keep_order(written.column, path);
    }

    fn keep_order(&mut self, column: u32, path: Option<(usize, usize)>) {
        if let Some((last, last_path)) = self.last {
            let bytes = |at: Option<(usize, usize)>| at.map(|(from, to)| &self.out[from..to]);
            self.sorted &= (last, bytes(last_path)) < (column, bytes(path));
        }
        self.last = Some((column, path));
    }

    /// The fragment.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        if let (true, Some(flags)) = (self.mortal, self.out.get_mut(1)) {
            *flags |= row::MORTAL;
        }
        if self.sorted {
            self.out
        } else {
            merge(None, &[&self.out, &[]])
        }
    }
}

fn put_expiry(out: &mut Vec<u8>, expiry: Expiry) {
    varint::put_signed(out, expiry.at);
    varint::put(out, u64::from(expiry.ttl));
}
