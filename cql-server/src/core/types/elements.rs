//! The parts of collections, tuples, user types and vectors: taking them apart and putting them together.

use super::{CqlType, Native, compare, vint};
use std::cmp::Ordering;

/// Reads a value from its front. Every length is checked; `None` says that bytes are missing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(rest: &'a [u8]) -> Self {
        Cursor { rest }
    }

    /// What has not been read.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    pub(crate) fn i32(&mut self) -> Option<i32> {
        let (taken, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(i32::from_be_bytes(*taken))
    }

    /// A length and as many bytes; a negative length is null.
    #[expect(clippy::option_option, reason = "missing and null are different things")]
    pub(crate) fn value(&mut self) -> Option<Option<&'a [u8]>> {
        match usize::try_from(self.i32()?) {
            Ok(length) => self.take(length).map(Some),
            Err(_) => Some(None),
        }
    }

    /// A variable-length length and as many bytes.
    pub(crate) fn counted(&mut self) -> Option<&'a [u8]> {
        let length = vint::take_unsigned(&mut self.rest)?;
        self.take(usize::try_from(length).ok()?)
    }
}

/// The length of every value of a type, where vectors rely on it. Types that could have one but do not are the original's.
pub(crate) fn fixed_length(kind: &CqlType) -> Option<usize> {
    match kind {
        CqlType::Native(Native::Empty) => Some(0),
        CqlType::Native(Native::Boolean) => Some(1),
        CqlType::Native(Native::Float | Native::Int) => Some(4),
        CqlType::Native(Native::Bigint | Native::Double | Native::Timestamp) => Some(8),
        CqlType::Native(Native::Timeuuid | Native::Uuid) => Some(16),
        CqlType::Vector { of, dimensions } => Some(fixed_length(of)? * usize::from(*dimensions)),
        _ => None,
    }
}

/// The values in a list or set, or the keys and values in turn of a map; of a value that was validated. Ends where bytes
/// are missing.
pub(crate) fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    let mut cursor = Cursor::new(value);
    cursor.i32();
    std::iter::successors(next_element(cursor), |(_, cursor)| next_element(*cursor))
        .map(|(element, _)| element)
}

fn next_element(mut cursor: Cursor<'_>) -> Option<(&[u8], Cursor<'_>)> {
    let element = cursor.value()??;
    Some((element, cursor))
}

/// The keys and values of a map.
pub(crate) fn entries(value: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut parts = elements(value);
    std::iter::from_fn(move || Some((parts.next()?, parts.next()?)))
}

/// How many elements a collection says it has.
pub(crate) fn count(value: &[u8]) -> usize {
    Cursor::new(value)
        .i32()
        .and_then(|count| usize::try_from(count).ok())
        .unwrap_or(0)
}

/// The fields of a tuple or user type that are there; null among them.
pub(crate) fn fields(value: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    let mut cursor = Cursor::new(value);
    std::iter::from_fn(move || cursor.value())
}

/// One field of a tuple or user type: null also where the value ends before it.
pub(crate) fn field(value: &[u8], index: usize) -> Option<&[u8]> {
    fields(value).nth(index).flatten()
}

/// The elements of a vector of `of`.
pub(crate) fn vector_elements<'a>(of: &CqlType, value: &'a [u8]) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    let length = fixed_length(of).filter(|length| *length > 0);
    let mut cursor = Cursor::new(value);
    std::iter::from_fn(move || match length {
        Some(length) => cursor.take(length),
        None => cursor.counted(),
    })
}

/// The element of a list at `index`.
pub(crate) fn list_get(value: &[u8], index: usize) -> Option<&[u8]> {
    elements(value).nth(index)
}

/// What a map holds for `key`.
pub(crate) fn map_get<'a>(key_type: &CqlType, value: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    entries(value)
        .find(|(known, _)| compare(key_type, known, key) == Ordering::Equal)
        .map(|(_, found)| found)
}

