use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::{
    fmt::Display,
    io::{self, Read},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};
use tokio_util::sync::CancellationToken;

use crate::shell::folder::Owner;

/// How often somebody who waits for bytes sees whether anybody still wants them.
const ROUND: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};
/// Bytes of a complaint at the most.
const COMPLAINT_BYTES_MAX: u64 = 1024;

/// A file as another user may read it, or may not: a process of his reads it.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    process: Child,
    bytes: ChildStdout,
    stop: &'a CancellationToken,
}

impl<'a> Reader<'a> {
    pub(super) fn of(path: &Path, (uid, gid): Owner, stop: &'a CancellationToken) -> io::Result<Self> {
        let mut process = Command::new("cat")
            .arg("--")
            .arg(path)
            .env_clear()
            .env("LC_ALL", "C")
            .current_dir("/")
            .uid(uid)
            .gid(gid)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let bytes = process.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Reader { process, bytes, stop })
    }

    /// What it says for itself if it has failed.
    fn end(&mut self) -> io::Result<()> {
        let mut said = String::new();
        if let Some(complaint) = self.process.stderr.take() {
            complaint.take(COMPLAINT_BYTES_MAX).read_to_string(&mut said)?;
        }
        let ended = self.process.wait()?;
        let why = |why: &dyn Display| io::Error::other(why.to_string());
        match (ended.success(), said.trim()) {
            (true, _) => Ok(()),
            (false, "") => Err(why(&ended)),
            (false, said) => Err(why(&said.rsplit(": ").next().unwrap_or(said))),
        }
    }
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // What is read may have become something that never says a word.
        while poll(&mut [PollFd::new(&self.bytes, PollFlags::IN)], Some(&ROUND))? == 0 {
            if self.stop.is_cancelled() {
                return Err(io::Error::other("the container is killed"));
            }
        }
        match self.bytes.read(buffer)? {
            0 if !buffer.is_empty() => self.end().map(|()| 0),
            read => Ok(read),
        }
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
