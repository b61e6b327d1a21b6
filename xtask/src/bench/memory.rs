//! Free memory, filled with page cache as on a machine that has run for a while.
//!
//! A virtual machine is given a page by its host when it first touches it, or touches it again after having given it
//! back. That costs several times the write it happens in, and who writes next is a matter of chance: neither side's doing.

use anyhow::{Context, Result};
use std::fs::{self, File};
use std::io::Read;

/// What is left free, in kilobytes.
const FREE_KB_MAX: u64 = 512 << 10;
/// What is read at once.
const STEP_BYTES: usize = 1 << 20;

/// Holds a file of nothing but holes. Each of its pages is looked at once, so that they are the first to be taken for
/// something else.
#[derive(Default)]
pub(crate) struct Filler {
    file: Option<File>,
}

impl Filler {
    pub(crate) fn fill(&mut self) -> Result<()> {
        self.file = None;
        let mut file = tempfile::tempfile()?;
        let (mut step, mut bytes) = (vec![0; STEP_BYTES], 0);
        while free_kb()? > FREE_KB_MAX {
            bytes += STEP_BYTES as u64;
            file.set_len(bytes)?;
            file.read_exact(&mut step)?;
        }
        self.file = Some(file);
        Ok(())
    }
}

fn free_kb() -> Result<u64> {
    let text = fs::read_to_string("/proc/meminfo")?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemFree:"));
    Ok(line
        .context("no MemFree")?
        .trim()
        .trim_end_matches(" kB")
        .parse()?)
}
