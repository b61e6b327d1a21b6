//! Processes of containers. Each is the head of a process group of its own, so that all of it can be signalled, below a
//! supervisor, which outlives the agent, ends what the process leaves behind, and writes down how it ended.

use super::{
    cgroups::Group,
    fetch::{self, Cache, FetchError, Sandbox},
    folder::{Folder, Owner},
    isolation::Isolation,
    namespaces,
    nursery::{Among, Nursery},
    record::{End, Record, Watch},
    session::Pipes,
    supervise::{Answer, Spec},
    tied::Tied,
};
use crate::core::agent::{Ended, Run, Signal};
use rustix::{
    event::{PollFd, PollFlags, poll},
    io::{Errno, retry_on_intr},
    process::{Pid, PidfdFlags, kill_process_group, pidfd_open, pidfd_send_signal},
};
use std::{
    fs::{self, File},
    io::{self, Read, Write},
    net::SocketAddr,
    os::{
        fd::{AsFd, AsRawFd, OwnedFd},
        unix::{fs::fchown, net::UnixStream},
    },
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::io::{
    Interest,
    unix::{AsyncFd, AsyncFdRegisterError},
};
use tokio_util::sync::CancellationToken;

/// Where programs are looked for, as the original's agent has it.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Bytes of a supervisor's answer at the most.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// Where an agent's containers live.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) work_dir: PathBuf,
    pub(crate) endpoint: SocketAddr,
    pub(crate) cache: Cache,
    pub(crate) isolation: Arc<Isolation>,
    /// Where those come from that watch over containers.
    pub(crate) nursery: Nursery,
    /// Bytes of a task's outputs before each is put aside.
    pub(crate) max_stdout_size: u64,
    pub(crate) max_stderr_size: u64,
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
    #[error("Container destroyed during launch")]
    Killed,
}

/// A process that runs.
#[derive(Debug)]
pub(crate) struct Process {
    pid: u32,
    /// Ends with whoever watches over it.
    watch: AsyncFd<OwnedFd>,
    record: Record,
    /// What nobody else is in.
    own_group: Group,
}

/// Makes the sandbox, brings into it what is asked for, and starts the process. Blocks.
pub(super) fn start(
    run: &Run,
    place: &Place,
    record: &Record,
    stop: &CancellationToken,
) -> Result<Process, LaunchError> {
    let owner = account(&run.user)?;
    let folder = Folder::at(&place.work_dir)?.make_for(Path::new(&run.sandbox), owner)?;
    let stdout = folder.append("stdout".as_ref())?;
    let stderr = folder.append("stderr".as_ref())?;
    if !run.uris.is_empty() {
        let mut sandbox = Sandbox {
            folder: &folder,
            path: &place.work_dir.join(&run.sandbox),
            owner,
            log: stderr.try_clone()?,
            stop,
        };
        fetch::fetch(&run.uris, &mut sandbox, &place.cache).map_err(|why| LaunchError::Fetch {
            container: run.container.clone(),
            why,
        })?;
    }
    if stop.is_cancelled() {
        return Err(LaunchError::Killed);
    }
    let spec = Spec {
        outputs_bytes_max: Some((place.max_stdout_size, place.max_stderr_size)),
        record: Some(record.base().to_owned()),
        ..spec(run, place, owner)?
    };
    let started = Supervised::start(
        &spec,
        (&place.nursery, &among(run, place)?),
        &folder,
        (stdout, stderr),
    );
    let own_group = if spec.own_group {
        spec.group
    } else {
        Group::default()
    };
    watched(started, record, own_group)
}

/// Starts a process that ends with whoever asked for it, in a sandbox that is there. Blocks.
pub(super) fn start_tied(run: &Run, place: &Place) -> Result<Tied, LaunchError> {
    let folder = Folder::at(&place.work_dir)?.below(Path::new(&run.sandbox))?;
    let output = folder.append("stderr".as_ref())?;
    let spec = spec(run, place, account(&run.user)?)?;
    let outputs = (output.try_clone()?, output);
    Tied::start(&spec, (&place.nursery, &among(run, place)?), &folder, outputs)
}

