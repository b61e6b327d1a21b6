//! What the machine says of who runs here, for frameworks that leave it out.

use mesos_proto::v1::FrameworkInfo;
use std::{
    fs,
    os::unix::fs::MetadataExt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Says of a framework what it left out of itself.
pub(crate) fn describe(framework: &mut FrameworkInfo) {
    if framework.user.is_empty() {
        framework.user = user();
    }
    if framework.hostname.as_deref().unwrap_or_default().is_empty() {
        framework.hostname = Some(hostname());
    }
}

/// The name of the user that this process runs as.
fn user() -> String {
    let Ok(process) = fs::metadata("/proc/self") else {
        return String::new();
    };
    let (id, passwd) = (process.uid().to_string(), fs::read_to_string("/etc/passwd"));
    let named = passwd.ok().and_then(|passwd| {
        let mut accounts = passwd.lines().map(|line| line.split(':'));
        accounts.find_map(|mut fields| {
            let name = fields.next()?;
            (fields.nth(1)? == id).then(|| name.to_owned())
        })
    });
    named.unwrap_or(id)
}

/// The name of this machine.
fn hostname() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim().to_owned()
}

/// Seconds since 1970, which status updates carry.
#[allow(
    clippy::disallowed_methods,
    reason = "a library in another's process has no owner who could hand a clock in"
)]
pub(crate) fn seconds() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}

/// A span of time as the original writes it: `15mins`, `5secs`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    const UNITS: [(&str, f64); 8] = [
        ("weeks", 604_800.0),
        ("days", 86_400.0),
        ("hrs", 3600.0),
        ("mins", 60.0),
        ("secs", 1.0),
        ("ms", 1e-3),
        ("us", 1e-6),
        ("ns", 1e-9),
    ];
    let (unit, seconds) = UNITS.iter().find(|(unit, _)| text.ends_with(unit))?;
    let number: f64 = text.strip_suffix(unit)?.trim().parse().ok()?;
    Duration::try_from_secs_f64(number * seconds).ok()
}
