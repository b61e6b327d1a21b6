//! Apache Cassandra and smack under the scylla driver's load.
//!
//! Knows: the cases of CQL and how a side goes through them. Never: how figures are kept.

mod cases;
mod side;

use super::{Figures, measured::compare, report};
use anyhow::{Context, Result, bail, ensure};
use cases::LOADS;
use compat_tests::clients;

const PAGE: report::Page = report::Page {
    name: "benchmarks-cql",
    cases: cases::CASES,
    head: "# Benchmarks of the CQL server

Written by `cargo xtask bench cql`: Apache Cassandra and smack one after the other on the same machine, client and server sharing
its cores; the median of the rounds. Each load runs unmeasured first, so that the original's JVM is warm, on a machine whose free
memory was filled with page cache; processor time is the server process's own. The load is the scylla driver's, prepared
statements and 256 requests under way (64 for ranges, 32 for conditions and batches, 4 for scans); `benches/cql_load.rs` says
exactly which. Before each of them a server may end what the load before left for later. Rates are those of a load that never pauses; the time within which 99 of 100 requests are answered is that of a
load of a fixed rate, the same on both sides and about half of what the original manages. Cases that fall short of their aim come first; the last column says how each was measured,
`benchmarks-cql.json` holds every single figure. Memory under load is the most that the server kept resident since its start.

",
};

/// How much is measured.
struct Plan {
    rounds: u32,
    /// Seconds that each load is counted.
    seconds: u32,
    /// Rows of 200 bytes that there are.
    rows: u32,
    /// The loads, by their names.
    loads: Vec<&'static str>,
    /// Instead of a comparison: how many rows smack is to grow to.
    grow: Option<u32>,
}

impl Plan {
    /// What is not counted, so that the original's JVM has compiled what it runs.
    fn warm(&self) -> u32 {
        self.seconds + self.seconds / 2
    }
}

/// Runs the comparison and writes `docs/benchmarks-cql.md` and `docs/benchmarks-cql.json`.
pub(crate) fn cql(arguments: &[&str]) -> Result<()> {
    let plan = plan(arguments)?;
    let load = clients::install(&["cql-load"])?.join("bin/cql-load");
    if let Some(rows) = plan.grow {
        let mut smack = Figures::new();
        side::grow(&load, &plan, rows, &mut smack)?;
        let how = |_: &str| format!("{rows} rows against {}, {} s", plan.rows, plan.seconds);
        return report::keep(&PAGE, &Figures::new(), &smack, how);
    }
    compare(
        plan.rounds,
        &PAGE,
        |subject, filler, figures| side::measure(subject, &load, &plan, filler, figures),
        |rounds, cores, case| how(&plan, rounds, cores, case),
    )
}

fn how(plan: &Plan, rounds: u32, cores: usize, case: &str) -> String {
    let Plan { seconds, rows, .. } = plan;
    match case {
        cases::START | cases::MEMORY_IDLE => format!("{rounds} x, {cores} cores"),
        cases::MEMORY_LOADED | cases::DISK => format!("{rounds} x {rows} rows"),
        _ => format!(
            "{rounds} x {seconds} s after {} s, {rows} rows, {cores} cores",
            plan.warm()
        ),
    }
}

fn plan(arguments: &[&str]) -> Result<Plan> {
    let all = LOADS.map(|load| load.name);
    let mut plan = Plan {
        rounds: 3,
        seconds: 10,
        rows: 1_000_000,
        loads: all.to_vec(),
        grow: None,
    };
    let mut rest = arguments.iter();
    while let Some(flag) = rest.next() {
        let value = rest.next().with_context(|| format!("{flag} needs a value"))?;
        let named = |name: &str| {
            let found = all.into_iter().find(|known| *known == name);
            found.with_context(|| format!("no load is called {name:?}"))
        };
        match *flag {
            "--rounds" => plan.rounds = value.parse()?,
            "--seconds" => plan.seconds = value.parse()?,
            "--rows" => plan.rows = value.parse()?,
            "--cases" => plan.loads = value.split(',').map(named).collect::<Result<_>>()?,
            "--grow" => plan.grow = Some(value.parse()?),
            _ => bail!(
                "bench cql [--rounds N] [--seconds N] [--rows N] [--grow ROWS] [--cases {}]",
                all.join(",")
            ),
        }
    }
    ensure!(
        plan.rounds > 0 && plan.seconds > 0 && plan.rows > 0,
        "nothing to measure"
    );
    Ok(plan)
}
