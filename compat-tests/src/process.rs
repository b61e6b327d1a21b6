//! What Linux tells of a process below `/proc`; nothing of one that is gone.

use std::fs;

/// The line of a process's status that tells what it keeps resident.
pub const RESIDENT: &str = "VmRSS:";
/// And the one that tells the most since its start.
pub const RESIDENT_MOST: &str = "VmHWM:";

/// Ticks of a processor's clock in a second, as Linux tells them to every program.
pub const TICKS_PER_SECOND: f64 = 100.0;

/// The fields of its `stat` behind its name, which may hold anything; the first is its state.
fn stat(pid: u32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}

/// Whether it runs. A zombie has ended, though nobody may have asked how.
pub fn is_alive(pid: u32) -> bool {
    stat(pid).is_some_and(|fields| fields.first().is_some_and(|state| state != "Z"))
}

/// Its parent.
pub fn parent(pid: u32) -> Option<u32> {
    stat(pid)?.get(1)?.parse().ok()
}

/// The ticks of processors that it has used, its own and the system's for it.
pub fn ticks(pid: u32) -> Option<u32> {
    let fields = stat(pid)?;
    let used = |at: usize| fields.get(at)?.parse::<u32>().ok();
    Some(used(11)? + used(12)?)
}

/// A line of its status that tells memory.
pub fn kilobytes(pid: u32, line: &str) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let told = status.lines().find_map(|told| told.strip_prefix(line))?;
    told.trim().strip_suffix(" kB")?.parse().ok()
}
