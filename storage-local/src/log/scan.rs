//! Walks the entries of a segment file: by their heads where the bytes are known to be whole, by their checksums where
//! they are not.

use super::index::Index;
use std::{fs::File, os::unix::fs::FileExt};
use storage::{EntryMeta, Framing, Result, StorageError};

/// Bytes that one call reads ahead when it hops from head to head.
const AHEAD_BYTES: usize = 16 << 10;
/// Bytes that one call reads when every byte must be looked at.
const VERIFY_BYTES: usize = 1 << 20;

/// Hops over entries that were published, head by head.
pub(super) struct Heads<'a> {
    file: &'a File,
    framing: &'a dyn Framing,
    at: u64,
    end: u64,
    window: Vec<u8>,
    window_at: u64,
}

impl<'a> Heads<'a> {
    /// The entries from `at`, where one starts, to `end`, where one ends.
    pub(super) fn new(file: &'a File, framing: &'a dyn Framing, at: u64, end: u64) -> Self {
        Heads {
            file,
            framing,
            at,
            end,
            window: Vec::new(),
            window_at: at,
        }
    }

    /// Where the next entry starts, and what it is.
    pub(super) fn next(&mut self) -> Result<Option<(u64, EntryMeta)>> {
        if self.at >= self.end {
            return Ok(None);
        }
        let head_bytes = self.framing.head_bytes();
        let position = self.at;
        let mut skip = (position - self.window_at) as usize;
        if skip + head_bytes > self.window.len() {
            let ahead = (self.end - position).min(AHEAD_BYTES.max(head_bytes) as u64) as usize;
            self.window.resize(ahead, 0);
            self.file.read_exact_at(&mut self.window, position)?;
            self.window_at = position;
            skip = 0;
        }
        let meta = self
            .window
            .get(skip..skip + head_bytes)
            .and_then(|head| self.framing.measure(head))
            .filter(|meta| meta.bytes > 0 && position + u64::from(meta.bytes) <= self.end)
            .ok_or_else(|| StorageError::Corrupt(format!("no entry at byte {position} of a segment")))?;
        self.at += u64::from(meta.bytes);
        Ok(Some((position, meta)))
    }
}

/// Rebuilds the index of a closed segment of `bytes`.
pub(super) fn index(file: &File, framing: &dyn Framing, mut index: Index, bytes: u64) -> Result<Index> {
    let mut heads = Heads::new(file, framing, 0, bytes);
    while let Some((position, meta)) = heads.next()? {
        index.push(&meta, position);
    }
    Ok(index)
}

/// Up to where a segment is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Whole {
    /// Bytes up to the end of the last whole entry.
    pub(super) bytes: u64,
    /// Next offset after it.
    pub(super) end: u64,
}

/// Reads entries from `from` on, checks each, notes them in `index`, and stops where one is torn, garbled or absent.
pub(super) fn verify(file: &File, framing: &dyn Framing, index: &mut Index, from: Whole) -> Result<Whole> {
    let length = file.metadata()?.len();
    let head_bytes = framing.head_bytes() as u64;
    let mut window = Vec::new();
    let mut window_at = from.bytes;
    let mut whole = from;
    loop {
        if whole.bytes + head_bytes > length {
            return Ok(whole);
        }
        let head = load(file, &mut window, &mut window_at, whole.bytes, head_bytes, length)?;
        let measured = framing.measure(head).filter(|meta| {
            meta.bytes > 0
                && meta.first >= whole.end
                && meta.last >= meta.first
                && whole.bytes + u64::from(meta.bytes) <= length
        });
        let Some(meta) = measured else { return Ok(whole) };
        let bytes = u64::from(meta.bytes);
        if !framing.verify(load(
            file,
            &mut window,
            &mut window_at,
            whole.bytes,
            bytes,
            length,
        )?) {
            return Ok(whole);
        }
        index.push(&meta, whole.bytes);
        whole = Whole {
            bytes: whole.bytes + bytes,
            end: meta.last + 1,
        };
    }
}

/// `bytes` of `file` from `at`, through a window that is refilled in large steps.
fn load<'a>(
    file: &File,
    window: &'a mut Vec<u8>,
    window_at: &mut u64,
    at: u64,
    bytes: u64,
    length: u64,
) -> Result<&'a [u8]> {
    if at + bytes > *window_at + window.len() as u64 {
        let step = (length - at).min(bytes.max(VERIFY_BYTES as u64));
        window.resize(step as usize, 0);
        file.read_exact_at(window, at)?;
        *window_at = at;
    }
    let skip = (at - *window_at) as usize;
    Ok(&window[skip..skip + bytes as usize])
}