/// The element of a set that equals `element`.
pub(crate) fn set_get<'a>(of: &CqlType, value: &'a [u8], element: &[u8]) -> Option<&'a [u8]> {
    elements(value).find(|known| compare(of, known, element) == Ordering::Equal)
}

/// Whether `element` lies from `from` to `to`, both included; an end that is missing is open.
fn within(kind: &CqlType, element: &[u8], from: Option<&[u8]>, to: Option<&[u8]>) -> bool {
    from.is_none_or(|from| compare(kind, element, from) != Ordering::Less)
        && to.is_none_or(|to| compare(kind, element, to) != Ordering::Greater)
}

/// The part of a set from `from` to `to`.
pub(crate) fn set_slice(of: &CqlType, value: &[u8], from: Option<&[u8]>, to: Option<&[u8]>) -> Vec<u8> {
    let mut out = Collection::default();
    elements(value)
        .filter(|element| within(of, element, from, to))
        .for_each(|element| out.push(element));
    out.finish()
}

/// The part of a map whose keys lie from `from` to `to`.
pub(crate) fn map_slice(key_type: &CqlType, value: &[u8], from: Option<&[u8]>, to: Option<&[u8]>) -> Vec<u8> {
    let mut out = Collection::default();
    entries(value)
        .filter(|(key, _)| within(key_type, key, from, to))
        .for_each(|(key, value)| out.entry(key, value));
    out.finish()
}

/// Puts a collection together. Sets and maps are given their elements in order.
#[derive(Debug)]
pub(crate) struct Collection {
    bytes: Vec<u8>,
    count: i32,
}

impl Default for Collection {
    fn default() -> Self {
        Collection {
            bytes: vec![0; 4],
            count: 0,
        }
    }
}

impl Collection {
    /// An element of a list or set.
    pub(crate) fn push(&mut self, element: &[u8]) {
        put_value(&mut self.bytes, Some(element));
        self.count += 1;
    }

    /// An entry of a map.
    pub(crate) fn entry(&mut self, key: &[u8], value: &[u8]) {
        put_value(&mut self.bytes, Some(key));
        put_value(&mut self.bytes, Some(value));
        self.count += 1;
    }

    /// The value.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        if let Some(head) = self.bytes.first_chunk_mut() {
            *head = self.count.to_be_bytes();
        }
        self.bytes
    }
}

/// A list or set of `elements`, which stand in its order.
pub(crate) fn collection<T: AsRef<[u8]>>(elements: impl IntoIterator<Item = T>) -> Vec<u8> {
    let mut out = Collection::default();
    elements
        .into_iter()
        .for_each(|element| out.push(element.as_ref()));
    out.finish()
}

/// A tuple or user type of `fields`.
pub(crate) fn tuple<T: AsRef<[u8]>>(fields: impl IntoIterator<Item = Option<T>>) -> Vec<u8> {
    let mut out = Vec::new();
    for field in fields {
        put_value(&mut out, field.as_ref().map(AsRef::as_ref));
    }
    out
}

/// A vector of elements of type `of`.
pub(crate) fn vector<T: AsRef<[u8]>>(of: &CqlType, elements: impl IntoIterator<Item = T>) -> Vec<u8> {
    let counted = fixed_length(of).is_none();
    let mut out = Vec::new();
    for element in elements {
        let element = element.as_ref();
        if counted {
            vint::put_unsigned(&mut out, element.len() as u64);
        }
        out.extend_from_slice(element);
    }
    out
}

/// A value with its length before it. Values beyond 2 GiB do not exist: frames are far smaller.
pub(crate) fn put_value(out: &mut Vec<u8>, value: Option<&[u8]>) {
    match value {
        Some(value) => {
            out.extend_from_slice(&(value.len() as i32).to_be_bytes());
            out.extend_from_slice(value);
        }
        None => out.extend_from_slice(&(-1_i32).to_be_bytes()),
    }
}
