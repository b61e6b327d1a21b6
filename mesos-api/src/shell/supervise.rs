//! What watches over one process, in a process of its own. It heads a session, adopts what its descendants leave behind,
//! and ends all of it with the process. Over a container's it outlives the agent, and writes down how things ended; one
//! that is tied to whoever asked for it, a check's, it ends when that is gone, and answers how it ended.

use super::{
    cgroups::Group,
    folder::Folder,
    namespaces::{Namespaces, Outside},
    nursery::{self, Who},
    record::Record,
    rotate::Kept,
};
use crate::core::agent::Ended;
use mesos_proto::v1::r_limit_info::{RLimit, r_limit};
use rustix::{
    io::Errno,
    process::{
        Pid, Resource, Rlimit, Signal, WaitOptions, WaitStatus, getpid, getrlimit, kill_process,
        kill_process_group, set_child_subreaper, setrlimit, setsid, wait,
    },
};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read, Write},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::{fs::fchown, process::CommandExt},
    },
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

/// Bytes of what it is told at the most: arguments and environment are bounded by what a request may hold.
const SPEC_BYTES_MAX: u64 = 64 << 20;

/// How long what carries its outputs on may take after its end.
const TAKES_MAX: Duration = Duration::from_secs(5);

/// What is to be run, in the folder that the supervisor is started in, as the agent tells it on standard input, in one line
/// of JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Spec {
    pub(super) argv: Vec<String>,
    pub(super) environment: Vec<(String, String)>,
    /// Whose process it is to be, where that is somebody else.
    pub(super) owner: Option<(u32, u32)>,
    pub(super) limits: Vec<RLimit>,
    /// What it runs in.
    pub(super) group: Group,
    /// Nobody else does, so that it ends with it.
    pub(super) own_group: bool,
    /// What it has to itself.
    pub(super) namespaces: Namespaces,
    /// How many bytes of what it writes to each a file holds; without them, it has the supervisor's own outputs.
    pub(super) outputs_bytes_max: Option<(u64, u64)>,
    /// What it reads, where that is not nothing: below `/proc`.
    pub(super) stdin: Option<String>,
    /// Where its end is written; without it, the process is tied to the other end of standard input.
    pub(super) record: Option<PathBuf>,
}

/// What is answered, each in a line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    Started {
        pid: u32,
    },
    Failed {
        why: String,
    },
    /// Of a process that is tied.
    Ended(Ended),
}

