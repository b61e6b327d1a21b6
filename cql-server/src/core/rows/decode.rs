//! Reads row fragments where they lie.

use super::{
    Cell, Content, Deletion, Expiry, ROW_FORMAT, Stamp,
    encode::{cell, row},
    varint,
};

/// The head of a fragment, and its cells not read yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    /// When the row itself was written, by INSERT.
    pub(crate) liveness: Option<Stamp>,
    pub(crate) deletion: Option<Deletion>,
    stamp: Stamp,
    /// Whether any of it, cells included, may end or has ended.
    pub(super) is_mortal: bool,
    cells: &'a [u8],
}

impl<'a> Row<'a> {
    /// `None` where the bytes are no row fragment.
    pub(crate) fn read(mut input: &'a [u8]) -> Option<Row<'a>> {
        let input = &mut input;
        if varint::take_byte(input)? != ROW_FORMAT {
            return None;
        }
        let flags = varint::take_byte(input)?;
        let timestamp = varint::take_i64(input)?;
        let expiry = if flags & row::EXPIRES != 0 {
            Some(take_expiry(input)?)
        } else {
            None
        };
        let stamp = Stamp { timestamp, expiry };
        let deletion = if flags & row::DELETED != 0 {
            Some(Deletion {
                timestamp: varint::take_i64(input)?,
                at: varint::take_signed(input)?,
            })
        } else {
            None
        };
        Some(Row {
            liveness: (flags & row::LIVE != 0).then_some(stamp),
            deletion,
            stamp,
            is_mortal: flags & (row::EXPIRES | row::DELETED | row::MORTAL) != 0,
            cells: input,
        })
    }

    /// The cells, in order of columns and paths. Ends early where the bytes are broken.
    pub(crate) fn cells(&self) -> Cells<'a> {
        Cells {
            stamp: self.stamp,
            input: self.cells,
        }
    }
}

/// The cells of a fragment.
#[derive(Debug, Clone)]
pub(crate) struct Cells<'a> {
    stamp: Stamp,
    input: &'a [u8],
}

impl Cells<'_> {
    /// Whether nothing is left; after the last cell, that nothing was broken.
    pub(super) fn is_at_end(&self) -> bool {
        self.input.is_empty()
    }
}

impl<'a> Iterator for Cells<'a> {
    type Item = Cell<'a>;

    #[inline]
    fn next(&mut self) -> Option<Cell<'a>> {
        let mut input = self.input;
        let read = read_cell(&mut input, self.stamp)?;
        self.input = input;
        Some(read)
    }
}

#[inline]
fn read_cell<'a>(input: &mut &'a [u8], stamp: Stamp) -> Option<Cell<'a>> {
    let column = u32::try_from(varint::take(input)?).ok()?;
    let flags = varint::take_byte(input)?;
    let timestamp = if flags & cell::OWN_TIMESTAMP != 0 {
        stamp.timestamp.wrapping_add(varint::take_signed(input)?)
    } else {
        stamp.timestamp
    };
    let expiry = match flags & (cell::EXPIRES | cell::OWN_EXPIRY) {
        0 => None,
        cell::EXPIRES => Some(stamp.expiry?),
        _ => Some(take_expiry(input)?),
    };
    let at = if flags & (cell::DEAD | cell::CLEARED) != 0 {
        varint::take_signed(input)?
    } else {
        0
    };
    let path = if flags & cell::PATH != 0 {
        Some(varint::take_bytes(input)?)
    } else {
        None
    };
    let content = if flags & cell::DEAD != 0 {
        Content::Dead { at }
    } else if flags & cell::CLEARED != 0 {
        Content::Cleared { at }
    } else if flags & cell::COUNT != 0 {
        Content::Count(varint::take_signed(input)?)
    } else {
        let value = varint::take_bytes(input)?;
        match expiry {
            Some(expiry) => Content::Expiring(value, expiry),
            None => Content::Value(value),
        }
    };
    Some(Cell {
        column,
        path,
        timestamp,
        content,
    })
}

fn take_expiry(input: &mut &[u8]) -> Option<Expiry> {
    let at = varint::take_signed(input)?;
    let ttl = u32::try_from(varint::take(input)?).ok()?;
    Some(Expiry { at, ttl })
}
