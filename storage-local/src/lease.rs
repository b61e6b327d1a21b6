//! Ownership of a data directory: a locked file that names its holder.

use crate::OpenError;
use rustix::fs::{FlockOperation, flock};
use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    path::Path,
    sync::Arc,
    time::Duration,
};
use storage::{Lease, Owner, Pending};

const NAME: &str = "LOCK";
/// Where the epoch is, too: whoever takes a left-over lock for stale and removes it must not bring old epochs back.
const EPOCH_NAME: &str = "EPOCH";
/// How long an owner in this same process may take to let go: its threads finish what they are at.
const LET_GO_TRIES: u32 = 1000;
const LET_GO_STEP: Duration = Duration::from_millis(10);

/// The locked file. The kernel lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct LockFile {
    _file: File,
    epoch: u64,
}

impl LockFile {
    /// Locks `dir` and starts a new epoch.
    pub(crate) fn take(dir: &Path) -> Result<Self, OpenError> {
        let path = dir.join(NAME);
        let fail = |source: io::Error| OpenError::Io {
            path: path.clone(),
            source,
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(&path).map_err(fail)?;
        let mut tries = 0;
        while let Err(error) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
            let (pid, _) = parse(&mut file);
            if error != rustix::io::Errno::WOULDBLOCK {
                return Err(fail(error.into()));
            }
            if pid != std::process::id() || tries == LET_GO_TRIES {
                return Err(OpenError::Locked {
                    path: dir.to_owned(),
                    pid,
                });
            }
            tries += 1;
            std::thread::sleep(LET_GO_STEP);
        }
        let (_, locked) = parse(&mut file);
        let epoch = locked.max(last_epoch(dir)) + 1;
        keep_epoch(dir, epoch).map_err(fail)?;
        let line = format!("format 1 pid {:>10} epoch {epoch:>20}\n", std::process::id());
        rustix::io::pwrite(&file, line.as_bytes(), 0).map_err(|error| fail(error.into()))?;
        file.flush().map_err(fail)?;
        file.sync_data().map_err(fail)?;
        Ok(LockFile { _file: file, epoch })
    }
}

/// The epoch of the last owner, as far as it was kept.
fn last_epoch(dir: &Path) -> u64 {
    let text = std::fs::read_to_string(dir.join(EPOCH_NAME)).unwrap_or_default();
    text.trim().parse().unwrap_or(0)
}

/// Keeps `epoch`, over the one before: that takes no room, which a full disk may not have.
fn keep_epoch(dir: &Path, epoch: u64) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    let file = options.open(dir.join(EPOCH_NAME))?;
    rustix::io::pwrite(&file, format!("{epoch:>20}\n").as_bytes(), 0)?;
    file.sync_data()
}

/// The holder's process and epoch, zeroes where nobody ever held it.
fn parse(file: &mut File) -> (u32, u64) {
    use std::io::Seek;
    let mut text = String::new();
    let read = file
        .rewind()
        .and_then(|()| Read::by_ref(file).take(256).read_to_string(&mut text));
    let mut words = text.split_whitespace();
    if read.is_err() || words.next() != Some("format") || words.next() != Some("1") {
        return (0, 0);
    }
    let mut number = || {
        words
            .nth(1)
            .and_then(|word| word.parse::<u64>().ok())
            .unwrap_or(0)
    };
    let pid = u32::try_from(number()).unwrap_or(0);
    (pid, number())
}

/// The lease of a locked directory: for as long as the process lives, nobody else can have it.
pub(crate) struct LocalLease {
    lock: Arc<LockFile>,
    address: String,
}

impl LocalLease {
    pub(crate) fn new(lock: Arc<LockFile>, address: String) -> Self {
        LocalLease { lock, address }
    }
}

impl Lease for LocalLease {
    fn epoch(&self) -> u64 {
        self.lock.epoch
    }

    fn owner(&self) -> Pending<'_, Option<Owner>> {
        let owner = Owner {
            epoch: self.lock.epoch,
            address: self.address.clone(),
        };
        Box::pin(std::future::ready(Ok(Some(owner))))
    }

    fn lost(&self) -> Pending<'_, ()> {
        Box::pin(std::future::pending())
    }
}

#[cfg(test)]
mod tests;