/// Forks supervisors, each of which runs one process to its end: `smack supervise`, which nobody but an agent calls.
pub fn supervise() -> ExitCode {
    match nursery::serve() {
        Ok(Who::Supervisor) => {
            // Who could be told of an error is the agent, which sees the end.
            let _ = run();
            nursery::leave()
        }
        Ok(Who::Nursery) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn run() -> io::Result<()> {
    let mut told = Vec::new();
    BufReader::new(io::stdin().take(SPEC_BYTES_MAX)).read_until(b'\n', &mut told)?;
    let spec: Spec = serde_json::from_slice(&told)?;
    drop(told);
    let agent = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    setsid()?;
    set_child_subreaper(Some(getpid()))?;
    let outside = Outside::of(spec.namespaces)?;
    let mut record = spec.record.as_deref().map(Record::new);
    if spec.namespaces.mounts {
        record = record.map(Record::held).transpose()?;
    }
    if let Err(error) = spec.namespaces.enter() {
        return say(&agent, &Answer::of(&Err(error)));
    }
    match record {
        Some(record) => outliving(&spec, &record, &outside, agent),
        None => tied(&spec, &outside, agent),
    }
}

/// Runs what goes on without an agent.
fn outliving(spec: &Spec, record: &Record, outside: &Outside, agent: File) -> io::Result<()> {
    // Held to the end: it shows that somebody watches. Whoever finds it free has given the container up.
    let lock = record.lock()?;
    if record.end()?.is_some() {
        return Ok(());
    }
    let (outputs, taken) = outputs(spec)?;
    let started = spawn(spec, outside, outputs);
    let started = started.and_then(|process| noted(record, &lock, outside, process));
    // An agent that is gone by now reads the record when it is back.
    let _ = say(&agent, &Answer::of(&started));
    drop(agent);
    let ended = started.and_then(|process| outlive(process.own));
    end_descendants();
    let ended = match ended {
        Ok(ended) if ended != Ended::Exited(0) && spec.own_group && spec.group.lacked_memory() => {
            Ok(Ended::OutOfMemory)
        }
        ended => ended,
    };
    if spec.own_group {
        spec.group.end();
    }
    // Nobody of its own is left who could write, but somebody else may hold the outputs open.
    let _ = taken.recv_timeout(TAKES_MAX);
    record.finish(ended?)
}

/// Runs what ends with whoever asked for it.
fn tied(spec: &Spec, outside: &Outside, agent: File) -> io::Result<()> {
    let started = spawn(spec, outside, (Stdio::inherit(), Stdio::inherit()));
    say(&agent, &Answer::of(&started))?;
    let process = started?;
    let mut hears = agent.try_clone()?;
    // Nothing more is told: what is read is the end. It ends with this process.
    thread::spawn(move || {
        let _ = io::copy(&mut hears, &mut io::sink());
        // Those below it become children as it ends, and are ended as such.
        for child in children() {
            let _ = kill_process(child, Signal::KILL);
        }
    });
    let ended = outlive(process.own)?;
    end_descendants();
    say(&agent, &Answer::Ended(ended))
}

fn say(mut agent: &File, answer: &Answer) -> io::Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    agent.write_all(&line)
}

impl Answer {
    fn of(started: &io::Result<Spawned>) -> Self {
        match started {
            Ok(process) => Answer::Started {
                pid: process.outside.as_raw_nonzero().get().unsigned_abs(),
            },
            Err(error) => Answer::Failed {
                why: error.to_string(),
            },
        }
    }
}

/// A process by its numbers: the supervisor's own, and the agent's.
#[derive(Debug, Clone, Copy)]
struct Spawned {
    own: Pid,
    outside: Pid,
}

/// Writes down what runs. What no agent could find again must not run.
fn noted(record: &Record, lock: &File, outside: &Outside, process: Spawned) -> io::Result<Spawned> {
    let supervisor = outside.number(getpid());
    let noted = supervisor.and_then(|supervisor| record.note(lock, supervisor, process.outside, process.own));
    if noted.is_err() {
        let _ = kill_process_group(process.own, Signal::KILL);
        end_descendants();
    }
    noted.map(|()| process)
}

/// Where a process writes to, and what is closed once all of it is carried on to files.
type Outputs = ((Stdio, Stdio), mpsc::Receiver<()>);

fn outputs(spec: &Spec) -> io::Result<Outputs> {
    let (ends, taken) = mpsc::sync_channel(0);
    let Some((stdout, stderr)) = spec.outputs_bytes_max else {
        return Ok(((Stdio::inherit(), Stdio::inherit()), taken));
    };
    let kept = |name: &'static str, own: BorrowedFd<'_>, bytes_max: u64| -> io::Result<Stdio> {
        let (from, to) = io::pipe()?;
        // Whoever may write to it may open it again, by `/dev/stdout`.
        if let Some((uid, gid)) = spec.owner {
            fchown(&to, Some(uid), Some(gid))?;
        }
        let kept = Kept {
            file: File::from(own.try_clone_to_owned()?),
            folder: Folder::at(Path::new("."))?,
            name,
            bytes_max,
        };
        kept.take(from, ends.clone());
        Ok(to.into())
    };
    let stdout = kept("stdout", io::stdout().as_fd(), stdout)?;
    let stderr = kept("stderr", io::stderr().as_fd(), stderr)?;
    Ok(((stdout, stderr), taken))
}

fn spawn(spec: &Spec, outside: &Outside, (stdout, stderr): (Stdio, Stdio)) -> io::Result<Spawned> {
    let (program, arguments) = spec.argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(spec.environment.iter().map(|(name, value)| (name, value)))
        .stdin(match &spec.stdin {
            Some(path) => Stdio::from(outside.open(path)?),
            None => Stdio::null(),
        })
        .stdout(stdout)
        .stderr(stderr)
        .process_group(0);
    if let Some((uid, gid)) = spec.owner {
        command.uid(uid).gid(gid);
    }
    // Limits are inherited, so they are this process's own for a moment.
    let mut before = Vec::new();
    let mut limited = || {
        spec.limits.iter().try_for_each(|one| {
            before.push(limit(one)?);
            io::Result::Ok(())
        })
    };
    // In there, as there may be no room for a thread once they are set.
    let child = spec.group.within(|| limited().and_then(|()| command.spawn()));
    // From the last: of a limit that is named twice the first was it before.
    for (resource, limit) in before.into_iter().rev() {
        let _ = setrlimit(resource, limit);
    }
    let own = i32::try_from(child?.id()).ok().and_then(Pid::from_raw);
    let own = own.ok_or(io::ErrorKind::InvalidData)?;
    let found = outside.number(own);
    if found.is_err() {
        // Nobody could signal it.
        let _ = kill_process_group(own, Signal::KILL);
    }
    found.map(|outside| Spawned { own, outside })
}

/// Sets a limit, and answers what it was.
fn limit(wanted: &RLimit) -> io::Result<(Resource, Rlimit)> {
    use r_limit::Type;
    let resource = match wanted.r#type() {
        Type::RlmtAs => Resource::As,
        Type::RlmtCore => Resource::Core,
        Type::RlmtCpu => Resource::Cpu,
        Type::RlmtData => Resource::Data,
        Type::RlmtFsize => Resource::Fsize,
        Type::RlmtLocks => Resource::Locks,
        Type::RlmtMemlock => Resource::Memlock,
        Type::RlmtMsgqueue => Resource::Msgqueue,
        Type::RlmtNice => Resource::Nice,
        Type::RlmtNofile => Resource::Nofile,
        Type::RlmtNproc => Resource::Nproc,
        Type::RlmtRss => Resource::Rss,
        Type::RlmtRtprio => Resource::Rtprio,
        Type::RlmtRttime => Resource::Rttime,
        Type::RlmtSigpending => Resource::Sigpending,
        Type::RlmtStack => Resource::Stack,
        Type::Unknown => return Err(io::Error::other("a limit of no known type")),
    };
    let before = getrlimit(resource);
    // Without numbers there is no limit.
    let limit = Rlimit {
        current: wanted.soft,
        maximum: wanted.hard,
    };
    setrlimit(resource, limit)?;
    Ok((resource, before))
}

