//! A Mesos master and agent under a framework's load.
//!
//! Knows: the cases of Mesos, how they are measured, what was once recorded of the original. Never: how figures are kept.

mod cases;

use super::{Figures, report};
use crate::ci;
use anyhow::{Context, Result, bail, ensure};
use compat_tests::{Program, broker, mesos::Master, process};
use serde_json::Value;
use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    process::Command,
    thread,
    time::{Duration, Instant},
};

const PAGE: report::Page = report::Page {
    name: "benchmarks-mesos",
    cases: cases::CASES,
    head: "# Benchmarks of the Mesos master and agent

Written by `cargo xtask bench mesos`: `smack mesos`, which is a master and an agent in one process, on the machine that its client
runs on, too; the median of the rounds. The client is a framework in plain HTTP and JSON (`benches/mesos_load.py`), which sends all
tasks in one call and acknowledges every update; each task is a shell that runs `true`, below a process that watches over it.
Figures of the original are not of this run: Mesos 1.11 is not to be had as a program here, and these were recorded once, of
master and agent in one process on two cores that did little else, with 40 tasks at once. Where a range was recorded, its middle
is told. Processor time is that of the server, of its children and of all that they waited for, so the tasks' own is in it.

The fleet is simulated: a master's core with 10,000 agents, 100 frameworks and 200,000 running tasks, without sockets; memory is
that of the whole test. Where it has no rows it was not measured yet. Of few tasks the p99 is the slowest. Cases that fall short of their aim come first; `benchmarks-mesos.json` holds every single figure.

",
};

/// As the original of the recording had it.
const AGENT: &str = "[mesos]\nresources = \"cpus:8;mem:8192;disk:20000\"\n";

/// How much is measured.
struct Plan {
    rounds: u32,
    /// Tasks that are launched at once.
    tasks: u32,
    /// How often, and how many tasks are launched alone.
    bursts: u32,
    fleet: bool,
}

/// Measures, and writes `docs/benchmarks-mesos.md` and `docs/benchmarks-mesos.json`.
pub(crate) fn mesos(arguments: &[&str]) -> Result<()> {
    let plan = plan(arguments)?;
    let mut smack = Figures::new();
    for round in 1..=plan.rounds {
        report::progress(&format!("round {round} of {}", plan.rounds));
        measure(&plan, &mut smack).with_context(|| format!("round {round}"))?;
    }
    if plan.fleet {
        fleet(&mut smack).context("the fleet")?;
    }
    let original = cases::ORIGINAL
        .iter()
        .map(|(case, figures)| (*case, figures.to_vec()));
    let cores = report::cores()?;
    report::keep(&PAGE, &original.collect(), &smack, |case| how(&plan, cores, case))
}

fn how(plan: &Plan, cores: usize, case: &str) -> String {
    let Plan {
        rounds,
        tasks,
        bursts,
        ..
    } = plan;
    match case {
        cases::RUNNING | cases::FINISHED | cases::WORK => {
            format!("{rounds} x {bursts} x {tasks} tasks, {cores} cores")
        }
        cases::P50 | cases::P99 | cases::SINGLE => {
            format!("{rounds} x {} tasks, one at a time", SINGLES_PER_BURST * bursts)
        }
        cases::START | cases::MEMORY => format!("{rounds} x, {cores} cores"),
        _ => "1 x".to_owned(),
    }
}

const SINGLES_PER_BURST: u32 = 4;

fn plan(arguments: &[&str]) -> Result<Plan> {
    let mut plan = Plan {
        rounds: 3,
        tasks: 500,
        bursts: 5,
        fleet: true,
    };
    let mut rest = arguments.iter();
    while let Some(flag) = rest.next() {
        let value = rest.next().with_context(|| format!("{flag} needs a value"))?;
        match *flag {
            "--rounds" => plan.rounds = value.parse()?,
            "--tasks" => plan.tasks = value.parse()?,
            "--bursts" => plan.bursts = value.parse()?,
            "--fleet" => plan.fleet = *value == "yes",
            _ => bail!("bench mesos [--rounds N] [--tasks N] [--bursts N] [--fleet yes|no]"),
        }
    }
    ensure!(
        plan.rounds > 0 && plan.tasks > 0 && plan.bursts > 0,
        "nothing to measure"
    );
    Ok(plan)
}

