//! What watches over one container's process, in a process of its own: it outlives the agent, and writes down how things
//! ended. It heads a session, adopts what its descendants leave behind, and ends all of it with the process.

use super::record::Record;
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
    io::{self, Read, Write},
    os::{fd::AsFd, unix::process::CommandExt},
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
};

/// Bytes of what it is told at the most: arguments and environment are bounded by what a request may hold.
const SPEC_BYTES_MAX: u64 = 64 << 20;

/// What is to be run, as the agent tells it on standard input, in JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Spec {
    pub(super) argv: Vec<String>,
    pub(super) environment: Vec<(String, String)>,
    pub(super) folder: PathBuf,
    /// Whose process it is to be, where that is somebody else.
    pub(super) owner: Option<(u32, u32)>,
    pub(super) limits: Vec<RLimit>,
    pub(super) record: PathBuf,
}

/// What is answered, in one line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    Started { pid: u32 },
    Failed { why: String },
}

/// Runs one container to its end: `smack supervise`, which nobody but an agent calls.
pub fn supervise() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        // Who could be told is the agent, which sees the end.
        Err(_) => ExitCode::FAILURE,
    }
}

fn run() -> io::Result<()> {
    let mut told = Vec::new();
    io::stdin().take(SPEC_BYTES_MAX).read_to_end(&mut told)?;
    let spec: Spec = serde_json::from_slice(&told)?;
    drop(told);
    let mut agent = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let record = Record::new(&spec.record);
    // Held to the end: it shows that somebody watches. Whoever finds it free has given the container up.
    let lock = record.lock()?;
    if record.end()?.is_some() {
        return Ok(());
    }
    setsid()?;
    set_child_subreaper(Some(getpid()))?;
    let started = spawn(&spec).and_then(|pid| noted(&record, &lock, pid));
    let answer = match &started {
        Ok(pid) => Answer::Started {
            pid: pid.as_raw_nonzero().get().unsigned_abs(),
        },
        Err(error) => Answer::Failed {
            why: error.to_string(),
        },
    };
    let mut line = serde_json::to_vec(&answer)?;
    line.push(b'\n');
    // An agent that is gone by now reads the record when it is back.
    let _ = agent.write_all(&line);
    drop(agent);
    let ended = outlive(started?)?;
    end_descendants();
    record.finish(ended)
}

/// Writes down what runs. What no agent could find again must not run.
fn noted(record: &Record, lock: &File, process: Pid) -> io::Result<Pid> {
    let noted = record.note(lock, getpid(), process);
    if noted.is_err() {
        let _ = kill_process_group(process, Signal::KILL);
        end_descendants();
    }
    noted.map(|()| process)
}

fn spawn(spec: &Spec) -> io::Result<Pid> {
    let (program, arguments) = spec.argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(spec.environment.iter().map(|(name, value)| (name, value)))
        .current_dir(&spec.folder)
        .stdin(Stdio::null())
        .process_group(0);
    if let Some((uid, gid)) = spec.owner {
        command.uid(uid).gid(gid);
    }
    // Limits are inherited, so they are this process's own for a moment.
    let mut before = Vec::new();
    let set = spec.limits.iter().try_for_each(|one| {
        before.push(limit(one)?);
        io::Result::Ok(())
    });
    let child = set.and_then(|()| command.spawn());
    // From the last: of a limit that is named twice the first was it before.
    for (resource, limit) in before.into_iter().rev() {
        let _ = setrlimit(resource, limit);
    }
    let child = child?;
    i32::try_from(child.id())
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(|| io::ErrorKind::InvalidData.into())
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
