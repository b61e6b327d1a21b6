//! The small file that says what a log consists of: replaced as a whole, so that every change of a log is one step.

#[cfg(test)]
mod tests;

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
};
use storage::{Result, StorageError};

const FORMAT: u8 = 1;
pub(super) const NAME: &str = "manifest";
const NEW: &str = "manifest.new";

/// A closed segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Closed {
    pub(super) base: u64,
    pub(super) generation: u32,
    pub(super) bytes: u64,
    pub(super) timestamp_max_ms: Option<i64>,
}

/// What is known to be on stable storage. Segments behind the active one are found by their names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Manifest {
    /// First offset held.
    pub(super) start: u64,
    /// Files of later segments count only from this generation on.
    pub(super) floor: u32,
    pub(super) closed: Vec<Closed>,
    /// Base of the segment that was being appended to.
    pub(super) active: u64,
    pub(super) active_generation: u32,
    /// Bytes and end of what was whole and synced in it: recovery starts here.
    pub(super) checked_bytes: u64,
    pub(super) checked_end: u64,
}

impl Manifest {
    /// The manifest of the log in `dir`, if one was written.
    pub(super) fn load(dir: &Path) -> Result<Option<Self>> {
        match std::fs::read(dir.join(NAME)) {
            Ok(raw) => match Manifest::decode(&raw) {
                Some(manifest) => Ok(Some(manifest)),
                None => Err(StorageError::Corrupt(format!(
                    "{} does not check out",
                    dir.join(NAME).display()
                ))),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Puts it in the place of the one before, on stable storage.
    pub(super) fn store(&self, dir: &Path) -> Result<()> {
        let stored = self.try_store(dir);
        if stored.is_err() {
            let _ = std::fs::remove_file(dir.join(NEW));
        }
        stored
    }

    fn try_store(&self, dir: &Path) -> Result<()> {
        std::fs::create_dir_all(dir)?;
        let mut file = File::create(dir.join(NEW))?;
        file.write_all(&self.encode())?;
        file.sync_data()?;
        std::fs::rename(dir.join(NEW), dir.join(NAME))?;
        sync_dir(dir)
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = vec![FORMAT];
        out.extend_from_slice(&self.start.to_le_bytes());
        out.extend_from_slice(&self.floor.to_le_bytes());
        out.extend_from_slice(&self.active.to_le_bytes());
        out.extend_from_slice(&self.active_generation.to_le_bytes());
        out.extend_from_slice(&self.checked_bytes.to_le_bytes());
        out.extend_from_slice(&self.checked_end.to_le_bytes());
        for closed in &self.closed {
            out.extend_from_slice(&closed.base.to_le_bytes());
            out.extend_from_slice(&closed.generation.to_le_bytes());
            out.extend_from_slice(&closed.bytes.to_le_bytes());
            out.extend_from_slice(&closed.timestamp_max_ms.unwrap_or(i64::MIN).to_le_bytes());
        }
        let crc = crc32c::crc32c(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out
    }

    fn decode(raw: &[u8]) -> Option<Self> {
        let (body, crc) = raw.split_last_chunk::<4>()?;
        if crc32c::crc32c(body) != u32::from_le_bytes(*crc) {
            return None;
        }
        let (format, mut body) = body.split_first()?;
        if *format != FORMAT {
            return None;
        }
        let mut manifest = Manifest {
            start: u64_of(&mut body)?,
            floor: u32_of(&mut body)?,
            active: u64_of(&mut body)?,
            active_generation: u32_of(&mut body)?,
            checked_bytes: u64_of(&mut body)?,
            checked_end: u64_of(&mut body)?,
            closed: Vec::new(),
        };
        while !body.is_empty() {
            manifest.closed.push(Closed {
                base: u64_of(&mut body)?,
                generation: u32_of(&mut body)?,
                bytes: u64_of(&mut body)?,
                timestamp_max_ms: Some(u64_of(&mut body)? as i64).filter(|at| *at != i64::MIN),
            });
        }
        Some(manifest)
    }
}

fn u64_of(body: &mut &[u8]) -> Option<u64> {
    let (value, rest) = body.split_first_chunk::<8>()?;
    *body = rest;
    Some(u64::from_le_bytes(*value))
}

fn u32_of(body: &mut &[u8]) -> Option<u32> {
    let (value, rest) = body.split_first_chunk::<4>()?;
    *body = rest;
    Some(u32::from_le_bytes(*value))
}

/// Brings the names in `dir` to stable storage.
pub(super) fn sync_dir(dir: &Path) -> Result<()> {
    File::open(dir)?.sync_all()?;
    Ok(())
}
