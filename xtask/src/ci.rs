//! The whole check: what CI runs, and what a person runs before pushing.

use crate::{compat, tidy};
use anyhow::{Context, Result, bail};
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// Crates that do not need RocksDB: tested with overflow checks on.
const PURE: &[&str] = &[
    "server-kit",
    "storage",
    "kafka-server",
    "cql-server",
    "mesos-proto",
    "mesos-api",
    "libmesos",
    "xtask",
];
/// Crates that link RocksDB, or run a binary that does: release only, so that its C++ is compiled once.
const LINKED: &[&str] = &["storage-local", "smack", "compat-tests", "benches"];

/// Runs every step, the quick ones first, and tells how long each took.
pub(crate) fn run() -> Result<()> {
    let root = tidy::root();
    let mut steps = Steps {
        root: &root,
        took: Vec::new(),
    };
    steps.cargo("fmt", &["fmt", "--all", "--check"])?;
    steps.step("tidy", || tidy::run(&root))?;
    steps.step("compat", || compat::run(true))?;
    steps.step("typos", || typos(&root))?;
    steps.cargo(
        "clippy",
        &[
            "clippy",
            "--release",
            "--workspace",
            "--all-targets",
            "--quiet",
            "--",
            "-D",
            "warnings",
        ],
    )?;
    steps.cargo("test (pure)", &with_packages(&["test", "--quiet"], PURE))?;
    steps.cargo(
        "build",
        &[
            "build",
            "--release",
            "--quiet",
            "--package",
            "smack",
            "--package",
            "libmesos",
        ],
    )?;
    steps.cargo(
        "test (linked)",
        &with_packages(&["test", "--release", "--quiet", "--no-fail-fast"], LINKED),
    )?;
    steps.tell();
    Ok(())
}

/// What takes too long for every change: advisories and licences of dependencies, long fuzzing, many kills,
/// a start with much to recover.
pub(crate) fn nightly() -> Result<()> {
    let root = tidy::root();
    let mut steps = Steps {
        root: &root,
        took: Vec::new(),
    };
    steps.cargo("cargo-deny", &["install", "--locked", "--quiet", "cargo-deny"])?;
    steps.cargo("deny", &["deny", "--log-level", "error", "check"])?;
    steps.cargo("cargo-fuzz", &["install", "--locked", "--quiet", "cargo-fuzz"])?;
    let targets = std::fs::read_dir(root.join("fuzz/fuzz_targets")).context("fuzz/fuzz_targets")?;
    for target in targets {
        let path = target?.path();
        let Some(name) = path.file_stem().and_then(|name| name.to_str()) else {
            continue;
        };
        let arguments = ["+nightly", "fuzz", "run", name, "--", "-max_total_time=600"];
        steps.cargo(&format!("fuzz {name}"), &arguments)?;
    }
    steps.cargo("build", &["build", "--release", "--quiet", "--package", "smack"])?;
    steps.step("200 kills, 10 GB to recover", || {
        let arguments = [
            "test",
            "--release",
            "--quiet",
            "--package",
            "compat-tests",
            "kill",
            "--",
            "--include-ignored",
            "--test-threads=1",
        ];
        succeed(
            Command::new(cargo())
                .args(arguments)
                .env("SMACK_KILLS", "200")
                .current_dir(&root),
        )
    })?;
    steps.tell();
    Ok(())
}

struct Steps<'a> {
    root: &'a Path,
    took: Vec<(String, Duration)>,
}

impl Steps<'_> {
    #[allow(clippy::disallowed_methods, reason = "a person waits for this")]
    #[allow(clippy::print_stderr, reason = "a person watches this")]
    fn step(&mut self, name: &str, run: impl FnOnce() -> Result<()>) -> Result<()> {
        eprintln!("== {name}");
        let start = std::time::Instant::now();
        run().with_context(|| format!("{name} failed"))?;
        self.took.push((name.to_owned(), start.elapsed()));
        Ok(())
    }

    fn cargo(&mut self, name: &str, arguments: &[&str]) -> Result<()> {
        let root = self.root;
        self.step(name, || {
            succeed(Command::new(cargo()).args(arguments).current_dir(root))
        })
    }

    #[allow(clippy::print_stderr, reason = "a person watches this")]
    fn tell(&self) {
        for (name, took) in &self.took {
            eprintln!("{:>8.1} s  {name}", took.as_secs_f64());
        }
    }
}

fn with_packages<'a>(command: &[&'a str], packages: &[&'a str]) -> Vec<&'a str> {
    let packages = packages.iter().flat_map(|package| ["--package", package]);
    command.iter().copied().chain(packages).collect()
}

fn cargo() -> PathBuf {
    // Not $CARGO: that one is fixed to a toolchain, and `+nightly` must be able to choose another.
    PathBuf::from("cargo")
}

fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{command:?}"))?;
    if !status.success() {
        bail!("{command:?}: {status}");
    }
    Ok(())
}

/// Spelling, by the `typos` of PyPI in a virtual environment that is made once.
fn typos(root: &Path) -> Result<()> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache"));
    let venv = cache
        .or_else(home)
        .context("neither XDG_CACHE_HOME nor HOME is set")?
        .join("smack/typos");
    let program = venv.join("bin/typos");
    if !program.exists() {
        succeed(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
        succeed(Command::new(venv.join("bin/pip")).args(["install", "--quiet", "typos==1.52.0"]))?;
    }
    succeed(
        Command::new(program)
            .args(["--config", "typos.toml"])
            .current_dir(root),
    )
}
