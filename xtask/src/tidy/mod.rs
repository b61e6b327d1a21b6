//! The rules of the house, checked: what may import what, and what a file looks like.
//!
//! Knows: the text of the sources and what cargo says of the workspace. Never: repairs anything.

mod imports;
mod sources;

use anyhow::{Result, bail};
use std::path::{Path, PathBuf};

/// One broken rule: where, and which.
pub(crate) struct Offence {
    pub(crate) place: String,
    pub(crate) rule: String,
}

impl Offence {
    pub(crate) fn new(place: impl Into<String>, rule: impl Into<String>) -> Self {
        Offence {
            place: place.into(),
            rule: rule.into(),
        }
    }
}

/// Checks every rule, and tells every offence.
pub(crate) fn run(root: &Path) -> Result<()> {
    let mut offences = imports::check(root)?;
    offences.extend(sources::check(root)?);
    if offences.is_empty() {
        return Ok(());
    }
    let told: Vec<String> = offences
        .iter()
        .map(|offence| format!("  {}: {}", offence.place, offence.rule))
        .collect();
    bail!(
        "{} offences against the rules of the house:\n{}",
        offences.len(),
        told.join("\n")
    )
}

/// The workspace one stands in, else the one this was built from.
pub(crate) fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let here = std::env::current_dir().unwrap_or_default();
    let standing = here.ancestors().find(|folder| folder.join("xtask").is_dir());
    standing.or(own.parent()).unwrap_or(own).to_owned()
}

#[cfg(test)]
mod tests;
