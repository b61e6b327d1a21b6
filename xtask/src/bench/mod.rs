//! Original and smack under the same load, one after the other, several times in one run.
//!
//! Knows: how to start either, the loads (`benches/kafka_load.py`: librdkafka; `benches/cql_load.rs`: the scylla driver;
//! `benches/mesos_load.py`: plain HTTP; for all servers at once, whole applications), what a process used. Never: an absolute
//! figure as a verdict, because machines differ; only both sides of one run are compared.

mod cases;
mod cql;
mod measured;
mod memory;
mod mesos;
mod report;
mod side;
mod stack;

pub(crate) use cql::cql;
pub(crate) use mesos::mesos;
pub(crate) use stack::stack;

use anyhow::{Context, Result, bail, ensure};
use cases::Group;
use compat_tests::clients;
use std::collections::BTreeMap;

const PAGE: report::Page = report::Page {
    name: "benchmarks",
    cases: cases::CASES,
    head: "# Benchmarks

Written by `cargo xtask bench kafka`: original and smack one after the other on the same machine, client and server sharing
its cores; the median of the rounds. Each load runs unmeasured first, so that the original's JVM is warm, on a machine whose free
memory was filled with page cache, and processor time is the server process's own clock. The load is librdkafka's;
`benches/kafka_load.py` says exactly which. Cases that fall short of their aim come first; the last column says how each was
measured, `benchmarks.json` holds every single figure. Memory under load is the most that the server kept resident since its start.

Growth compares 200 producers, each writing to the 5 partitions of a topic of its own, with one producer of 4 partitions;
batches are the same 64 records of 1,000 bytes, and none are compressed. Because clients and server share the cores, MB/s
say as much of librdkafka as of the server, so both sides' processor time is told, too. Where all 1,000 partitions are of one topic, each
client walks over all of them whenever it wakes, which `perf` sees two thirds of its processor time go to: those rows are the client's limit.

The start after kill -9 is measured right after the last partition was written: what was written within the last seconds is read back.

",
};

/// How much is measured.
pub(crate) struct Plan {
    pub(crate) rounds: u32,
    /// Seconds that each load is counted, after half as many again that only warm it up.
    pub(crate) seconds: u32,
    /// Of the group `partitions`: how many there are, and what they hold together.
    pub(crate) partitions: u32,
    pub(crate) gigabytes: f64,
    pub(crate) groups: Vec<Group>,
}

impl Plan {
    /// What is not counted, so that the original's JVM has compiled what it runs.
    pub(crate) fn warm(&self) -> u32 {
        self.seconds + self.seconds / 2
    }
}

/// Figures of one side by case, one per round.
pub(crate) type Figures = BTreeMap<&'static str, Vec<f64>>;

/// Runs the comparison and writes `docs/benchmarks.md` and `docs/benchmarks.json`. Groups that were not asked for keep
/// the figures of the run before, so that a long comparison can be made in parts.
pub(crate) fn kafka(arguments: &[&str]) -> Result<()> {
    let plan = plan(arguments)?;
    let python = clients::install(&["python"])?.join("bin/python");
    measured::compare(
        plan.rounds,
        &PAGE,
        |subject, filler, figures| side::measure(subject, &python, &plan, filler, figures),
        |rounds, cores, case| how(&plan, rounds, cores, case),
    )
}

fn how(plan: &Plan, rounds: u32, cores: usize, case: &str) -> String {
    if case.contains("all partitions") || case.contains("every partition") {
        format!(
            "{rounds} x {} partitions, {} GB, {cores} cores",
            plan.partitions, plan.gigabytes
        )
    } else if case.starts_with("start") || case.contains("idle") {
        format!("{rounds} x, {cores} cores")
    } else {
        let (seconds, warm) = (plan.seconds, plan.warm());
        format!("{rounds} x {seconds} s after {warm} s, {cores} cores")
    }
}

fn plan(arguments: &[&str]) -> Result<Plan> {
    let mut plan = Plan {
        rounds: 3,
        seconds: 10,
        partitions: 10_000,
        gigabytes: 10.0,
        groups: Group::ALL.to_vec(),
    };
    let mut rest = arguments.iter();
    while let Some(flag) = rest.next() {
        let value = rest.next().with_context(|| format!("{flag} needs a value"))?;
        match *flag {
            "--rounds" => plan.rounds = value.parse()?,
            "--seconds" => plan.seconds = value.parse()?,
            "--partitions" => plan.partitions = value.parse()?,
            "--gigabytes" => plan.gigabytes = value.parse()?,
            "--cases" => plan.groups = value.split(',').map(Group::named).collect::<Result<_>>()?,
            _ => bail!(
                "bench kafka [--rounds N] [--seconds N] [--partitions N] [--gigabytes X] [--cases {}]",
                Group::ALL.map(Group::name).join(",")
            ),
        }
    }
    ensure!(plan.rounds > 0 && plan.seconds > 0, "nothing to measure");
    Ok(plan)
}
