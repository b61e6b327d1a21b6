//! A disk that is small enough to be filled.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Result;
use tempfile::TempDir;

/// A file system in memory, mounted where the broker keeps its data.
pub struct SmallDisk(TempDir);

impl SmallDisk {
    /// None where this user may not mount.
    pub fn mount(megabytes: usize) -> Result<Option<Self>> {
        let dir = tempfile::Builder::new().prefix("smack-full-").tempdir()?;
        fs::create_dir(dir.path().join("data"))?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"])
            .arg(dir.path().join("data"))
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        Ok(mounted.then_some(Self(dir)))
    }

    /// What the broker calls its folder: the disk is the `data` in it.
    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    /// What takes space on it until it is removed.
    pub fn ballast(&self) -> PathBuf {
        self.0.path().join("data/ballast")
    }

    /// Takes the last bytes of it.
    pub fn fill(&self) -> Result<()> {
        let mut file = fs::OpenOptions::new().append(true).open(self.ballast())?;
        while file.write_all(&[2; 1024]).is_ok() {}
        Ok(())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount")
            .arg("--lazy")
            .arg(self.0.path().join("data"))
            .status();
    }
}
