//! Walks a request's body before it is decoded, so that no length in it makes the decoder reserve what is not there.
//!
//! The decoders reserve an array on the word of its count. Here each length is held against the bytes that follow,
//! and the elements of all arrays are counted against a limit, without a byte allocated. Whether text is UTF-8 is
//! left to the decoder, which answers it as well as this would.

use super::shapes::SHAPES;

/// Elements of all arrays and tagged fields of one request. A decoded element is tens of times as large as its least
/// form on the wire; more topics and partitions than this are not on one broker.
pub(crate) const REQUEST_ELEMENTS_MAX: usize = 500_000;
/// No version: what has it as its first is never, what has it as its last is so for good.
pub(super) const NEVER: i16 = i16::MAX;
/// No tag.
pub(super) const PLAIN: i16 = -1;

/// One request.
pub(super) struct Shape {
    pub(super) key: i16,
    /// The first version with compact lengths and tagged fields.
    pub(super) flexible: i16,
    pub(super) fields: &'static [Field],
}

/// Kind, first and last version, first version in which it may be null, tag.
pub(super) struct Field(
    pub(super) Kind,
    pub(super) i16,
    pub(super) i16,
    pub(super) i16,
    pub(super) i16,
);

/// What a field is made of.
pub(super) enum Kind {
    /// So many bytes.
    Fixed(usize),
    Text,
    Bytes,
    Array(&'static Kind),
    Struct(&'static [Field]),
}

/// Whether the decoder of request `key` in `version` may see `body`; if not, what is wrong with it.
pub(super) fn check(key: i16, version: i16, body: &[u8]) -> Result<(), &'static str> {
    let at = SHAPES
        .binary_search_by_key(&key, |shape| shape.key)
        .map_err(|_| "a request of unknown shape")?;
    let shape = &SHAPES[at];
    let mut walk = Walk {
        rest: body,
        version,
        flexible: version >= shape.flexible,
        elements: 0,
    };
    walk.fields(shape.fields)
}

struct Walk<'a> {
    rest: &'a [u8],
    version: i16,
    flexible: bool,
    elements: usize,
}

impl Walk<'_> {
    fn fields(&mut self, fields: &[Field]) -> Result<(), &'static str> {
        for field in fields {
            let Field(kind, from, to, nullable, tag) = field;
            if *tag == PLAIN && (*from..=*to).contains(&self.version) {
                self.value(kind, self.version >= *nullable)?;
            }
        }
        if self.flexible {
            self.tagged(fields)
        } else {
            Ok(())
        }
    }

    fn tagged(&mut self, fields: &[Field]) -> Result<(), &'static str> {
        let count = self.varint()?;
        for _ in 0..count {
            let tag = self.varint()?;
            let bytes = self.varint()? as usize;
            self.count(1)?;
            if self.rest.len() < bytes {
                return Err("a tagged field is longer than the request");
            }
            let known = fields.iter().find(|Field(_, from, to, _, known)| {
                i64::from(*known) == i64::from(tag) && (*from..=*to).contains(&self.version)
            });
            let Some(Field(kind, _, _, nullable, _)) = known else {
                self.skip(bytes)?;
                continue;
            };
            let end = self.rest.len() - bytes;
            self.value(kind, self.version >= *nullable)?;
            if self.rest.len() != end {
                return Err("a tagged field is not as long as it says");
            }
        }
        Ok(())
    }

    fn value(&mut self, kind: &Kind, nullable: bool) -> Result<(), &'static str> {
        match kind {
            Kind::Fixed(bytes) => self.skip(*bytes),
            Kind::Text => {
                let length = match self.flexible {
                    true => self.compact()?,
                    false => i64::from(i16::from_be_bytes(self.take()?)),
                };
                self.length(length, nullable).and_then(|length| self.skip(length))
            }
            Kind::Bytes => {
                let length = self.long_length()?;
                self.length(length, nullable).and_then(|length| self.skip(length))
            }
            Kind::Array(element) => {
                let length = self.long_length()?;
                let count = self.length(length, nullable)?;
                self.elements(element, count)
            }
            Kind::Struct(fields) if nullable => match i8::from_be_bytes(self.take()?) {
                1 => self.fields(fields),
                -1 => Ok(()),
                _ => Err("a structure neither there nor null"),
            },
            Kind::Struct(fields) => self.fields(fields),
        }
    }

    fn elements(&mut self, element: &Kind, count: usize) -> Result<(), &'static str> {
        if count > self.rest.len() {
            return Err("an array has more elements than the request has bytes");
        }
        self.count(count)?;
        if let Kind::Fixed(bytes) = element {
            return self.skip(count.saturating_mul(*bytes));
        }
        for _ in 0..count {
            self.value(element, false)?;
        }
        Ok(())
    }

    fn count(&mut self, elements: usize) -> Result<(), &'static str> {
        self.elements = self.elements.saturating_add(elements);
        if self.elements > REQUEST_ELEMENTS_MAX {
            return Err("more elements than a request may have");
        }
        Ok(())
    }

    /// A length as it was read: null is nothing where it may be, all else negative is wrong.
    fn length(&self, length: i64, nullable: bool) -> Result<usize, &'static str> {
        match length {
            -1 if nullable => Ok(0),
            -1 => Err("null where it may not be"),
            length => usize::try_from(length).map_err(|_| "negative length"),
        }
    }

    /// The length of bytes or of an array; -1 for null.
    fn long_length(&mut self) -> Result<i64, &'static str> {
        match self.flexible {
            true => self.compact(),
            false => Ok(i64::from(i32::from_be_bytes(self.take()?))),
        }
    }

    /// A length that is one less than written; -1 for null.
    fn compact(&mut self) -> Result<i64, &'static str> {
        Ok(i64::from(self.varint()?) - 1)
    }

    fn varint(&mut self) -> Result<u32, &'static str> {
        super::records::take_u32(&mut self.rest).ok_or("a bad varint")
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        let (front, rest) = self.rest.split_first_chunk().ok_or("cut short")?;
        self.rest = rest;
        Ok(*front)
    }

    fn skip(&mut self, bytes: usize) -> Result<(), &'static str> {
        self.rest = self
            .rest
            .get(bytes..)
            .ok_or("a length beyond the request's end")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
