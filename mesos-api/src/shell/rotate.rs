//! What a process writes, kept in a file that is put aside when it has become large. Blocks.

use super::folder::Folder;
use std::{
    fs::File,
    io::{self, PipeReader, Read, Write},
    sync::mpsc::SyncSender,
    thread::spawn,
};

/// Bytes that are taken at a time.
const PIECE_BYTES: usize = 64 << 10;

/// A file, and how large it may become.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) file: File,
    /// Where it is, under which name.
    pub(super) folder: Folder,
    pub(super) name: &'static str,
    pub(super) bytes_max: u64,
}

impl Kept {
    /// Takes what is written until nobody is left who could write, and lets go of `ends` then, which is never sent anything.
    pub(super) fn take(self, from: PipeReader, ends: SyncSender<()>) {
        spawn(move || {
            self.copy(from);
            drop(ends);
        });
    }

    fn copy(mut self, mut from: PipeReader) {
        let mut bytes = self.file.metadata().map_or(0, |found| found.len());
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let read = match from.read(&mut piece) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Ok(0) | Err(_) => return,
                Ok(read) => read,
            };
            if bytes > 0 && bytes + read as u64 > self.bytes_max {
                match self.next() {
                    Ok(file) => (self.file, bytes) = (file, 0),
                    // The task has put something else in its way: it goes on in the file that there is.
                    Err(_) => bytes = 0,
                }
            }
            // What a full disk does not take is lost, as it would be for the process itself, which must not wait for it.
            let _ = self.file.write_all(&piece[..read]);
            bytes += read as u64;
        }
    }

    /// Puts the file aside, in place of the one before, and begins a new one.
    fn next(&self) -> io::Result<File> {
        let aside = format!("{}.1", self.name);
        self.folder.rename(self.name.as_ref(), aside.as_ref())?;
        self.folder.append(self.name.as_ref())
    }
}

#[cfg(test)]
mod tests;
