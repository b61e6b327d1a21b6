use super::{CPU, CPUACCT, Cgroups, MEMORY, Version, read, value};
use std::{fs, path::PathBuf};

/// Ticks of a second, as the first version counts them.
const TICKS: f64 = 100.0;

/// What a container uses, as its groups count it: what has ended is counted, too.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Counted {
    /// By itself, and by the kernel for it.
    pub(crate) seconds: Option<(f64, f64)>,
    pub(crate) periods: Option<u64>,
    pub(crate) throttled: Option<u64>,
    pub(crate) throttled_s: Option<f64>,
    /// With what it has of files.
    pub(crate) memory_bytes: Option<u64>,
    pub(crate) rss_bytes: Option<u64>,
}

impl Cgroups {
    /// What the container of a process uses, as far as its groups count it.
    pub(crate) fn used(&self, process: u32) -> Counted {
        if self.0.is_empty() {
            return Counted::default();
        }
        let text = fs::read_to_string(format!("/proc/{process}/cgroup")).unwrap_or_default();
        self.counted(&text)
    }

    pub(super) fn counted(&self, cgroups: &str) -> Counted {
        // What is in nobody's group, or another agent's, is counted with others.
        let own = |controller: &str| -> Option<(Version, PathBuf)> {
            let hierarchy = self.0.get(controller)?;
            let folder = hierarchy.folder_of(cgroups)?;
            let own = folder.starts_with(&hierarchy.groups);
            own.then_some((hierarchy.version, folder))
        };
        let mut counted = Counted::default();
        if let Some((version, folder)) = own(CPUACCT) {
            let (file, user, system, per_second) = match version {
                Version::First => ("cpuacct.stat", "user", "system", TICKS),
                Version::Second => ("cpu.stat", "user_usec", "system_usec", 1e6),
            };
            let stat = read(&folder, file);
            let spent = value(&stat, user).zip(value(&stat, system));
            counted.seconds =
                spent.map(|(user, system)| (float(user) / per_second, float(system) / per_second));
        }
        if let Some((version, folder)) = own(CPU) {
            let stat = read(&folder, "cpu.stat");
            counted.periods = value(&stat, "nr_periods");
            counted.throttled = value(&stat, "nr_throttled");
            let (name, per_second) = match version {
                Version::First => ("throttled_time", 1e9),
                Version::Second => ("throttled_usec", 1e6),
            };
            counted.throttled_s = value(&stat, name).map(|time| float(time) / per_second);
        }
        if let Some((version, folder)) = own(MEMORY) {
            let (total, rss) = match version {
                Version::First => ("memory.usage_in_bytes", "total_rss"),
                Version::Second => ("memory.current", "anon"),
            };
            counted.memory_bytes = read(&folder, total).trim().parse().ok();
            counted.rss_bytes = value(&read(&folder, "memory.stat"), rss);
        }
        counted
    }
}

#[allow(clippy::cast_precision_loss, reason = "what is counted of years fits")]
fn float(number: u64) -> f64 {
    number as f64
}
