//! Processes of containers: each is the head of a process group of its own, so that all of it can be signalled.

use super::fetch::{self, Cache, FetchError, Sandbox};
use crate::core::agent::{Ended, Run, Signal};
use rustix::fs::OFlags;
use rustix::process::{Pid, PidfdFlags, kill_process_group, pidfd_open};
use std::{
    fs::{self, File, OpenOptions},
    io,
    net::SocketAddr,
    os::{
        fd::OwnedFd,
        unix::{
            fs::{OpenOptionsExt, chown, fchown},
            process::{CommandExt, ExitStatusExt},
        },
    },
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};
use tokio::io::{Interest, unix::AsyncFd};

/// Where programs are looked for, as the original's agent has it.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// What a shell answers for a program that cannot be run.
const CANNOT_RUN: i32 = 127;

/// Where an agent's containers live.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) work_dir: PathBuf,
    pub(crate) endpoint: SocketAddr,
    pub(crate) cache: Cache,
}

/// Why a container has no process.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LaunchError {
    #[error("Failed to launch container: {0}")]
    Io(#[from] io::Error),
    #[error("Failed to launch container: Failed to fetch all URIs for container '{container}': {why}")]
    Fetch { container: String, why: FetchError },
}

/// A process that runs.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    watch: AsyncFd<OwnedFd>,
}

/// Makes the sandbox, brings into it what is asked for, and starts the process. Blocks.
pub(crate) fn start(run: &Run, place: &Place) -> Result<Process, LaunchError> {
    let folder = place.work_dir.join(&run.sandbox);
    fs::create_dir_all(&folder)?;
    let owner = account(&run.user)?;
    let (stdout, stderr) = (
        output(&folder, "stdout", owner)?,
        output(&folder, "stderr", owner)?,
    );
    if !run.uris.is_empty() {
        let log = stderr.try_clone()?;
        let mut sandbox = Sandbox {
            folder: &folder,
            owner,
            log,
        };
        fetch::fetch(&run.uris, &mut sandbox, &place.cache).map_err(|why| LaunchError::Fetch {
            container: run.container.clone(),
            why,
        })?;
    }
    Ok(spawn(run, place, &folder, owner, (stdout, stderr))?)
}

/// A file that a task writes to, which is no link to another.
fn output(folder: &Path, name: &str, owner: Option<(u32, u32)>) -> io::Result<File> {
    let no_link = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or(0);
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .custom_flags(no_link)
        .open(folder.join(name))?;
    if let Some((uid, gid)) = owner {
        fchown(&file, Some(uid), Some(gid))?;
    }
    Ok(file)
}

fn spawn(
    run: &Run,
    place: &Place,
    sandbox: &Path,
    owner: Option<(u32, u32)>,
    (stdout, stderr): (File, File),
) -> io::Result<Process> {
    let (program, arguments) = run.argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .env("PATH", PATH)
        .env("LIBPROCESS_IP", place.endpoint.ip().to_string())
        .env("MESOS_AGENT_ENDPOINT", place.endpoint.to_string())
        .env("MESOS_SLAVE_PID", format!("slave(1)@{}", place.endpoint))
        .env("MESOS_DIRECTORY", sandbox)
        .env("MESOS_SANDBOX", sandbox)
        .envs(run.environment.iter().map(|(name, value)| (name, value)))
        .current_dir(sandbox)
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(stderr)
        .process_group(0);
    if let Some((uid, gid)) = owner {
        chown(sandbox, Some(uid), Some(gid))?;
        command.uid(uid).gid(gid);
    }
    let mut child = command.spawn()?;
    match watch(&child) {
        Ok(watch) => Ok(Process { child, watch }),
        Err(error) => {
            let _ = child.kill();
            let _ = child.wait();
            Err(error)
        }
    }
}

#[allow(
    deprecated,
    reason = "warns of descriptors that may be replaced, which an OwnedFd cannot be; what is named instead is unsafe"
)]
fn watch(child: &Child) -> io::Result<AsyncFd<OwnedFd>> {
    let pid = pid(child.id()).ok_or(io::ErrorKind::InvalidData)?;
    AsyncFd::with_interest(pidfd_open(pid, PidfdFlags::empty())?, Interest::READABLE)
}

impl Process {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Answers how it ended. What it left behind in its group is killed before its number can be given to another.
    pub(crate) async fn ended(mut self) -> Ended {
        let _ = self.watch.readable().await;
        signal(self.child.id(), Signal::Kill);
        match self.child.wait() {
            Ok(status) => how(status),
            Err(error) => {
                tracing::warn!(pid = self.child.id(), %error, "cannot learn how a process ended");
                Ended::Exited(CANNOT_RUN)
            }
        }
    }
}

/// Signals every process of a group.
pub(crate) fn signal(group: u32, signal: Signal) {
    let signal = match signal {
        Signal::Terminate => rustix::process::Signal::TERM,
        Signal::Kill => rustix::process::Signal::KILL,
    };
    if let Some(group) = pid(group) {
        // It may have ended in the meantime.
        let _ = kill_process_group(group, signal);
    }
}

fn pid(number: u32) -> Option<Pid> {
    i32::try_from(number).ok().and_then(Pid::from_raw)
}

fn how(status: ExitStatus) -> Ended {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ended::Exited(code),
        (None, Some(signal)) => Ended::Signalled(signal),
        (None, None) => Ended::Exited(CANNOT_RUN),
    }
}

/// Whose process it is to be, where that is somebody else: only root can choose.
fn account(user: &str) -> io::Result<Option<(u32, u32)>> {
    if user.is_empty() || !rustix::process::geteuid().is_root() || user == "root" {
        return Ok(None);
    }
    let passwd = fs::read_to_string(Path::new("/etc/passwd"))?;
    let found = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        (name == user).then_some((uid, gid))
    });
    found
        .map(Some)
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("no such user: {user}")))
}
