//! The logs of a directory, by name: one folder each.

#[cfg(test)]
mod tests;

use super::{LocalLog, Shared, Threads, segment::OpenFiles, spares::Spares};
use crate::lease::LockFile;
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    future::ready,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
};
use storage::{Log, LogOptions, Logs, Pending, Result, StorageError, Volume};

/// Folders that start so are no logs any more. No name does: dots in front are escaped.
const REMOVED: &str = ".removed-";

/// A slot is held while its log is being opened, so that others can be opened meanwhile.
type OpenSlot = Arc<Mutex<Weak<LocalLog>>>;

pub(crate) struct LocalLogs {
    shared: Arc<Shared>,
    dir: PathBuf,
    open: Mutex<HashMap<String, OpenSlot>>,
    /// Size of `open` at which closed logs are forgotten.
    forget_at: AtomicU64,
    removals: AtomicU64,
}

impl LocalLogs {
    /// The logs below `dir`, with files to be used again in `spares`. Both exist.
    pub(crate) fn new(
        dir: &Path,
        spares: &Path,
        lock: Arc<LockFile>,
        threads: Threads,
        files_max: usize,
    ) -> Result<Self> {
        let logs = LocalLogs {
            shared: Arc::new(Shared {
                files: OpenFiles::new(files_max),
                threads,
                spares: Spares::new(spares)?,
                _lock: lock,
            }),
            dir: dir.to_owned(),
            open: Mutex::default(),
            forget_at: AtomicU64::new(64),
            removals: AtomicU64::new(0),
        };
        logs.sweep()?;
        Ok(logs)
    }

    /// Goes on with removals that were interrupted.
    fn sweep(&self) -> Result<()> {
        for entry in std::fs::read_dir(&self.dir)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(REMOVED) {
                std::fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }

    fn slot(&self, name: &str) -> OpenSlot {
        let mut open = self.open.lock();
        if open.len() as u64 >= self.forget_at.load(Ordering::Relaxed) {
            open.retain(|_, slot| {
                Arc::strong_count(slot) > 1 || slot.try_lock().is_none_or(|log| log.strong_count() > 0)
            });
            self.forget_at
                .store(64.max(open.len() as u64 * 2), Ordering::Relaxed);
        }
        open.entry(name.to_owned()).or_default().clone()
    }

    async fn open_now(&self, name: &str, options: LogOptions) -> Result<Arc<dyn Log>> {
        let (slot, dir, shared) = (self.slot(name), self.dir.join(folder(name)?), self.shared.clone());
        let exists = dir.exists();
        let open = move || open_in(&slot, shared, &dir, options);
        match exists {
            true => self.shared.threads.openings.run(open).await,
            // Nothing is to be recovered: not worth the way to another thread.
            false => open(),
        }
    }

    fn list_now(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.dir)? {
            let folder = entry?.file_name();
            names.extend(folder.to_str().and_then(name));
        }
        names.sort();
        Ok(names)
    }

    async fn remove_now(&self, name: &str) -> Result<()> {
        let folder = self.dir.join(folder(name)?);
        let slot = self.open.lock().remove(name);
        let log = slot.and_then(|slot| slot.lock().upgrade());
        if let Some(log) = &log {
            log.refuse();
        }
        let number = self.removals.fetch_add(1, Ordering::Relaxed);
        let aside = self.dir.join(format!("{REMOVED}{}-{number}", std::process::id()));
        let dir = self.dir.clone();
        self.shared
            .threads
            .chores
            .run(move || {
                // A change that was begun ends first: it may make the folder anew.
                let _changes = log.as_ref().map(|log| log.changes.lock());
                match std::fs::rename(&folder, &aside) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                    renamed => renamed?,
                }
                super::manifest::sync_dir(&dir)?;
                Ok(std::fs::remove_dir_all(&aside)?)
            })
            .await
    }
}

/// Opens the log in `dir`, unless it is open: then it is told of `options`.
fn open_in(slot: &OpenSlot, shared: Arc<Shared>, dir: &Path, options: LogOptions) -> Result<Arc<dyn Log>> {
    let mut slot = slot.lock();
    if let Some(log) = slot.upgrade() {
        log.configure(options);
        return Ok(log);
    }
    let log = LocalLog::open(shared, dir, options)?;
    *slot = Arc::downgrade(&log);
    Ok(log)
}

impl Logs for LocalLogs {
    fn open<'a>(&'a self, name: &'a str, options: LogOptions) -> Pending<'a, Arc<dyn Log>> {
        Box::pin(self.open_now(name, options))
    }

    fn list(&self) -> Pending<'_, Vec<String>> {
        Box::pin(ready(self.list_now()))
    }

    fn volume(&self) -> Option<Volume> {
        let volume = rustix::fs::statvfs(&self.dir).ok()?;
        Some(Volume {
            bytes: volume.f_blocks.saturating_mul(volume.f_frsize),
            usable_bytes: volume.f_bavail.saturating_mul(volume.f_frsize),
        })
    }

    fn remove<'a>(&'a self, name: &'a str) -> Pending<'a, ()> {
        Box::pin(self.remove_now(name))
    }
}

impl LocalLog {
    /// The log is being removed: nothing is done with it any more.
    fn refuse(&self) {
        self.writer.lock().failed = Some(StorageError::Removed);
        self.view.write().removed = true;
        let _ = self.synced.send_replace(Err(StorageError::Removed));
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

/// The folder of the log `name`: the name itself, with `%XX` for what a file system might take amiss.
fn folder(name: &str) -> Result<String> {
    let mut folder = String::with_capacity(name.len());
    for (at, byte) in name.bytes().enumerate() {
        if is_plain(byte) && !(at == 0 && byte == b'.') {
            folder.push(char::from(byte));
        } else {
            folder.push_str(&format!("%{byte:02X}"));
        }
    }
    if folder.is_empty() || folder.len() > 255 {
        let what = format!("a log cannot be named {name:?}");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, what).into());
    }
    Ok(folder)
}

/// The log kept in `folder`; `None` where it is none.
fn name(folder: &str) -> Option<String> {
    if folder.starts_with('.') {
        return None;
    }
    let mut parts = folder.split('%');
    let mut name = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        name.push(u8::from_str_radix(digits, 16).ok()?);
        name.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(name).ok()
}
