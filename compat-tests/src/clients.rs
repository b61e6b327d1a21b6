//! Stock clients in pinned versions, installed once per lock file outside the clone.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::broker::folder;

/// The folder of an installed set of clients; `clients/install.sh` knows the sets.
pub fn install(set: &[&str]) -> Result<PathBuf> {
    let script = folder().join("clients/install.sh");
    let output = Command::new(&script)
        .args(set)
        .stdin(Stdio::null())
        .output()
        .context("running install.sh")?;
    ensure!(
        output.status.success(),
        "installing {} failed: {}",
        set.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    let dir = PathBuf::from(
        String::from_utf8(output.stdout)?
            .lines()
            .last()
            .unwrap_or_default(),
    );
    ensure!(dir.is_dir(), "installing {} gave no folder", set.join(" "));
    Ok(dir)
}