/// The same for one that is spoken with. Blocks.
pub(super) fn start_session(run: &Run, place: &Place) -> Result<(Tied, Pipes), LaunchError> {
    let folder = Folder::at(&place.work_dir)?.below(Path::new(&run.sandbox))?;
    let (reads, stdin) = io::pipe()?;
    let (stdout, out) = io::pipe()?;
    let (stderr, err) = io::pipe()?;
    let owner = account(&run.user)?;
    if let Some((uid, gid)) = owner {
        // Whoever has them may open them again, by `/dev/stdin` and so on.
        for pipe in [reads.as_fd(), out.as_fd(), err.as_fd()] {
            fchown(pipe, Some(uid), Some(gid))?;
        }
    }
    let spec = Spec {
        // Its supervisor opens it before it answers, so it is still there.
        stdin: Some(format!("{}/fd/{}", std::process::id(), reads.as_raw_fd())),
        ..spec(run, place, owner)?
    };
    let outputs = (File::from(OwnedFd::from(out)), File::from(OwnedFd::from(err)));
    let tied = Tied::start(&spec, (&place.nursery, &among(run, place)?), &folder, outputs)?;
    let pipes = Pipes {
        stdin: stdin.into(),
        stdout: stdout.into(),
        stderr: stderr.into(),
    };
    Ok((tied, pipes))
}

/// What a supervisor is told of any process.
fn spec(run: &Run, place: &Place, owner: Option<Owner>) -> io::Result<Spec> {
    Ok(Spec {
        argv: run.argv.clone(),
        environment: environment(run, place),
        owner,
        limits: run.limits.clone(),
        group: match &run.share {
            Some(share) => place.isolation.cgroups.make(&run.group, share)?,
            None => place.isolation.cgroups.there(&run.group),
        },
        own_group: run.share.is_some(),
        namespaces: place.isolation.namespaces,
        outputs_bytes_max: None,
        stdin: None,
        record: None,
    })
}

/// Which processes it sees: its own, or those of the container that it looks into.
fn among(run: &Run, place: &Place) -> io::Result<Among> {
    match run.beside {
        _ if !place.isolation.namespaces.processes => Ok(Among::Ours),
        Some(process) => namespaces::of_process(process).map(Among::Others),
        None => Ok(Among::Own),
    }
}

