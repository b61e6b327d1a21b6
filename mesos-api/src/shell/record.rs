//! What is written of one container's process beside the agent's own records: who watches over it, and how it ended.

use super::supervise::stat;
use crate::core::agent::Ended;
use rustix::{
    fs::{FlockOperation, flock},
    process::Pid,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::fd::IntoRawFd,
    path::{Path, PathBuf},
};

/// Bytes of a record at the most.
const RECORD_BYTES_MAX: u64 = 4096;
/// Bytes of a file of lines beyond which it begins anew.
const NOTED_BYTES_MAX: u64 = 64 << 10;

/// The files of one container: `NAME.watch`, locked by who watches, and `NAME.end`, once it ended.
#[derive(Debug, Clone)]
pub(super) struct Record {
    base: PathBuf,
}

/// Who watches over which process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Watch {
    pub(super) supervisor: u32,
    pub(super) process: u32,
    /// When the process began. Files of earlier versions do not tell.
    #[serde(default)]
    begun: Option<Begun>,
}

/// When a process began, which tells it from another that has its number later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Begun {
    /// Which run of the machine.
    boot: String,
    /// In the kernel's ticks since then.
    at: u64,
}

impl Begun {
    fn of(process: Pid) -> Option<Self> {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        // Field 22 of `stat`; those behind the name begin with the third.
        let at = stat(process)?.split_whitespace().nth(19)?.parse().ok()?;
        Some(Begun { boot, at })
    }
}

impl Watch {
    /// Whether the process is certainly still the one that was written down.
    pub(super) fn holds(&self) -> bool {
        let pid = i32::try_from(self.process).ok().and_then(Pid::from_raw);
        let now = pid.and_then(Begun::of);
        now.is_some() && now == self.begun
    }
}

/// What a container's end may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum End {
    Of(Ended),
    /// An agent gave it up before it began.
    GivenUp,
}

impl Record {
    pub(super) fn new(base: &Path) -> Self {
        Record {
            base: base.to_owned(),
        }
    }

    /// The same, wherever its folder is by now: a task may mount something in its place. The folder stays open from now on.
    pub(super) fn held(self) -> io::Result<Self> {
        let (folder, name) = (self.base.parent(), self.base.file_name());
        let (folder, name) = folder.zip(name).ok_or(io::ErrorKind::InvalidInput)?;
        let folder = File::open(folder)?.into_raw_fd();
        let base = Path::new("/proc/self/fd").join(folder.to_string()).join(name);
        Ok(Record { base })
    }

    pub(super) fn base(&self) -> &Path {
        &self.base
    }

    fn path(&self, kind: &str) -> PathBuf {
        let mut name = self.base.clone().into_os_string();
        name.push(kind);
        name.into()
    }

    /// Its files.
    pub(super) fn files(&self) -> [PathBuf; 2] {
        [".end", ".watch"].map(|kind| self.path(kind))
    }

    /// The lock, unless somebody has it.
    pub(super) fn lock(&self) -> io::Result<File> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.path(".watch"))?;
        flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        Ok(file)
    }

    /// Writes down who watches over what, by the numbers that the agent knows; `here` is the one that this process knows.
    pub(super) fn note(&self, mut lock: &File, supervisor: Pid, process: Pid, here: Pid) -> io::Result<()> {
        let number = |pid: Pid| pid.as_raw_nonzero().get().unsigned_abs();
        let watch = Watch {
            supervisor: number(supervisor),
            process: number(process),
            begun: Begun::of(here),
        };
        lock.write_all(&serde_json::to_vec(&watch)?)
    }

    /// Who watches, as far as that is written.
    pub(super) fn watch(&self) -> io::Result<Watch> {
        let mut text = Vec::new();
        let file = File::open(self.path(".watch"))?;
        file.take(RECORD_BYTES_MAX).read_to_end(&mut text)?;
        Ok(serde_json::from_slice(&text)?)
    }

    /// How it ended, if it did.
    pub(super) fn end(&self) -> io::Result<Option<End>> {
        match fs::read(self.path(".end")) {
            // Torn as the machine went down, which no process survived: nobody knows how it ended.
            Ok(text) => Ok(serde_json::from_slice(&text).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) fn finish(&self, ended: Ended) -> io::Result<()> {
        replace(&self.path(".end"), &serde_json::to_vec(&End::Of(ended))?)
    }

    /// Sees to it that what has not begun does not begin any more. Holds for who has the lock.
    pub(super) fn give_up(&self) -> io::Result<()> {
        replace(&self.path(".end"), &serde_json::to_vec(&End::GivenUp)?)
    }

    /// The agent knows it all by heart. What was given up stays so: who was to watch may be late.
    pub(super) fn remove(&self) {
        if matches!(self.end(), Ok(Some(End::GivenUp))) {
            return;
        }
        for file in self.files() {
            let _ = fs::remove_file(file);
        }
    }
}

/// Puts a whole file in place of another, or none: a half-written one is never seen. What the operating system has
/// survives the death of a process, which is all that is asked for.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = new_of(path);
    fs::write(&new, bytes)?;
    fs::rename(&new, path)
}

/// As [`replace`], and it survives the death of the machine.
pub(super) fn replace_for_good(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = new_of(path);
    let mut file = File::create(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Adds a line to a file, of which the last whole one counts. A file system that keeps freed inodes for a while, as ext4 does,
/// takes the longer to make a file the more were just replaced.
pub(super) fn note(path: &Path, line: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    if file.metadata()?.len() > NOTED_BYTES_MAX {
        return replace(path, line);
    }
    // What was torn before it is a line of its own.
    file.write_all(&[b"\n", line, b"\n"].concat())
}

/// What the last whole line says.
pub(super) fn last_noted<T: DeserializeOwned>(text: &[u8]) -> serde_json::Result<T> {
    let lines = text.rsplit(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let whole = |read: &serde_json::Result<T>| read.as_ref().err().is_none_or(serde_json::Error::is_data);
    let last = lines.map(serde_json::from_slice).find(whole);
    last.unwrap_or_else(|| serde_json::from_slice(b""))
}

pub(super) fn new_of(path: &Path) -> PathBuf {
    let mut new = path.to_owned().into_os_string();
    new.push(".new");
    new.into()
}

#[cfg(test)]
mod tests;
