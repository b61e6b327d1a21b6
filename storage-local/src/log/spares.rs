//! Segment files that were trimmed away, zeroed, and wait to be used again: their blocks are allocated already, so that
//! `fdatasync` of what is written over them has no metadata to bring along.

use super::{append::zero, segment::Segment};
use crate::work;
use parking_lot::Mutex;
use std::{
    fs::{File, OpenOptions},
    path::{Path, PathBuf},
    sync::Arc,
};
use storage::Result;

const SPARES_MAX: usize = 4;
/// Disk that spares may hold together.
const SPARES_BYTES_MAX: u64 = 1 << 30;
/// Smaller files are not worth it.
const SPARE_BYTES_MIN: u64 = 256 << 10;

#[derive(Debug)]
pub(super) struct Spares {
    dir: PathBuf,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    spares: Vec<Spare>,
    number: u64,
}

#[derive(Debug)]
struct Spare {
    path: PathBuf,
    bytes: u64,
    zeroed: bool,
}

impl Spares {
    /// No spares yet. Whatever lies in `dir` may not be zeroed: it goes.
    pub(super) fn new(dir: &Path) -> Result<Self> {
        for entry in std::fs::read_dir(dir)? {
            std::fs::remove_file(entry?.path())?;
        }
        Ok(Spares {
            dir: dir.to_owned(),
            state: Arc::default(),
        })
    }

    /// Makes a spare of a segment of `bytes` that no log lists any more, if nobody reads it and there are not enough.
    /// `false`: it is as it was.
    pub(super) fn keep(&self, segment: &Segment, bytes: u64) -> bool {
        let mut state = self.state.lock();
        let held: u64 = state.spares.iter().map(|spare| spare.bytes).sum();
        if bytes < SPARE_BYTES_MIN || state.spares.len() >= SPARES_MAX || held + bytes > SPARES_BYTES_MAX {
            return false;
        }
        let Some(file) = segment.take_unshared() else {
            return false;
        };
        state.number += 1;
        let path = self.dir.join(state.number.to_string());
        if std::fs::rename(segment.path(), &path).is_err() {
            return false;
        }
        segment.unlink();
        let shared = self.state.clone();
        let zeroing = path.clone();
        let started = work::spawn("storage-spare", move || prepare(&shared, &file, &zeroing, bytes));
        if started.is_ok() {
            state.spares.push(Spare {
                path,
                bytes,
                zeroed: false,
            });
        } else {
            remove(&path);
        }
        true
    }

    /// A spare as the file of `segment`, no longer than `bytes_max`, and its length.
    pub(super) fn take(&self, segment: &Arc<Segment>, bytes_max: u64) -> Option<(File, u64)> {
        let spare = {
            let mut state = self.state.lock();
            let fits = |spare: &Spare| spare.zeroed && spare.bytes <= bytes_max;
            let at = state.spares.iter().position(fits)?;
            state.spares.swap_remove(at)
        };
        let opened = std::fs::create_dir_all(&segment.dir)
            .and_then(|()| std::fs::rename(&spare.path, segment.path()))
            .and_then(|()| OpenOptions::new().read(true).write(true).open(segment.path()));
        opened.ok().map(|file| (file, spare.bytes))
    }

    /// Gives all of them back to a disk that is full.
    pub(super) fn clear(&self) {
        let spares = std::mem::take(&mut self.state.lock().spares);
        spares.iter().for_each(|spare| remove(&spare.path));
    }
}

/// Zeroes a file, on a thread of its own: it may be long, and nobody waits for it.
fn prepare(state: &Mutex<State>, file: &File, path: &Path, bytes: u64) {
    let zeroed = zero(file, 0, bytes).and_then(|()| file.sync_data());
    let mut state = state.lock();
    if zeroed.is_err() {
        state.spares.retain(|spare| spare.path != path);
        remove(path);
    }
    if let Some(spare) = state.spares.iter_mut().find(|spare| spare.path == path) {
        spare.zeroed = true;
    }
}

fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_file(path) {
        tracing::debug!(%error, path = %path.display(), "a spare was not removed; the next start does");
    }
}
