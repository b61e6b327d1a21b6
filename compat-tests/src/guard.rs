//! What a test starts ends with it, however the test ends.

use std::{
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
};

use anyhow::Result;

/// Ends a process, or a group of them, with this value, and with the test's process at the latest.
pub(crate) struct Guard(Child);

impl Guard {
    /// Ends one process.
    pub(crate) fn of_process(pid: u32) -> Result<Self> {
        Self::of(&pid.to_string())
    }

    /// Ends all processes of the group that one leads.
    pub(crate) fn of_group(leader: u32) -> Result<Self> {
        Self::of(&format!("-{leader}"))
    }

    /// A shell that does so as soon as its standard input ends; nothing but that ends it, were it typed at a terminal.
    fn of(target: &str) -> Result<Self> {
        let shell = Command::new("sh")
            .args(["-c", "read -r _; kill -KILL \"$0\" 2>/dev/null", target])
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()?;
        Ok(Self(shell))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}