/// Waits for the process, and meanwhile for whatever its descendants left behind.
fn outlive(process: Pid) -> io::Result<Ended> {
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == process => return Ok(how(status)),
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn how(status: WaitStatus) -> Ended {
    match status.terminating_signal() {
        Some(signal) => Ended::Signalled(signal),
        None => Ended::Exited(status.exit_status().unwrap_or(0)),
    }
}

/// Kills what is left, whatever sessions and groups it made for itself: all of it has become this process's children.
fn end_descendants() {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(None) => {}
            Ok(Some(_)) | Err(Errno::INTR) => continue,
            Err(_) => return,
        }
        let all = children().into_iter();
        if all
            .filter(|child| kill_process(*child, Signal::KILL).is_ok())
            .count()
            == 0
        {
            // What is left is somebody else's by now.
            return;
        }
        // One at least is about to end; those below it are children then.
        let _ = wait(WaitOptions::empty());
    }
}

/// The fields of a process's `stat` behind its name, which may hold anything: the first is its state.
pub(super) fn stat(process: Pid) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())).ok()?;
    Some(stat.rsplit_once(')')?.1.to_owned())
}

fn children() -> Vec<Pid> {
    let own = getpid();
    let Ok(all) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    all.filter_map(|entry| {
        let name = entry.ok()?.file_name();
        let pid = Pid::from_raw(name.to_str()?.parse().ok()?)?;
        let stat = stat(pid)?;
        let parent = stat.split_whitespace().nth(1)?;
        (parent.parse() == Ok(own.as_raw_nonzero().get())).then_some(pid)
    })
    .collect()
}
