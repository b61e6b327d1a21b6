//! What a process has used, from `/proc`.

use anyhow::{Context, Result};
use std::fs;

/// Clock ticks per second of `/proc/PID/stat`, which Linux fixes for user space.
const TICKS: f64 = 100.0;

/// Seconds of processor time that a process has used, in user and kernel mode.
pub(crate) fn cpu_seconds(pid: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after_name = stat.rsplit(')').next().context("a process has a name")?;
    let mut fields = after_name.split_whitespace().skip(11);
    let mut ticks = || -> Result<f64> { Ok(fields.next().context("too few fields")?.parse()?) };
    Ok((ticks()? + ticks()?) / TICKS)
}

/// Megabytes of memory that a process keeps resident.
pub(crate) fn resident_megabytes(pid: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .context("no VmRSS")?;
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes / 1024.0)
}
