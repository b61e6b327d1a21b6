//! Test programs side by side: most of what they do is wait for clients, servers and timeouts.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::{Mutex, PoisonError, mpsc},
    time::Instant,
};

/// Beside as many as there are cores, one more: while a program waits, another works.
const LANES_MORE: usize = 1;

/// Those that kill a server, or fill its disk, to see what is left: what is lost then was not late, and once is enough.
const ONCE: [&str; 10] = [
    "cql_full_disk",
    "cql_kill",
    "examples_kill",
    "full_disk",
    "kill",
    "leader_epochs",
    "mesos_agent",
    "mesos_kill",
    "mesos_master",
    "storage_local",
];

/// A test program as cargo built it.
struct Program {
    package: String,
    name: String,
    executable: PathBuf,
    /// Its package's folder: where cargo would run it.
    folder: PathBuf,
}

/// Runs the test programs of these packages that cargo builds, those that took longest the last time first. What a failed
/// one printed is shown once it has ended.
#[expect(clippy::print_stderr, reason = "a person watches this")]
pub(crate) fn run(root: &Path, build: &[&str], packages: &[&str]) -> Result<()> {
    let mut programs = built(root, build)?;
    programs.retain(|program| packages.contains(&program.package.as_str()));
    ensure!(!programs.is_empty(), "cargo told of no test program");
    let known = programs[0].executable.with_file_name("test-programs.json");
    let mut took: BTreeMap<String, f64> = fs::read(&known)
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or_default();
    let seconds = |one: &Program| took.get(&one.name).copied().unwrap_or(f64::MAX);
    programs.sort_by(|one, other| seconds(one).total_cmp(&seconds(other)));
    let failed = side_by_side(programs, |name, seconds| {
        took.insert(name.to_owned(), seconds);
    })?;
    fs::write(&known, serde_json::to_vec(&took)?).with_context(|| known.display().to_string())?;
    // Beside others a program may have had too little of the machine. That is seen, and told: alone it has to pass.
    let (wrong, late): (Vec<_>, Vec<_>) = failed.into_iter().partition(Program::has_one_try);
    let mut wrong: Vec<String> = wrong.into_iter().map(|program| program.name).collect();
    for program in late {
        let output = program.run();
        if output.as_ref().is_ok_and(|output| output.status.success()) {
            eprintln!("{} passes alone", program.name);
        } else {
            eprintln!("{} fails alone", program.name);
            show(&output);
            wrong.push(program.name);
        }
    }
    ensure!(wrong.is_empty(), "failed: {}", wrong.join(", "));
    Ok(())
}

/// Runs programs, the last one first, and answers those that failed. `passed` learns the seconds that the others took.
#[expect(clippy::disallowed_methods, reason = "a person waits for this")]
#[expect(clippy::print_stderr, reason = "a person watches this")]
fn side_by_side(programs: Vec<Program>, mut passed: impl FnMut(&str, f64)) -> Result<Vec<Program>> {
    let lanes = std::thread::available_parallelism()?.get() + LANES_MORE;
    let count = programs.len();
    let waiting = Mutex::new(programs);
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let (ended, all) = mpsc::channel();
    let mut failed = Vec::new();
    std::thread::scope(|scope| {
        for _ in 0..lanes {
            let ended = ended.clone();
            scope.spawn(move || {
                while let Some(program) = next() {
                    let start = Instant::now();
                    let output = program.run();
                    let told = ended.send((program, start.elapsed().as_secs_f64(), output));
                    if told.is_err() {
                        break;
                    }
                }
            });
        }
        drop(ended);
        for (at, (program, seconds, output)) in all.into_iter().enumerate() {
            eprintln!("{seconds:>8.1} s  {} ({} of {count})", program.name, at + 1);
            if output.as_ref().is_ok_and(|output| output.status.success()) {
                passed(&program.name, seconds);
            } else {
                show(&output);
                failed.push(program);
            }
        }
    });
    Ok(failed)
}

impl Program {
    fn run(&self) -> std::io::Result<Output> {
        Command::new(&self.executable)
            .arg("--quiet")
            .current_dir(&self.folder)
            .env("CARGO_MANIFEST_DIR", &self.folder)
            .stdin(Stdio::null())
            .output()
    }

    fn has_one_try(&self) -> bool {
        ONCE.contains(&self.name.rsplit(' ').next().unwrap_or_default())
    }

    /// The test program that one of cargo's messages tells of, if it does.
    fn told(message: &str) -> Option<Program> {
        let message: Value = serde_json::from_str(message).ok()?;
        if message["profile"]["test"] != true {
            return None;
        }
        let executable = PathBuf::from(message["executable"].as_str()?);
        let folder = Path::new(message["manifest_path"].as_str()?).parent()?.to_owned();
        let package = folder.file_name()?.to_string_lossy().into_owned();
        let target = message["target"]["name"].as_str()?;
        Some(Program {
            name: format!("{package} {target}"),
            package,
            executable,
            folder,
        })
    }
}

fn built(root: &Path, build: &[&str]) -> Result<Vec<Program>> {
    let built = Command::new("cargo")
        .args(build)
        .arg("--message-format=json-render-diagnostics")
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()
        .context("cargo")?;
    ensure!(built.status.success(), "the test programs were not built");
    let told = String::from_utf8_lossy(&built.stdout);
    Ok(told.lines().filter_map(Program::told).collect())
}

#[expect(clippy::print_stderr, reason = "a person reads this")]
fn show(output: &std::io::Result<Output>) {
    match output {
        Ok(output) => eprintln!(
            "{}{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
            output.status
        ),
        Err(why) => eprintln!("{why}"),
    }
}
