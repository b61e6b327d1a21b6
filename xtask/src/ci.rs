//! The whole check: what CI runs, and what a person runs before pushing.

use crate::{compat, lanes, tidy};
use anyhow::{Context, Result, bail, ensure};
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
    "mesos-client",
    "mesos-api",
    "mesos-dns",
    "marathon-api",
    "chronos-api",
    "libmesos",
    "xtask",
];
/// Crates that link RocksDB, or run a binary that does: release only, so that its C++ is compiled once.
const LINKED: &[&str] = &["storage-local", "smack", "compat-tests", "benches"];

/// Runs every step, the quick ones first, and tells how long each took.
pub(crate) fn run() -> Result<()> {
    let root = tidy::root();
    let mut steps = Steps::new(&root);
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
    steps.step("test (linked)", linked)?;
    steps.end()
}

/// Builds the binary and runs the tests of what links RocksDB, its stock clients among them.
pub(crate) fn linked() -> Result<()> {
    // All of it in one selection, so that it is compiled once: with fewer packages, dependencies have other features.
    let build = [
        "build",
        "--release",
        "--quiet",
        "--lib",
        "--bins",
        "--tests",
        "--package",
        "libmesos",
    ];
    lanes::run(&tidy::root(), &with_packages(&build, LINKED), LINKED)
}

/// What takes too long for every change: advisories and licences of dependencies, long fuzzing, many simulations and
/// kills, a start with much to recover, clients that take minutes or hundreds of megabytes. Each step is taken, whatever
/// came of those before it.
pub(crate) fn nightly() -> Result<()> {
    let root = tidy::root();
    let mut steps = Steps {
        failed: Some(Vec::new()),
        ..Steps::new(&root)
    };
    steps.cargo("cargo-deny", &["install", "--locked", "--quiet", "cargo-deny"])?;
    let deny = ["deny", "--log-level", "error", "check"];
    steps.cargo("deny", &[&deny[..], &["bans", "licenses", "sources"]].concat())?;
    // Apart from the others: it needs a database that not every machine can reach.
    steps.cargo("advisories", &[&deny[..], &["advisories"]].concat())?;
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
    steps.step("5,000 simulations", || {
        let arguments = [
            "test",
            "--release",
            "--quiet",
            "--package",
            "mesos-api",
            "--lib",
            "simulation",
        ];
        succeed(in_root(&root, &arguments).env("SMACK_SEEDS", "5000"))
    })?;
    let kills = ["kill", "--", "--include-ignored", "--test-threads=1"];
    steps.step("200 kills, 10 GB to recover", || {
        succeed(in_root(&root, &LONG_TESTS).args(kills).env("SMACK_KILLS", "200"))
    })?;
    let clients = ["--test", "connect", "--test", "spark4", "--", "--ignored"];
    steps.cargo("MirrorMaker, Spark 4", &[&LONG_TESTS[..], &clients[..]].concat())?;
    steps.end()
}

/// Stock clients in a release build.
const LONG_TESTS: [&str; 6] = [
    "test",
    "--release",
    "--quiet",
    "--no-fail-fast",
    "--package",
    "compat-tests",
];

struct Steps<'a> {
    root: &'a Path,
    took: Vec<(String, Duration)>,
    /// The steps that failed, where the others are taken nevertheless.
    failed: Option<Vec<String>>,
}

impl<'a> Steps<'a> {
    fn new(root: &'a Path) -> Self {
        Steps {
            root,
            took: Vec::new(),
            failed: None,
        }
    }

    #[allow(clippy::disallowed_methods, reason = "a person waits for this")]
    #[allow(clippy::print_stderr, reason = "a person watches this")]
    fn step(&mut self, name: &str, run: impl FnOnce() -> Result<()>) -> Result<()> {
        eprintln!("== {name}");
        let start = std::time::Instant::now();
        let ended = run().with_context(|| format!("{name} failed"));
        self.took.push((name.to_owned(), start.elapsed()));
        match (&mut self.failed, ended) {
            (Some(failed), Err(why)) => {
                eprintln!("{why:#}");
                failed.push(name.to_owned());
                Ok(())
            }
            (_, ended) => ended,
        }
    }

    fn cargo(&mut self, name: &str, arguments: &[&str]) -> Result<()> {
        let root = self.root;
        self.step(name, || succeed(&mut in_root(root, arguments)))
    }

    #[allow(clippy::print_stderr, reason = "a person watches this")]
    fn end(self) -> Result<()> {
        for (name, took) in &self.took {
            eprintln!("{:>8.1} s  {name}", took.as_secs_f64());
        }
        let failed = self.failed.unwrap_or_default();
        ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
        Ok(())
    }
}

fn with_packages<'a>(command: &[&'a str], packages: &[&'a str]) -> Vec<&'a str> {
    let packages = packages.iter().flat_map(|package| ["--package", package]);
    command.iter().copied().chain(packages).collect()
}

pub(crate) fn cargo() -> PathBuf {
    // Not $CARGO: that one is fixed to a toolchain, and `+nightly` must be able to choose another.
    PathBuf::from("cargo")
}

fn in_root(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(cargo());
    command.args(arguments).current_dir(root);
    command
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
