//! Running one program of a client, with a time limit and all that it said at hand. What it started ends with it.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Seek};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::guard::Guard;

/// A program may take this long, unless its test says otherwise.
const SECONDS_MAX: u32 = 120;

/// A client's program, about to run.
pub struct Program {
    command: Command,
    input: Vec<u8>,
    seconds_max: u32,
}

/// What a program said.
#[derive(Debug)]
pub struct Said {
    /// Its exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Program {
    /// A program by name or path.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            command: Command::new(program),
            input: Vec::new(),
            seconds_max: SECONDS_MAX,
        }
    }

    /// Adds arguments.
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets a variable of its environment.
    pub fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(key, value);
        self
    }

    /// What it reads from standard input.
    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// How long it may take.
    pub fn seconds_max(mut self, seconds: u32) -> Self {
        self.seconds_max = seconds;
        self
    }

    /// Runs to the end, whatever the exit code is.
    pub fn say(mut self) -> Result<Said> {
        // Files instead of pipes: nothing can fill up and hang while we wait with a limit.
        let (mut out, mut err, mut input) = (
            tempfile::tempfile()?,
            tempfile::tempfile()?,
            tempfile::tempfile()?,
        );
        std::io::Write::write_all(&mut input, &self.input)?;
        input.rewind()?;
        self.command
            .stdin(input)
            .stdout(out.try_clone()?)
            .stderr(err.try_clone()?)
            .process_group(0);
        let name = self.command.get_program().to_string_lossy().into_owned();
        let mut child = self.command.spawn().with_context(|| format!("starting {name}"))?;
        let guard = Guard::of_group(child.id())?;
        for _ in 0..self.seconds_max * 100 {
            if let Some(status) = child.try_wait()? {
                return Ok(Said {
                    code: status.code(),
                    out: text(&mut out)?,
                    err: text(&mut err)?,
                });
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        dump_threads(child.id());
        drop(guard);
        child.wait()?;
        bail!(
            "{name} did not end in {} s\n--- output\n{}\n--- errors\n{}",
            self.seconds_max,
            text(&mut out)?,
            text(&mut err)?
        )
    }

    /// Runs to the end and gives standard output; any exit code but 0 is an error.
    pub fn run(self) -> Result<String> {
        let shown = format!("{:?}", self.command);
        let said = self.say()?;
        if said.code != Some(0) {
            bail!(
                "exit code {:?} of {shown}\n--- output\n{}\n--- errors\n{}",
                said.code,
                said.out,
                said.err
            );
        }
        Ok(said.out)
    }
}

/// Virtual machines that hang tell where when they get this signal; anything else ends of it, which is as good.
fn dump_threads(leader: u32) {
    let _ = Command::new("kill")
        .args(["-QUIT", "--", &format!("-{leader}")])
        .stderr(Stdio::null())
        .status();
    std::thread::sleep(Duration::from_millis(300));
}

fn text(file: &mut File) -> Result<String> {
    file.rewind()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A word that no other scenario of this machine uses, for names of topics and groups.
pub fn unique() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{}x{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}