/// One round, on a master and an agent of its own.
fn measure(plan: &Plan, figures: &mut Figures) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let config = dir.path().join("smack.toml");
    fs::write(&config, AGENT)?;
    let config = config.to_str().context("a folder with a name that is no text")?;
    let mut master = Master::start_with_agent(dir.path(), &["--config", config])?;
    let mut add = |case, figure| report::add(figures, case, figure);
    // A second start, so that the files of the program are in memory.
    master.kill()?;
    add(cases::START, start(&mut master)?);
    thread::sleep(Duration::from_secs(2));
    add(cases::MEMORY, resident(master.pid()?)?);
    let load = |arguments: &[String]| -> Result<Value> {
        let said = Program::new("python3")
            .args([broker::folder().join("../benches/mesos_load.py")])
            .args(arguments)
            .env("MESOS", master.address())
            .env("SERVER_PID", master.pid()?.to_string())
            .seconds_max(600)
            .run()?;
        report::said(&said)
    };
    let singles = (SINGLES_PER_BURST * plan.bursts).to_string();
    let said = load(&["single".to_owned(), singles])?;
    for (case, figure) in [
        (cases::P50, "p50"),
        (cases::P99, "p99"),
        (cases::SINGLE, "finished"),
    ] {
        add(case, said[figure].as_f64().context(figure)?);
    }
    let said = load(&[
        "burst".to_owned(),
        plan.tasks.to_string(),
        plan.bursts.to_string(),
    ])?;
    for (case, figure) in [
        (cases::RUNNING, "running"),
        (cases::FINISHED, "finished"),
        (cases::WORK, "work"),
    ] {
        add(case, said[figure].as_f64().context(figure)?);
    }
    Ok(())
}

/// Milliseconds from the start of a process until it has answered a request.
#[expect(clippy::disallowed_methods, reason = "a stopwatch")]
fn start(master: &mut Master) -> Result<f64> {
    let address = master.address();
    let began = Instant::now();
    master.launch()?;
    while ask(&address).is_err() {
        thread::sleep(Duration::from_millis(1));
    }
    Ok(began.elapsed().as_secs_f64() * 1e3)
}

fn ask(address: &str) -> Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"GET /version HTTP/1.1\r\nHost: master\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    ensure!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    Ok(())
}

/// Megabytes that a process keeps resident.
fn resident(pid: u32) -> Result<f64> {
    let kilobytes = process::kilobytes(pid, process::RESIDENT).context("the master runs")?;
    Ok(f64::from(kilobytes) / 1024.0)
}

/// The test that simulates a fleet says its figures in one line.
fn fleet(figures: &mut Figures) -> Result<()> {
    let arguments = ["test", "--release", "--quiet", "--package", "mesos-api", "--lib"];
    let ran = Command::new(ci::cargo())
        .args(arguments)
        .args(["a_large_fleet", "--", "--ignored", "--nocapture"])
        .output()?;
    ensure!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let said = String::from_utf8_lossy(&ran.stdout);
    let line = said.lines().find_map(|line| line.strip_prefix("fleet: "));
    let said: Value = serde_json::from_str(line.context("it said nothing")?)?;
    for (case, figure) in [
        (cases::CYCLE, "cycle_ms"),
        (cases::SUMMARY, "summary_ms"),
        (cases::FLEET_MEMORY, "memory_mb"),
    ] {
        let figure = said[figure].as_f64().context(figure)?;
        report::add(figures, case, figure);
    }
    Ok(())
}
