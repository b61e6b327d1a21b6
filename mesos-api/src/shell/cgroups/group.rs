use super::{read, value};
use rustix::process::{Pid, Signal, getpid, kill_process};
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    path::{Path, PathBuf},
    thread::{self, sleep},
    time::Duration,
};

/// How often a group is looked at until all that was in it is gone.
const ROUNDS_MAX: u32 = 400;
const ROUND: Duration = Duration::from_millis(5);

/// Where the processes of a group are named, and enter.
const PROCESSES: &str = "cgroup.procs";

/// A container's groups, one in each hierarchy, as its supervisor is told of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Group(Vec<Seat>);

/// A group in one hierarchy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seat {
    pub(super) folder: PathBuf,
    /// In the second version, where the supervisor is otherwise: there a process is in a group as a whole.
    pub(super) home: Option<PathBuf>,
}

impl Group {
    pub(super) fn of(seats: Vec<Seat>) -> Self {
        Group(seats)
    }

    /// As much of it as is there.
    pub(super) fn there(mut self) -> Self {
        self.0.retain(|seat| seat.folder.is_dir());
        self
    }

    pub(crate) fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn folders(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(|seat| seat.folder.as_path())
    }

    /// Does something in the group, by a thread that ends with it: what is started by then stays there.
    pub(crate) fn within<T: Send>(&self, does: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
        if self.is_none() {
            return does();
        }
        let done = thread::scope(|scope| scope.spawn(|| self.enter_and(does)).join());
        done.unwrap_or_else(|_| Err(io::Error::other("what was to be started panicked")))
    }

    /// In the first version the thread enters alone. In the second all of the process does, and goes home.
    fn enter_and<T>(&self, does: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let entered = self.0.iter().try_for_each(|seat| {
            let file = if seat.home.is_some() { PROCESSES } else { "tasks" };
            fs::write(seat.folder.join(file), "0")
        });
        let done = entered.and_then(|()| does());
        for home in self.0.iter().filter_map(|seat| seat.home.as_ref()) {
            // Where it cannot, it is not ended with the rest of the group, and the group stays.
            let _ = fs::write(home.join(PROCESSES), "0");
        }
        done
    }

    /// Whether something in it was killed as there was no more memory for it.
    pub(crate) fn lacked_memory(&self) -> bool {
        let files = ["memory.events", "memory.oom_control"];
        let mut all = self
            .folders()
            .flat_map(|folder| files.map(|file| read(folder, file)));
        all.any(|text| value(&text, "oom_kill").is_some_and(|killed| killed > 0))
    }

    /// Kills all that is in it, and removes it.
    pub(crate) fn end(&self) {
        for folder in self.folders() {
            for _ in 0..ROUNDS_MAX {
                match fs::remove_dir(folder) {
                    Err(error) if error.kind() == io::ErrorKind::ResourceBusy => kill_all(folder),
                    _ => break,
                }
                sleep(ROUND);
            }
        }
    }
}

fn kill_all(folder: &Path) {
    let all = read(folder, PROCESSES);
    let all = all.lines().filter_map(|line| Pid::from_raw(line.parse().ok()?));
    let all: Vec<Pid> = all.collect();
    // The second version kills all of them at once, so that none is forked meanwhile.
    if !all.contains(&getpid()) && fs::write(folder.join("cgroup.kill"), "1").is_ok() {
        return;
    }
    for process in all.into_iter().filter(|one| *one != getpid()) {
        let _ = kill_process(process, Signal::KILL);
    }
}
