//! `DATA_DIR/ports.json`: the real ports, for whoever started this with port 0.

use anyhow::{Context, Result};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("ports.json")
}

/// Takes away what an earlier run left, so that a file means that the servers answer.
pub(crate) fn clear(data_dir: &Path) -> Result<()> {
    match fs::remove_file(path(data_dir)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path(data_dir).display()))
        }
        _ => Ok(()),
    }
}

/// Writes the file in one step: a reader sees all of it, or none.
pub(crate) fn write(data_dir: &Path, ports: &BTreeMap<&str, u16>) -> Result<()> {
    let draft = data_dir.join("ports.json.new");
    let text = format!("{}\n", serde_json::to_string(ports)?);
    fs::write(&draft, text)
        .and_then(|()| fs::rename(&draft, path(data_dir)))
        .with_context(|| format!("cannot write {}", path(data_dir).display()))
}
