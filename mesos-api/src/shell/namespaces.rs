//! Namespaces of containers: processes that see none but their own, below mounts of their own.
//!
//! Knows: the kernel's calls. Never: whose container it is. Blocks.

use rustix::{
    fs::{CWD, Mode, OFlags, openat},
    io::Errno,
    mount::{MountFlags, MountPropagationFlags, mount, mount_change},
    process::{Pid, PidfdFlags, pidfd_open},
    thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space},
};
use serde::{Deserialize, Serialize};
use std::{
    ffi::CStr,
    fs::File,
    io,
    os::fd::{AsFd, AsRawFd, OwnedFd},
    path::Path,
    thread,
};

/// What containers have to themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Namespaces {
    /// Mounts: what one mounts, nobody else sees, and it is gone with it.
    pub(crate) mounts: bool,
    /// Processes, which needs mounts, too: `/proc` shows its own.
    pub(crate) processes: bool,
}

impl Namespaces {
    /// Whether this host lets the agent have them. It is tried, by a thread that ends with what it got.
    pub(crate) fn permitted(self) -> io::Result<()> {
        let tried = thread::scope(|scope| {
            let tries = scope.spawn(|| {
                if self.processes {
                    unshare(UnshareFlags::NEWPID)?;
                }
                self.enter()
            });
            tries.join()
        });
        tried.unwrap_or_else(|_| Err(io::Error::other("who tried panicked")))
    }

    /// Gives this thread mounts of its own. Nothing of them is seen outside, but what is mounted there is seen here.
    pub(super) fn enter(self) -> io::Result<()> {
        if !self.mounts {
            return Ok(());
        }
        unshare(UnshareFlags::NEWNS)?;
        let down = MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC;
        mount_change("/", down)?;
        if self.processes {
            let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
            mount("proc", "/proc", "proc", flags, None::<&CStr>)?;
        }
        Ok(())
    }
}

/// Where the next process begins that this one forks.
#[derive(Debug)]
pub(super) struct Birthplace {
    /// Where this process is.
    own: OwnedFd,
}

impl Birthplace {
    pub(super) fn new() -> io::Result<Self> {
        let own = openat(
            CWD,
            "/proc/self/ns/pid",
            OFlags::RDONLY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        Ok(Birthplace { own })
    }

    /// As the first of a new namespace.
    pub(super) fn apart(&self) -> Result<(), Errno> {
        unshare(UnshareFlags::NEWPID)
    }

    /// Among those of a namespace.
    pub(super) fn among(&self, namespace: &OwnedFd) -> Result<(), Errno> {
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::ProcessID))
    }

    /// Where this process is, again.
    pub(super) fn here(&self) -> Result<(), Errno> {
        self.among(&self.own)
    }
}

/// The namespace of processes that one is in.
pub(super) fn of_process(process: u32) -> io::Result<OwnedFd> {
    let path = format!("/proc/{process}/ns/pid");
    Ok(openat(
        CWD,
        path,
        OFlags::RDONLY | OFlags::CLOEXEC,
        Mode::empty(),
    )?)
}

/// `/proc` as the agent sees it, where another is mounted in its place.
#[derive(Debug)]
pub(super) struct Outside(Option<OwnedFd>);

impl Outside {
    /// As it is before one has entered these.
    pub(super) fn of(namespaces: Namespaces) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
        let open = || openat(CWD, "/proc", flags, Mode::empty());
        Ok(Outside(namespaces.processes.then(open).transpose()?))
    }

    pub(super) fn open(&self, path: &str) -> io::Result<File> {
        match &self.0 {
            None => File::open(Path::new("/proc").join(path)),
            Some(proc) => {
                let flags = OFlags::RDONLY | OFlags::CLOEXEC;
                Ok(openat(proc, path, flags, Mode::empty())?.into())
            }
        }
    }

    /// The number by which the agent knows a process.
    pub(super) fn number(&self, process: Pid) -> io::Result<Pid> {
        if self.0.is_none() {
            return Ok(process);
        }
        let process = pidfd_open(process, PidfdFlags::empty())?;
        let info = self.open(&format!("self/fdinfo/{}", process.as_raw_fd()))?;
        let info = io::read_to_string(info)?;
        let number = info.lines().find_map(|line| line.strip_prefix("Pid:"));
        let number = number.and_then(|number| Pid::from_raw(number.trim().parse().ok()?));
        number.ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

#[allow(
    deprecated,
    reason = "warns of descriptors that are no longer shared, of which these flags say nothing"
)]
fn unshare(flags: UnshareFlags) -> Result<(), Errno> {
    rustix::thread::unshare(flags)
}

#[cfg(test)]
mod tests;
