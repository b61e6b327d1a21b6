//! Processes of containers. Each is the head of a process group of its own, so that all of it can be signalled, below a
//! supervisor, which outlives the agent, ends what the process leaves behind, and writes down how it ended.

use super::{
    fetch::{self, Cache, FetchError, Sandbox},
    record::{End, Record, Watch},
    supervise::{Answer, Spec},
};
use crate::core::agent::{Ended, Run, Signal};
use rustix::{
    fs::OFlags,
    io::Errno,
    process::{Pid, PidfdFlags, kill_process_group, pidfd_open},
};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr},
    os::{
        fd::OwnedFd,
        unix::{
            fs::{OpenOptionsExt, chown, fchown},
            net::UnixStream,
            process::CommandExt,
        },
    },
    path::{Path, PathBuf},
    process::{Child, Command},
};
use tokio::io::{Interest, unix::AsyncFd};

/// Where programs are looked for, as the original's agent has it.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Bytes of a supervisor's answer at the most.
const ANSWER_BYTES_MAX: u64 = 64 << 10;

/// Where an agent's containers live.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) work_dir: PathBuf,
    pub(crate) endpoint: SocketAddr,
    pub(crate) cache: Cache,
    /// The program that watches over each container: this one.
    pub(crate) supervisor: PathBuf,
}

/// Why a container has no process.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LaunchError {
    #[error("Failed to launch container: {0}")]
    Io(#[from] io::Error),
    #[error("Failed to launch container: {0}")]
    Supervisor(String),
    #[error("Failed to launch container: Failed to fetch all URIs for container '{container}': {why}")]
    Fetch { container: String, why: FetchError },
}

/// A process that runs.
#[derive(Debug)]
pub(crate) struct Process {
    pid: u32,
    /// Whoever watches over it; a child of this agent, or of one before it.
    supervisor: Option<Child>,
    watch: AsyncFd<OwnedFd>,
    record: Record,
}

/// Makes the sandbox, brings into it what is asked for, and starts the process. Blocks.
pub(super) fn start(run: &Run, place: &Place, record: &Record) -> Result<Process, LaunchError> {
    let folder = place.work_dir.join(&run.sandbox);
    fs::create_dir_all(&folder)?;
    let owner = account(&run.user)?;
    if let Some((uid, gid)) = owner {
        chown(&folder, Some(uid), Some(gid))?;
    }
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
    let spec = Spec {
        argv: run.argv.clone(),
        environment: environment(run, place, &folder),
        folder,
        owner,
        limits: run.limits.clone(),
        record: record.base().to_owned(),
    };
    spawn(&spec, place, record, (stdout, stderr))
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

fn environment(run: &Run, place: &Place, folder: &Path) -> Vec<(String, String)> {
    let sandbox = folder.to_string_lossy().into_owned();
    let mut all: Vec<(String, String)> = [
        ("PATH", PATH.to_owned()),
        ("LIBPROCESS_IP", place.endpoint.ip().to_string()),
        ("MESOS_AGENT_ENDPOINT", place.endpoint.to_string()),
        ("MESOS_SLAVE_PID", format!("slave(1)@{}", place.endpoint)),
        ("MESOS_DIRECTORY", sandbox.clone()),
        ("MESOS_SANDBOX", sandbox),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    all.extend(run.environment.iter().cloned());
    all
}

fn spawn(
    spec: &Spec,
    place: &Place,
    record: &Record,
    (stdout, stderr): (File, File),
) -> Result<Process, LaunchError> {
    let told = serde_json::to_vec(spec).map_err(io::Error::from)?;
    let (mut ours, theirs) = UnixStream::pair()?;
    let mut supervisor = Command::new(&place.supervisor)
        .arg0("smack")
        .arg("supervise")
        .env_clear()
        .current_dir("/")
        .stdin(OwnedFd::from(theirs))
        .stdout(stdout)
        .stderr(stderr)
        .spawn()?;
    let mut answered = || -> io::Result<String> {
        ours.write_all(&told)?;
        ours.shutdown(Shutdown::Write)?;
        let mut line = String::new();
        BufReader::new((&ours).take(ANSWER_BYTES_MAX)).read_line(&mut line)?;
        Ok(line)
    };
    let answer = answered().and_then(|line| Ok(serde_json::from_str(&line)?));
    let failed = match answer {
        Ok(Answer::Started { pid }) => match watch(supervisor.id()) {
            Ok(watch) => {
                return Ok(Process {
                    pid,
                    supervisor: Some(supervisor),
                    watch,
                    record: record.clone(),
                });
            }
            Err(error) => {
                signal(pid, Signal::Kill);
                LaunchError::Io(error)
            }
        },
        Ok(Answer::Failed { why }) => LaunchError::Supervisor(why),
        Err(error) => {
            let _ = supervisor.kill();
            LaunchError::Supervisor(format!("its supervisor does not answer: {error}"))
        }
    };
    let _ = supervisor.wait();
    record.remove();
    Err(failed)
}

#[allow(
    deprecated,
    reason = "warns of descriptors that may be replaced, which an OwnedFd cannot be; what is named instead is unsafe"
)]
fn watch(process: u32) -> io::Result<AsyncFd<OwnedFd>> {
    let pid = pid(process).ok_or(io::ErrorKind::InvalidData)?;
    AsyncFd::with_interest(pidfd_open(pid, PidfdFlags::empty())?, Interest::READABLE)
}

/// What became of a container while no agent was there.
#[derive(Debug)]
pub(super) enum Found {
    Runs(Process),
    Ended(Ended),
    /// It was not begun and will not be, or nobody knows.
    Lost,
}

/// Looks for a container's process that an earlier agent started, or was about to.
pub(super) fn find(record: &Record) -> io::Result<Found> {
    loop {
        if let Some(End::Of(ended)) = record.end()? {
            return Ok(Found::Ended(ended));
        }
        let lock = match record.lock() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                match attach(record) {
                    Ok(process) => return Ok(Found::Runs(process)),
                    // It is about to say who it is, or about to end.
                    Err(_) => std::thread::sleep(std::time::Duration::from_millis(5)),
                }
                continue;
            }
            lock => lock?,
        };
        // It may have ended just before the lock was free.
        if let Some(End::Of(ended)) = record.end()? {
            return Ok(Found::Ended(ended));
        }
        if let Ok(orphan) = record.watch()
            && orphan.holds()
        {
            signal(orphan.process, Signal::Kill);
        }
        record.give_up()?;
        drop(lock);
        return Ok(Found::Lost);
    }
}

fn attach(record: &Record) -> io::Result<Process> {
    let Watch {
        supervisor, process, ..
    } = record.watch()?;
    let watch = watch(supervisor)?;
    match record.lock() {
        // It still watches, so the number is still its own.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Process {
            pid: process,
            supervisor: None,
            watch,
            record: record.clone(),
        }),
        _ => Err(Errno::SRCH.into()),
    }
}

impl Process {
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Answers how it ended, unless who watched over it was killed: then what is left of it is, too.
    pub(crate) async fn ended(mut self) -> Option<Ended> {
        let _ = self.watch.readable().await;
        if let Some(supervisor) = &mut self.supervisor {
            let _ = supervisor.wait();
        }
        match self.record.end() {
            Ok(Some(End::Of(ended))) => Some(ended),
            other => {
                tracing::warn!(pid = self.pid, end = ?other, "cannot learn how a process ended");
                signal(self.pid, Signal::Kill);
                None
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