fn environment(run: &Run, place: &Place) -> Vec<(String, String)> {
    let sandbox = place.work_dir.join(&run.sandbox).to_string_lossy().into_owned();
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

/// What was started, and watched from now on. What cannot be watched must not run.
fn watched(
    started: Result<Supervised, LaunchError>,
    record: &Record,
    own_group: Group,
) -> Result<Process, LaunchError> {
    let supervised = match started {
        Ok(supervised) => supervised,
        Err(failed) => {
            own_group.end();
            record.remove();
            return Err(failed);
        }
    };
    let pid = supervised.pid;
    match watch(supervised.supervisor) {
        Ok(watch) => Ok(Process {
            pid,
            watch,
            record: record.clone(),
            own_group,
        }),
        Err(failed) => {
            let (supervisor, error) = failed.into_parts();
            signal(pid, Signal::Kill);
            over(&supervisor);
            record.remove();
            Err(error.into())
        }
    }
}

/// Waits for the end of a process.
fn over(process: &OwnedFd) {
    let mut end = [PollFd::new(process, PollFlags::IN)];
    let _ = retry_on_intr(|| poll(&mut end, None));
}

/// A process that runs, and who watches over it.
#[derive(Debug)]
pub(super) struct Supervised {
    pub(super) pid: u32,
    /// Ends with who watches over it.
    supervisor: OwnedFd,
    /// The other end of the supervisor's standard input.
    pub(super) socket: UnixStream,
}

impl Supervised {
    /// Starts a supervisor in a folder, and by it a process.
    pub(super) fn start(
        spec: &Spec,
        (nursery, among): (&Nursery, &Among),
        folder: &Folder,
        (stdout, stderr): (File, File),
    ) -> Result<Self, LaunchError> {
        let mut told = serde_json::to_vec(spec).map_err(io::Error::from)?;
        told.push(b'\n');
        let (mut socket, theirs) = UnixStream::pair()?;
        let given = [theirs.as_fd(), stdout.as_fd(), stderr.as_fd(), folder.as_fd()];
        let supervisor = nursery.supervisor(among, given)?;
        // Its own are the only ones now.
        drop((theirs, stdout, stderr));
        let answer = socket.write_all(&told).and_then(|()| first_line(&socket));
        let answer = answer.and_then(|line| Ok(serde_json::from_slice(&line)?));
        let failed = match answer {
            Ok(Answer::Started { pid }) => {
                return Ok(Supervised {
                    pid,
                    supervisor,
                    socket,
                });
            }
            Ok(Answer::Failed { why }) => why,
            Ok(Answer::Ended(_)) => "its supervisor tells an end before a beginning".to_owned(),
            Err(error) => {
                let _ = pidfd_send_signal(&supervisor, rustix::process::Signal::KILL);
                format!("its supervisor does not answer: {error}")
            }
        };
        over(&supervisor);
        Err(LaunchError::Supervisor(failed))
    }
}

/// A line, and nothing of what follows it.
fn first_line(mut from: &UnixStream) -> io::Result<Vec<u8>> {
    let (mut line, mut byte) = (Vec::new(), [0]);
    while line.len() < ANSWER_BYTES_MAX && from.read(&mut byte)? == 1 && byte != [b'\n'] {
        line.extend(byte);
    }
    Ok(line)
}

#[allow(
    deprecated,
    reason = "warns of descriptors that may be replaced, which an OwnedFd cannot be; what is named instead is unsafe"
)]
fn watch(process: OwnedFd) -> Result<AsyncFd<OwnedFd>, AsyncFdRegisterError<OwnedFd>> {
    AsyncFd::try_with_interest(process, Interest::READABLE)
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
pub(super) fn find(record: &Record, own_group: Group) -> io::Result<Found> {
    loop {
        if let Some(End::Of(ended)) = record.end()? {
            return Ok(Found::Ended(ended));
        }
        let lock = match record.lock() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                match attach(record) {
                    Ok(process) => return Ok(Found::Runs(Process { own_group, ..process })),
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
        own_group.end();
        record.give_up()?;
        drop(lock);
        return Ok(Found::Lost);
    }
}

fn attach(record: &Record) -> io::Result<Process> {
    let Watch {
        supervisor, process, ..
    } = record.watch()?;
    let supervisor = pid(supervisor).ok_or(io::ErrorKind::InvalidData)?;
    let watch = watch(pidfd_open(supervisor, PidfdFlags::empty())?)?;
    match record.lock() {
        // It still watches, so the number is still its own.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Process {
            pid: process,
            watch,
            record: record.clone(),
            own_group: Group::default(),
        }),
        _ => Err(Errno::SRCH.into()),
    }
}

impl Process {
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Answers how it ended, unless who watched over it was killed: then what is left of it is, too.
    pub(crate) async fn ended(self) -> Option<Ended> {
        let _ = self.watch.readable().await;
        match self.record.end() {
            Ok(Some(End::Of(ended))) => Some(ended),
            other => {
                tracing::warn!(pid = self.pid, end = ?other, "cannot learn how a process ended");
                signal(self.pid, Signal::Kill);
                let group = self.own_group;
                let _ = tokio::task::spawn_blocking(move || group.end()).await;
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
        Signal::Number(number) => match rustix::process::Signal::from_named_raw(number) {
            Some(signal) => signal,
            None => return,
        },
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
fn account(user: &str) -> io::Result<Option<Owner>> {
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
