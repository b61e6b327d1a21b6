//! Where supervisors come from. To load this program takes longer than all else that a short task costs, so it is loaded once,
//! into a process with a single thread, which forks a supervisor whenever the agent asks for one. It is started when the first
//! is wanted, or the last one is gone, and ends with the agent; supervisors go on without it.
//!
//! Rooms: `forks` (that process). Knows: descriptors, and how they are handed over. Never: what a supervisor does.

mod forks;

pub(super) use forks::{Who, leave, serve};

use parking_lot::Mutex;
use rustix::{
    cmsg_space,
    io::retry_on_intr,
    net::{
        AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
        SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
    },
};
use std::{
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// Descriptors that a supervisor is given: its standard input, output and error, and the folder that it works in.
const GIVEN: usize = 4;

/// Descriptors of a message at the most: what is given, and where a supervisor is to be.
const SENT_MAX: usize = GIVEN + 1;

/// Among which processes a supervisor is.
#[derive(Debug)]
pub(super) enum Among {
    /// The agent's.
    Ours,
    /// None but those that descend from it: it is the first of a namespace.
    Own,
    /// Those of this namespace.
    Others(OwnedFd),
}

/// What asks for supervisors.
#[derive(Debug)]
pub(crate) struct Nursery {
    program: PathBuf,
    process: Mutex<Option<Process>>,
}

impl Nursery {
    /// By this program, which is not started yet.
    pub(crate) fn new(program: PathBuf) -> Self {
        let process = Mutex::new(None);
        Nursery { program, process }
    }

    /// Has a supervisor begin, and answers what its end can be seen by. Blocks.
    pub(super) fn supervisor(&self, among: &Among, given: [BorrowedFd<'_>; GIVEN]) -> io::Result<OwnedFd> {
        let (mut process, mut given) = (self.process.lock(), given.to_vec());
        if let Among::Others(namespace) = among {
            given.push(namespace.as_fd());
        }
        let own = i32::from(matches!(among, Among::Own));
        if let Some(process) = &*process
            && process.ask(own, &given).is_ok()
        {
            return process.answer();
        }
        // There is none, or it is gone and has not heard: what it may have heard is not asked for twice.
        let process = process.insert(Process::start(&self.program)?);
        process.ask(own, &given)?;
        process.answer()
    }
}

/// The process that forks.
#[derive(Debug)]
struct Process {
    socket: OwnedFd,
    child: Child,
}

impl Process {
    fn start(program: &Path) -> io::Result<Self> {
        let (socket, theirs) = socketpair(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC,
            None,
        )?;
        let child = Command::new(program)
            .arg0("smack")
            .arg("supervise")
            .env_clear()
            .current_dir("/")
            .stdin(theirs)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Process { socket, child })
    }

    fn ask(&self, own: i32, given: &[BorrowedFd<'_>]) -> io::Result<()> {
        send(&self.socket, own, given)
    }

    fn answer(&self) -> io::Result<OwnedFd> {
        match receive(&self.socket)? {
            Some((0, descriptors)) => descriptors
                .into_iter()
                .next()
                .ok_or_else(|| io::ErrorKind::InvalidData.into()),
            Some((error, _)) => Err(io::Error::from_raw_os_error(error)),
            None => Err(io::Error::other("the process that forks supervisors is gone")),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It is gone already, or about to be.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a number and descriptors as one message.
fn send(to: impl AsFd, number: i32, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(SENT_MAX))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let number = number.to_le_bytes();
    let bytes = [IoSlice::new(&number)];
    retry_on_intr(|| sendmsg(&to, &bytes, &mut control, SendFlags::NOSIGNAL))?;
    Ok(())
}

/// What was sent, or nothing once nobody is left who could send.
fn receive(from: impl AsFd) -> io::Result<Option<(i32, Vec<OwnedFd>)>> {
    let mut number = [0; 4];
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(SENT_MAX))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = retry_on_intr(|| {
        let mut bytes = [IoSliceMut::new(&mut number)];
        recvmsg(&from, &mut bytes, &mut control, RecvFlags::CMSG_CLOEXEC)
    })?;
    let descriptors = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    let descriptors = descriptors.flatten().collect();
    Ok((received.bytes > 0).then(|| (i32::from_le_bytes(number), descriptors)))
}

#[cfg(test)]
mod tests;
