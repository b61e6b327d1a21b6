use super::{GIVEN, receive, send};
use crate::shell::namespaces::Birthplace;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{Pid, PidfdFlags, WaitOptions, fchdir, pidfd_open, setsid, wait},
    stdio::{dup2_stderr, dup2_stdin, dup2_stdout},
};
use std::{
    fs, io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

/// How long a supervisor that has ended may keep its number.
const REAPS: Timespec = Timespec {
    tv_sec: 1,
    tv_nsec: 0,
};

/// Which process this is by now.
#[derive(Debug)]
pub(in crate::shell) enum Who {
    /// A supervisor that was just forked, in its folder, with what it was given.
    Supervisor,
    /// The one that forks; nobody is left to fork for.
    Nursery,
}

/// Forks a supervisor for whatever the other end of standard input asks. Answers in each of them, and at the end.
pub(in crate::shell) fn serve() -> io::Result<Who> {
    let agent = io::stdin();
    // What ends the agent, as a terminal does, is not to end what is started here.
    setsid()?;
    if fs::read_dir("/proc/self/task")?.count() != 1 {
        return Err(io::Error::other("a process of several threads must not fork"));
    }
    let birthplace = Birthplace::new()?;
    loop {
        let children = reap();
        let mut asks = [PollFd::new(&agent, PollFlags::IN)];
        match poll(&mut asks, children.then_some(&REAPS)) {
            Ok(0) | Err(Errno::INTR) => continue,
            polled => polled?,
        };
        let Some((own, mut given)) = receive(&agent)? else {
            return Ok(Who::Nursery);
        };
        let namespace = given.split_off(given.len().min(GIVEN)).pop();
        let given = given.try_into().map_err(|_| io::ErrorKind::InvalidData)?;
        let forked = match (own, &namespace) {
            (0, None) => fork(),
            (_, None) => birthplace.apart().and_then(|()| fork()),
            (_, Some(namespace)) => birthplace.among(namespace).and_then(|()| fork()),
        };
        // The next one may be elsewhere.
        if !matches!((own, &namespace, &forked), (0, None, _) | (.., Ok(None))) {
            birthplace.here()?;
        }
        match forked {
            Ok(None) => return take(given).map(|()| Who::Supervisor),
            Ok(Some(child)) => tell(agent.as_fd(), pidfd_open(child, PidfdFlags::empty()))?,
            Err(error) => tell(agent.as_fd(), Err(error))?,
        }
    }
}

/// Who was forked; without that, the supervisor finds that nobody asks anything of it, and ends.
fn tell(agent: BorrowedFd<'_>, forked: Result<OwnedFd, Errno>) -> io::Result<()> {
    match forked {
        Ok(supervisor) => send(agent, 0, &[supervisor.as_fd()]),
        Err(error) => send(agent, error.raw_os_error(), &[]),
    }
}

/// Lets those go that have ended, and answers whether others are left.
fn reap() -> bool {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

/// The child's number; in the child nothing.
#[allow(
    unsafe_code,
    reason = "nothing that is safe forks, and to execute this program instead takes milliseconds for each task"
)]
fn fork() -> Result<Option<Pid>, Errno> {
    // SAFETY: this process has a single thread, so that no lock of another is held for good in the child, which may go on
    // like any program.
    match unsafe { libc::fork() } {
        -1 => {
            let error = io::Error::last_os_error();
            Err(Errno::from_io_error(&error).unwrap_or(Errno::AGAIN))
        }
        child => Ok(Pid::from_raw(child)),
    }
}

/// Ends a supervisor at once. What the program has made for itself before `main` is not taken apart for each, which would
/// take as long as all that it does.
#[allow(
    unsafe_code,
    reason = "nothing that is safe leaves out what is done at an exit"
)]
pub(in crate::shell) fn leave() -> ! {
    // SAFETY: nothing runs after it, and nothing of this process waits to be written.
    unsafe { libc::_exit(0) }
}

/// Puts what was given where a supervisor has it. The way to the agent is closed by it.
fn take([stdin, stdout, stderr, folder]: [OwnedFd; GIVEN]) -> io::Result<()> {
    fchdir(folder)?;
    dup2_stdin(stdin)?;
    dup2_stdout(stdout)?;
    Ok(dup2_stderr(stderr)?)
}
