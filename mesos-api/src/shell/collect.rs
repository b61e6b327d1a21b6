//! Removes what executors that ended left in their sandboxes: once it is old, or earlier where the disk becomes full.
//!
//! Knows: folders, their times, the disk. Never: which executors there are; it is told. Blocks.

use super::folder::Folder;
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

/// How long a folder has not been touched before it is removed, however full the disk is.
const NEW_MAX: Duration = Duration::from_secs(60);

/// Below the work directory, what is about to be removed.
pub(super) const REMOVED: &str = "removed";

/// How an agent keeps its disk in order. Names follow the original's flags.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Collection {
    /// How long what an executor wrote is kept after its end, at the most.
    pub gc_delay: Duration,
    /// Which share of the disk is to stay free: the fuller it is, the less long anything is kept.
    pub gc_disk_headroom: f64,
    /// How often the disk is looked at.
    pub disk_watch_interval: Duration,
}

impl Default for Collection {
    fn default() -> Self {
        Collection {
            gc_delay: Duration::from_secs(7 * 86_400),
            gc_disk_headroom: 0.1,
            disk_watch_interval: Duration::from_secs(60),
        }
    }
}

impl Collection {
    /// How old something may become while so much of the disk is used.
    fn age_max(&self, used: f64) -> Duration {
        let share = (1.0 - self.gc_disk_headroom - used).clamp(0.0, 1.0);
        self.gc_delay.mul_f64(if share.is_nan() { 0.0 } else { share })
    }

    /// Removes every sandbox that is old enough, but those that are in use: named below the work directory.
    pub(super) fn collect(
        &self,
        work_dir: &Path,
        in_use: &BTreeSet<PathBuf>,
        now: Duration,
    ) -> io::Result<usize> {
        Ok(self.collect_at(used(work_dir)?, work_dir, in_use, now))
    }

    /// The same where so much of the disk is used.
    fn collect_at(&self, used: f64, work_dir: &Path, in_use: &BTreeSet<PathBuf>, now: Duration) -> usize {
        // One that has just been made may be in use by now.
        let age_max = self.age_max(used).max(NEW_MAX);
        let mut removed = 0;
        let work = match Folder::at(work_dir) {
            Ok(work) => work,
            Err(error) => {
                tracing::warn!(%error, "the work directory cannot be opened");
                return 0;
            }
        };
        // What an agent that was killed had begun to remove; what this one removes is gone as well.
        for folder in folders_in(&work_dir.join(REMOVED)) {
            let _ = work.remove(folder.strip_prefix(work_dir).unwrap_or(&folder));
        }
        let Sandboxes { runs, above } = Sandboxes::below(work_dir);
        for run in runs {
            let own = run.strip_prefix(work_dir).unwrap_or(&run);
            if in_use.contains(own) || age(&run, now).is_none_or(|age| age < age_max) {
                continue;
            }
            match work.remove(own) {
                Ok(()) => removed += 1,
                Err(error) => tracing::warn!(folder = %run.display(), %error, "a sandbox cannot be removed"),
            }
        }
        // What has been empty for a while is nobody's who is about to put something into it.
        for folder in above.iter().rev() {
            if age(folder, now).is_some_and(|age| age >= NEW_MAX) {
                let _ = fs::remove_dir(folder);
            }
        }
        removed
    }
}

/// Notes that a sandbox is in use no more: from now on it becomes old.
pub(super) fn ended(work_dir: &Path, sandbox: &str, now: Duration) -> io::Result<()> {
    Folder::at(work_dir)?.below(Path::new(sandbox))?.touch(now)
}

/// Which share of the disk is used.
#[allow(clippy::cast_precision_loss, reason = "a share needs no last digit")]
fn used(folder: &Path) -> io::Result<f64> {
    let disk = rustix::fs::statvfs(folder)?;
    let (used, free) = (disk.f_blocks.saturating_sub(disk.f_bfree), disk.f_bavail);
    Ok(used as f64 / (used + free).max(1) as f64)
}

fn age(folder: &Path, now: Duration) -> Option<Duration> {
    let changed = fs::symlink_metadata(folder).ok()?.modified().ok()?;
    Some(now.saturating_sub(changed.duration_since(UNIX_EPOCH).ok()?))
}

/// Sandboxes of executors, `slaves/S/frameworks/F/executors/E/runs/R`, and the folders that they are in.
struct Sandboxes {
    runs: Vec<PathBuf>,
    /// The innermost last.
    above: Vec<PathBuf>,
}

impl Sandboxes {
    fn below(work_dir: &Path) -> Self {
        let (mut folders, mut above) = (vec![work_dir.join("slaves")], Vec::new());
        for below in ["frameworks", "executors", "runs"] {
            let inside: Vec<PathBuf> = folders.iter().flat_map(|folder| folders_in(folder)).collect();
            folders = inside.iter().map(|folder| folder.join(below)).collect();
            above.extend(inside);
            above.extend(folders.clone());
        }
        let runs = folders.iter().flat_map(|folder| folders_in(folder)).collect();
        Sandboxes { runs, above }
    }
}

fn folders_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let folders = entries.filter_map(|entry| {
        let entry = entry.ok()?;
        // `latest` and the like are links.
        entry.file_type().ok()?.is_dir().then(|| entry.path())
    });
    folders.collect()
}

#[cfg(test)]
mod tests;
