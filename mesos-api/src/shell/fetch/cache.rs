use super::{FETCHED_BYTES_MAX, FetchError, source};
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio_util::sync::CancellationToken;

/// Bytes that are kept at the most: the original's `fetcher_cache_size`.
const KEPT_BYTES_MAX: u64 = 2 << 30;

/// What is kept, by URI and the user it was fetched for.
type Key = (String, Option<(u32, u32)>);

/// Files that were fetched once and are used again. It begins empty with each start of the agent, as the original's.
#[derive(Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    entries: HashMap<Key, Arc<Entry>>,
    made: u64,
}

/// One file; its lock is held while it is fetched, so that it is fetched once.
#[derive(Debug)]
struct Entry {
    path: PathBuf,
    /// Its bytes, once it is there.
    fetched: Mutex<Option<u64>>,
    used: Mutex<u64>,
}

/// A file that is not removed while this is held.
#[derive(Debug)]
pub(super) struct Kept(Arc<Entry>);

impl Kept {
    pub(super) fn path(&self) -> &Path {
        &self.0.path
    }
}

impl Cache {
    /// An empty cache below the agent's work directory.
    pub(crate) fn new(work_dir: &Path) -> Self {
        let folder = work_dir.join("fetch");
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, "the fetcher's cache of an earlier run stays");
            }
            _ => {}
        }
        Cache {
            folder,
            inner: Mutex::new(Inner::default()),
        }
    }

    /// The file of a URI, fetched now if it is not there.
    pub(super) fn keep(
        &self,
        uri: &str,
        owner: Option<(u32, u32)>,
        stop: &CancellationToken,
    ) -> Result<Kept, FetchError> {
        let entry = self.entry((uri.to_owned(), owner));
        let mut fetched = entry.fetched.lock();
        if fetched.is_none() {
            fs::create_dir_all(&self.folder)?;
            let mut file = File::create(&entry.path)?;
            if let Err(error) = source::bring(uri, owner, &mut file, stop) {
                let _ = fs::remove_file(&entry.path);
                return Err(error);
            }
            *fetched = Some(fs::metadata(&entry.path)?.len().min(FETCHED_BYTES_MAX));
        }
        drop(fetched);
        self.make_room();
        Ok(Kept(entry))
    }

    fn entry(&self, key: Key) -> Arc<Entry> {
        let mut inner = self.inner.lock();
        inner.made += 1;
        let (used, path) = (inner.made, self.folder.join(format!("c{}", inner.made)));
        let new = || Entry {
            path,
            fetched: Mutex::new(None),
            used: Mutex::new(0),
        };
        let entry = inner
            .entries
            .entry(key)
            .or_insert_with(|| Arc::new(new()))
            .clone();
        *entry.used.lock() = used;
        entry
    }

    /// Removes what was not used for longest and is not used now, until the rest is little enough.
    fn make_room(&self) {
        let mut inner = self.inner.lock();
        let bytes = |entry: &Arc<Entry>| entry.fetched.try_lock().and_then(|bytes| *bytes).unwrap_or(0);
        let mut sum: u64 = inner.entries.values().map(bytes).sum();
        while sum > KEPT_BYTES_MAX {
            let idle = inner
                .entries
                .iter()
                .filter(|(_, entry)| Arc::strong_count(entry) == 1);
            let oldest = idle
                .min_by_key(|(_, entry)| *entry.used.lock())
                .map(|(key, _)| key.clone());
            let Some(entry) = oldest.and_then(|key| inner.entries.remove(&key)) else {
                return;
            };
            sum -= bytes(&entry);
            let _ = fs::remove_file(&entry.path);
        }
    }
}
