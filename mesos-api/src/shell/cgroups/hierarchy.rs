use super::{CPU, CPUACCT, MEMORY, ROOT, group::Seat};
use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

/// Where the agent itself is in the second version, beside its containers: only a group without processes of its own may
/// share out what it has.
const LEAF: &str = "agent";

/// Which of the kernel's two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    First,
    Second,
}

impl fmt::Display for Version {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Version::First => "v1",
            Version::Second => "v2",
        })
    }
}

/// One hierarchy in which the agent has a folder of groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hierarchy {
    pub(super) version: Version,
    /// As `/proc/PID/cgroup` names it: that of the second version has no name.
    name: &'static str,
    mount: PathBuf,
    /// The group that is seen there: not the uppermost, in some containers.
    root: PathBuf,
    /// Where the agent itself is. What keeps the agent keeps its containers, too, as theirs are below it.
    pub(super) home: PathBuf,
    pub(super) groups: PathBuf,
}

impl Hierarchy {
    /// Where a controller is had: of the versions that will do, the first that has it.
    pub(super) fn find(
        controller: &'static str,
        versions: &[Version],
        mounts: &str,
        own: &str,
    ) -> io::Result<Self> {
        let all = versions.iter().flat_map(|version| {
            let mounts = mounts.lines().filter_map(Mount::of);
            mounts.filter_map(|mount| mount.hierarchy(controller, *version))
        });
        let mut all = all.filter_map(|mut found| {
            found.home = found.folder_of(own)?;
            Some(found)
        });
        all.next()
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "it is not mounted"))
    }

    /// Whether the agent is where its groups are shared out already: one that was started again, or who was put there.
    fn is_leaf(&self) -> bool {
        let parent = self.home.parent().filter(|_| self.home.ends_with(LEAF));
        parent.is_some_and(|parent| *parent != self.mount || parent.join(ROOT).is_dir())
    }

    /// Whether the group is the agent's to share out. That of a unit or a session is its manager's, which finds its own
    /// group in use as long as tasks are below it.
    pub(super) fn is_handed(&self) -> bool {
        self.home == self.mount || self.is_leaf()
    }

    /// Makes the folder of the agent's groups, and sees whether one in it has the controller's files.
    pub(super) fn prepared(mut self, controller: &str, below: &Path) -> io::Result<Self> {
        let base = match self.version {
            Version::Second if self.is_leaf() => self.home.parent().unwrap_or(&self.mount),
            _ => &self.home,
        };
        let base = base.to_owned();
        self.groups = base.join(below);
        fs::create_dir_all(&self.groups)?;
        if self.version == Version::Second && controller != CPUACCT {
            self.pass_down(controller, &base)?;
        }
        let file = match (controller, self.version) {
            (CPU, Version::First) => "cpu.shares",
            (CPU, Version::Second) => "cpu.weight",
            (MEMORY, Version::First) => "memory.limit_in_bytes",
            (MEMORY, Version::Second) => "memory.max",
            (_, Version::First) => "cpuacct.stat",
            (_, Version::Second) => "cpu.stat",
        };
        // No container has a name with a dot.
        let probe = self.groups.join("probe.");
        fs::create_dir_all(&probe)?;
        let found = fs::metadata(probe.join(file));
        fs::remove_dir(&probe)?;
        found.map(|_| self)
    }

    /// Has every group from the base down let those below it have the controller.
    fn pass_down(&mut self, controller: &str, base: &Path) -> io::Result<()> {
        let lets = |at: &Path| fs::write(at.join("cgroup.subtree_control"), format!("+{controller}"));
        if lets(base).is_err_and(|error| error.kind() == io::ErrorKind::ResourceBusy) {
            // It is the agent's own processes that are in the way.
            let leaf = base.join(LEAF);
            fs::create_dir_all(&leaf)?;
            fs::write(leaf.join("cgroup.procs"), "0")?;
            self.home = leaf;
        }
        let below: Vec<&Path> = self.groups.ancestors().take_while(|at| *at != base).collect();
        let mut all = std::iter::once(base).chain(below.into_iter().rev());
        all.try_for_each(lets)
    }

    /// Where a process is, as its `/proc/PID/cgroup` tells it.
    pub(super) fn folder_of(&self, cgroups: &str) -> Option<PathBuf> {
        let mut lines = cgroups.lines().filter_map(|line| {
            let (_, rest) = line.split_once(':')?;
            rest.split_once(':')
        });
        let mine = |names: &str| names.split(',').any(|name| name == self.name);
        let (_, path) = lines.find(|(names, _)| mine(names))?;
        Some(self.mount.join(Path::new(path).strip_prefix(&self.root).ok()?))
    }

    pub(super) fn seat(&self, name: &str) -> Seat {
        Seat {
            folder: self.groups.join(name),
            home: (self.version == Version::Second).then(|| self.home.clone()),
        }
    }
}

/// One line of `/proc/self/mountinfo`.
struct Mount<'a> {
    root: &'a str,
    at: &'a str,
    kind: &'a str,
    options: &'a str,
}

impl<'a> Mount<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let (own, file_system) = line.split_once(" - ")?;
        let mut own = own.split(' ').skip(3);
        let mut file_system = file_system.split(' ');
        Some(Mount {
            root: own.next()?,
            at: own.next()?,
            kind: file_system.next()?,
            options: file_system.nth(1)?,
        })
    }

    /// The hierarchy that is mounted here, if it is of this version and has the controller.
    fn hierarchy(&self, controller: &'static str, version: Version) -> Option<Hierarchy> {
        let mount = PathBuf::from(self.at);
        let (there, name) = match version {
            Version::First => {
                let has = self.options.split(',').any(|one| one == controller);
                (self.kind == "cgroup" && has, controller)
            }
            Version::Second => {
                // It counts time wherever it keeps to it.
                let wanted = if controller == CPUACCT { CPU } else { controller };
                let has = || {
                    let all = fs::read_to_string(mount.join("cgroup.controllers")).unwrap_or_default();
                    all.split_whitespace().any(|one| one == wanted)
                };
                (self.kind == "cgroup2" && has(), "")
            }
        };
        there.then(|| Hierarchy {
            version,
            name,
            mount,
            root: PathBuf::from(self.root),
            home: PathBuf::new(),
            groups: PathBuf::new(),
        })
    }
}
