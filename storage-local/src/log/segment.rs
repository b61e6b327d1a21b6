//! Segment files, and the bounded set of those that are open.

use super::{index::Index, scan};
use parking_lot::Mutex;
use std::{
    collections::VecDeque,
    fs::{File, OpenOptions},
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
};
use storage::{Framing, Result, StorageError};

/// Memory for the indexes of closed segments. Beyond, the oldest is forgotten, and read again when needed.
const INDEX_BYTES_MAX: usize = 8 << 20;

/// One file of entries. Its name tells its first offset and its generation: a file's bytes, once published, never
/// change, so whatever rewrites a segment makes a file of a new generation.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) dir: Arc<Path>,
    pub(super) base: u64,
    pub(super) generation: u32,
    opened: Mutex<Opened>,
    used: AtomicBool,
}

#[derive(Debug, Default)]
struct Opened {
    file: Option<Arc<File>>,
    index: Option<Arc<Index>>,
}

impl Segment {
    pub(super) fn new(dir: Arc<Path>, base: u64, generation: u32) -> Arc<Self> {
        Arc::new(Segment {
            dir,
            base,
            generation,
            opened: Mutex::default(),
            used: AtomicBool::new(false),
        })
    }

    /// The base and generation in a file name of [`Segment::path`].
    pub(super) fn parse(name: &str) -> Option<(u64, u32)> {
        let (base, generation) = name.strip_suffix(".log")?.split_once('-')?;
        Some((base.parse().ok()?, generation.parse().ok()?))
    }

    pub(super) fn path(&self) -> PathBuf {
        self.dir
            .join(format!("{:020}-{}.log", self.base, self.generation))
    }

    pub(super) fn sidecar(&self) -> PathBuf {
        self.dir
            .join(format!("{:020}-{}.index", self.base, self.generation))
    }

    /// When the file was last written, in ms since 1970, as the file system remembers it.
    pub(super) fn written_ms(&self) -> Option<i64> {
        let written = std::fs::metadata(self.path()).ok()?.modified().ok()?;
        let since = written.duration_since(std::time::UNIX_EPOCH).ok()?;
        i64::try_from(since.as_millis()).ok()
    }

    /// The file if nobody but this segment holds it open, so that it can be used again for other bytes.
    pub(super) fn take_unshared(&self) -> Option<File> {
        self.opened.lock().file.take().and_then(Arc::into_inner)
    }

    /// Removes the files. Who holds the open file can go on reading it.
    pub(super) fn unlink(&self) {
        *self.opened.lock() = Opened::default();
        for path in [self.path(), self.sidecar()] {
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(%error, path = %path.display(), "a file that is no longer needed stays behind");
                }
                _ => {}
            }
        }
    }
}

/// Whether a file was removed between the look at the view and its opening.
pub(super) fn is_gone(error: &StorageError) -> bool {
    matches!(error, StorageError::Io(error) if error.kind() == io::ErrorKind::NotFound)
}

/// The segment files that are open: at most so many, the least recently used closed first.
#[derive(Debug)]
pub(super) struct OpenFiles {
    files_max: usize,
    queue: Mutex<VecDeque<Weak<Segment>>>,
    indexes: Mutex<Indexes>,
}

/// Indexes of closed segments that are in memory, oldest first, and their bytes.
#[derive(Debug, Default)]
struct Indexes {
    queue: VecDeque<(Weak<Segment>, usize)>,
    bytes: usize,
}

impl OpenFiles {
    pub(super) fn new(files_max: usize) -> Self {
        OpenFiles {
            files_max,
            queue: Mutex::default(),
            indexes: Mutex::default(),
        }
    }

    /// The open file of `segment`.
    pub(super) fn get(&self, segment: &Arc<Segment>) -> Result<Arc<File>> {
        segment.used.store(true, Ordering::Relaxed);
        let file = {
            let mut opened = segment.opened.lock();
            if let Some(file) = &opened.file {
                return Ok(file.clone());
            }
            let file = Arc::new(OpenOptions::new().read(true).write(true).open(segment.path())?);
            opened.file = Some(file.clone());
            file
        };
        self.admit(segment);
        Ok(file)
    }

    /// Creates the file of `segment`, which must not exist.
    pub(super) fn create(&self, segment: &Arc<Segment>) -> Result<Arc<File>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        let file = match options.open(segment.path()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                std::fs::create_dir_all(&segment.dir)?;
                options.open(segment.path())
            }
            result => result,
        }?;
        Ok(self.adopt(segment, file))
    }

    /// Takes `file` as the open file of `segment`.
    pub(super) fn adopt(&self, segment: &Arc<Segment>, file: File) -> Arc<File> {
        let file = Arc::new(file);
        segment.opened.lock().file = Some(file.clone());
        self.admit(segment);
        file
    }

    /// The index of a closed segment of `bytes`: from memory, from its sidecar, or rebuilt.
    pub(super) fn index(
        &self,
        segment: &Arc<Segment>,
        bytes: u64,
        framing: &dyn Framing,
        interval: u32,
    ) -> Result<Arc<Index>> {
        if let Some(index) = &segment.opened.lock().index {
            return Ok(index.clone());
        }
        let file = self.get(segment)?;
        let stored = std::fs::read(segment.sidecar()).ok();
        let index = match stored.and_then(|raw| Index::decode(segment.base, bytes, &raw)) {
            Some(index) => index,
            None => {
                let index = scan::index(&file, framing, Index::new(segment.base, interval), bytes)?;
                let _ = std::fs::write(segment.sidecar(), index.encode(bytes));
                index
            }
        };
        let index = Arc::new(index);
        self.keep(segment, index.clone());
        Ok(index)
    }

    /// Takes the index of a segment that was just closed, and writes it beside it. The sidecar only saves work: failing
    /// to write it is not a failure of the log.
    pub(super) fn close(&self, segment: &Arc<Segment>, index: Index, bytes: u64) {
        if let Err(error) = std::fs::write(segment.sidecar(), index.encode(bytes)) {
            tracing::debug!(%error, "an index was not written; it will be rebuilt when needed");
        }
        self.keep(segment, Arc::new(index));
    }

    fn keep(&self, segment: &Arc<Segment>, index: Arc<Index>) {
        let bytes = index.memory_bytes();
        segment.opened.lock().index = Some(index);
        let mut indexes = self.indexes.lock();
        indexes.queue.push_back((Arc::downgrade(segment), bytes));
        indexes.bytes += bytes;
        while indexes.bytes > INDEX_BYTES_MAX
            && let Some((oldest, bytes)) = indexes.queue.pop_front()
        {
            indexes.bytes -= bytes;
            if let Some(oldest) = oldest.upgrade() {
                oldest.opened.lock().index = None;
            }
        }
    }

    /// Counts a segment as open. Called without its lock, since it takes those of others.
    fn admit(&self, segment: &Arc<Segment>) {
        let mut queue = self.queue.lock();
        queue.push_back(Arc::downgrade(segment));
        let mut second_chances = queue.len();
        while queue.len() > self.files_max {
            let Some(oldest) = queue.pop_front() else { break };
            let Some(oldest) = oldest.upgrade() else { continue };
            if second_chances > 0 && oldest.used.swap(false, Ordering::Relaxed) {
                second_chances -= 1;
                queue.push_back(Arc::downgrade(&oldest));
            } else {
                *oldest.opened.lock() = Opened::default();
            }
        }
    }
}
