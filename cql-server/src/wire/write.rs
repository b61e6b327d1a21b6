//! Notations of the protocol, written: `[string]`, `[bytes]`, `[inet]` and the like.

use bytes::BufMut;

/// The most a `[string]`, a `[short bytes]` or a list can tell of its length.
const SHORT_MAX: usize = u16::MAX as usize;

/// Notations of the protocol, after their names in its specification.
pub(crate) trait Put: BufMut {
    /// `[string]`. A text beyond its length field is cut: only an error's message can be that long.
    fn put_string(&mut self, text: &str) {
        let mut end = text.len().min(SHORT_MAX);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.put_u16(end as u16);
        self.put_slice(&text.as_bytes()[..end]);
    }

    /// `[bytes]`, null where there are none.
    fn put_bytes_or_null(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => {
                self.put_i32(bytes.len() as i32);
                self.put_slice(bytes);
            }
            None => self.put_i32(-1),
        }
    }

    /// `[short bytes]`.
    fn put_short_bytes(&mut self, bytes: &[u8]) {
        let end = bytes.len().min(SHORT_MAX);
        self.put_u16(end as u16);
        self.put_slice(&bytes[..end]);
    }

    /// `[string list]`.
    fn put_string_list<S: AsRef<str>>(&mut self, texts: &[S]) {
        let count = texts.len().min(SHORT_MAX);
        self.put_u16(count as u16);
        texts[..count]
            .iter()
            .for_each(|text| self.put_string(text.as_ref()));
    }

    /// `[string multimap]`.
    fn put_string_multimap(&mut self, entries: &[(&str, &[&str])]) {
        self.put_u16(entries.len() as u16);
        for (key, values) in entries {
            self.put_string(key);
            self.put_string_list(values);
        }
    }
}

impl<B: BufMut + ?Sized> Put for B {}
