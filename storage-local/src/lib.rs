//! The embedded backend: RocksDB for `Kv`, segment files for `Log`, a lock file for `Lease`.
//!
//! Knows: files, RocksDB, `fdatasync`. Never: a server or a protocol.

#[cfg(feature = "internals")]
pub mod internals;
mod kv;
mod lease;
mod log;
mod reclaim;
mod tuning;
mod work;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};
use storage::{MergeFn, Shard, StorageError};

/// What every durable file below is written as. A new layout gets a new number, and a way to read the old one.
const FORMAT: &str = "smack storage-local format 1\n";
/// Log files that are open at the same time at the most, where the process may open so many.
const OPEN_FILES_MAX: u64 = 65_536;
/// The share of the process's open files that logs may take: the rest is for sockets.
const OPEN_FILES_SHARE: u64 = 2;

/// How a data directory is opened.
#[derive(Clone, Default)]
pub struct Options {
    /// Folds the operands of merges; without it they are refused.
    pub merge: Option<MergeFn>,
    /// How to reach this owner, for whoever asks the lease.
    pub address: String,
    /// Log files open at the same time at the most; `None`: half of what the process may open.
    pub open_files_max: Option<usize>,
}

/// Why a data directory could not be opened, in one sentence a person can act on.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("{path} is in use by process {pid}: stop it, or choose another data directory", path = path.display())]
    Locked {
        /// The data directory.
        path: PathBuf,
        /// The process that holds it.
        pid: u32,
    },
    /// It was written by something else.
    #[error("{path} is of another format ({found:?}): it was written by another version, or by another program", path = path.display())]
    Format {
        /// The data directory.
        path: PathBuf,
        /// What it says its format is.
        found: String,
    },
    /// The operating system refused.
    #[error("cannot use {path}: {source}", path = path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What is stored could not be opened.
    #[error("cannot open {path}: {source}", path = path.display())]
    Storage {
        /// The data directory.
        path: PathBuf,
        /// Why.
        source: StorageError,
    },
}

/// Opens the data directory `path`, making it where it is absent, and owns it until the last part of the shard is dropped.
pub fn open(path: &Path, options: Options) -> Result<Shard, OpenError> {
    let io = |source: io::Error| OpenError::Io {
        path: path.to_owned(),
        source,
    };
    let storage = |source: StorageError| OpenError::Storage {
        path: path.to_owned(),
        source,
    };
    let logs = path.join("logs");
    let spares = path.join("spares");
    std::fs::create_dir_all(&logs).map_err(io)?;
    std::fs::create_dir_all(&spares).map_err(io)?;
    let lock = Arc::new(lease::LockFile::take(path)?);
    check_format(path)?;
    let syncs = Arc::new(work::SyncQueue::start().map_err(io)?);
    let threads = log::Threads {
        syncs: syncs.clone(),
        openings: work::Chores::start("storage-open").map_err(io)?,
        chores: work::Chores::start("storage-chores").map_err(io)?,
    };
    let kv = kv::LocalKv::open(&path.join("kv"), options.merge, lock.clone(), syncs).map_err(storage)?;
    let files_max = options.open_files_max.unwrap_or_else(open_files_max);
    let logs = log::LocalLogs::new(&logs, &spares, lock.clone(), threads, files_max).map_err(storage)?;
    Ok(Shard {
        kv,
        logs: Arc::new(logs),
        lease: Arc::new(lease::LocalLease::new(lock, options.address)),
    })
}

fn check_format(path: &Path) -> Result<(), OpenError> {
    let file = path.join("FORMAT");
    let io = |source: io::Error| OpenError::Io {
        path: file.clone(),
        source,
    };
    match std::fs::read_to_string(&file) {
        Ok(found) if found == FORMAT => Ok(()),
        // Nothing was written before the format was: an opening that was interrupted here left an empty file.
        Ok(found) if !found.is_empty() => Err(OpenError::Format {
            path: path.to_owned(),
            found: found.chars().take(80).collect(),
        }),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io(error)),
        _ => std::fs::write(&file, FORMAT).map_err(io),
    }
}

/// Raises the limit of open files as far as this process may, and answers how many of them logs may have.
fn open_files_max() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let limit = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    let share = limit.unwrap_or(u64::MAX) / OPEN_FILES_SHARE;
    share.clamp(16, OPEN_FILES_MAX) as usize
}
