//! Control groups of containers: they keep each to what it was given, and count what it uses.
//!
//! Rooms: `hierarchy` (what there is on this host), `group` (one container's: its processes, their end), `counted` (what it
//! uses). Knows: the files of both versions. Never: whose container it is. Blocks.

mod counted;
mod group;
mod hierarchy;
#[cfg(test)]
mod tests;

pub(crate) use counted::Counted;
pub(super) use group::Group;
pub(crate) use hierarchy::Version;

use crate::core::agent::Share;
use group::Seat;
use hierarchy::Hierarchy;
use std::{collections::BTreeMap, fs, io, path::Path};

/// The controllers that may be wanted. Time is counted by one of its own in the first version.
pub(crate) const CPU: &str = "cpu";
pub(crate) const MEMORY: &str = "memory";
const CPUACCT: &str = "cpuacct";

/// The folder of all agents' groups, below an agent's own group: the original's `--cgroups_root`.
const ROOT: &str = "mesos";
/// The shortest share of a processor, and the least memory: the original's.
const SHARES_MIN: u64 = 2;
const MEMORY_BYTES_MIN: u64 = 32 << 20;
/// Microseconds in which a container may use so much of the processors, and the least of that: the original's.
const PERIOD_US: u64 = 100_000;
const QUOTA_US_MIN: u64 = 1000;

/// Why controllers have no place.
type Reasons = Vec<(&'static str, String)>;

/// An agent's folders of groups, by the controllers that they are wanted for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cgroups(BTreeMap<&'static str, Hierarchy>);

impl Cgroups {
    /// Those of the wanted controllers that this host lets the agent have, of these versions. What has no place is told
    /// with its reason.
    pub(crate) fn of_host(wanted: &[&'static str], versions: &[Version], agent: &str) -> (Self, Reasons) {
        Self::found(wanted, versions, agent, |_| true)
    }

    /// That of processors, where somebody has handed a part of the second version to the agent.
    pub(crate) fn handed(agent: &str) -> (Self, Reasons) {
        Self::found(&[CPU], &[Version::Second], agent, Hierarchy::is_handed)
    }

    fn found(
        wanted: &[&'static str],
        versions: &[Version],
        agent: &str,
        will_do: fn(&Hierarchy) -> bool,
    ) -> (Self, Reasons) {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let below = Path::new(ROOT).join(agent);
        let (mut all, mut without) = (BTreeMap::new(), Vec::new());
        let counts = wanted.contains(&CPU).then_some(CPUACCT);
        for controller in wanted.iter().copied().chain(counts) {
            // Read anew: for the one before, the agent may have moved.
            let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
            let found = Hierarchy::find(controller, versions, &mounts, &own);
            let found = found.and_then(|found| match will_do(&found) {
                true => found.prepared(controller, &below),
                false => Err(io::Error::other("it is not handed to the agent")),
            });
            match found {
                Ok(hierarchy) => drop(all.insert(controller, hierarchy)),
                Err(error) => without.push((controller, error.to_string())),
            }
        }
        (Cgroups(all), without)
    }

    /// Of which version the groups are that keep containers to what they were given of it.
    pub(crate) fn version(&self, controller: &str) -> Option<Version> {
        self.0.get(controller).map(|hierarchy| hierarchy.version)
    }

    /// Makes a container's group, with its limits.
    pub(super) fn make(&self, name: &str, share: &Share) -> io::Result<Group> {
        let group = self.group(name);
        let made = group
            .folders()
            .try_for_each(fs::create_dir_all)
            .and_then(|()| self.set(name, share, |_, _| true));
        if made.is_err() {
            group.end();
        }
        made.map(|()| group)
    }

    /// The group that a container has, as far as it has one.
    pub(super) fn there(&self, name: &str) -> Group {
        self.group(name).there()
    }

    fn group(&self, name: &str) -> Group {
        let mut seats: Vec<Seat> = Vec::new();
        for hierarchy in self.0.values() {
            let seat = hierarchy.seat(name);
            // Several controllers may share a hierarchy.
            if !seats.contains(&seat) {
                seats.push(seat);
            }
        }
        Group::of(seats)
    }

    /// Keeps a container to another share from now on. What it has of memory by now it may keep, as with the original.
    pub(super) fn limit(&self, name: &str, share: &Share) -> io::Result<()> {
        self.set(name, share, |folder, (file, most)| {
            let now = read(folder, file);
            !MOST_MEMORY.contains(&file) || most.parse::<u64>().unwrap_or(u64::MAX) > number(&now)
        })
    }

    /// Removes the agent's own folders, unless something of it goes on there.
    pub(super) fn leave(&self) {
        for hierarchy in self.0.values() {
            // Its own, and that of all agents.
            let mut folders = hierarchy.groups.ancestors().take(2);
            let _ = folders.try_for_each(fs::remove_dir);
        }
    }

    fn set(&self, name: &str, share: &Share, wanted: impl Fn(&Path, (&str, &str)) -> bool) -> io::Result<()> {
        for (controller, hierarchy) in &self.0 {
            let folder = hierarchy.groups.join(name);
            for (file, value) in settings(controller, hierarchy.version, share) {
                if wanted(&folder, (file, &value)) {
                    fs::write(folder.join(file), value)?;
                }
            }
        }
        Ok(())
    }
}

/// The files that bound memory.
const MOST_MEMORY: [&str; 2] = ["memory.max", "memory.limit_in_bytes"];

/// What is written, and where, so that a controller keeps a container to its share.
fn settings(controller: &str, version: Version, share: &Share) -> Vec<(&'static str, String)> {
    let or =
        |bound: Option<u64>, none: &str| bound.map_or_else(|| none.to_owned(), |bound| bound.to_string());
    let quota = share.cpus_max_milli;
    let quota = quota.map(|milli| (milli.saturating_mul(PERIOD_US) / 1000).max(QUOTA_US_MIN));
    let most = share.memory_max.map(|bytes| bytes.max(MEMORY_BYTES_MIN));
    match (controller, version) {
        (CPU, Version::First) => {
            let shares = (share.cpus_milli.saturating_mul(1024) / 1000).max(SHARES_MIN);
            vec![
                ("cpu.shares", shares.to_string()),
                ("cpu.cfs_period_us", PERIOD_US.to_string()),
                ("cpu.cfs_quota_us", or(quota, "-1")),
            ]
        }
        (CPU, Version::Second) => {
            // A whole processor is 100, which a group has that nobody weighs.
            let weight = (share.cpus_milli / 10).clamp(1, 10_000);
            vec![
                ("cpu.weight", weight.to_string()),
                ("cpu.max", format!("{} {PERIOD_US}", or(quota, "max"))),
            ]
        }
        (MEMORY, Version::First) => {
            let soft = share.memory_bytes.max(MEMORY_BYTES_MIN);
            vec![
                ("memory.soft_limit_in_bytes", soft.to_string()),
                ("memory.limit_in_bytes", or(most, "-1")),
            ]
        }
        // All of it ends where one of it lacks memory, as with the original.
        (MEMORY, Version::Second) => vec![
            ("memory.max", or(most, "max")),
            ("memory.oom.group", "1".to_owned()),
        ],
        _ => Vec::new(),
    }
}

fn read(folder: &Path, file: &str) -> String {
    fs::read_to_string(folder.join(file)).unwrap_or_default()
}

/// What a file says that holds a bound; without one it is as high as can be.
fn number(text: &str) -> u64 {
    text.trim().parse().unwrap_or(u64::MAX)
}

/// A number of a file that has a name and a number in each line.
fn value(text: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    lines.find(|(known, _)| *known == name)?.1.trim().parse().ok()
}
