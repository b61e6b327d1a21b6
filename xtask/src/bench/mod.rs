//! Original and smack under the same load, one after the other, several times in one run.
//!
//! Knows: how to start either, librdkafka's load (`benches/kafka_load.py`), what a process used. Never: an absolute figure as a
//! verdict, because machines differ; only both sides of one run are compared.

mod process;
mod report;
mod side;

use anyhow::{Context, Result, bail};
use compat_tests::{Subject, clients};
use std::collections::BTreeMap;

/// How much is measured; `--scale 0.1` makes everything ten times smaller.
pub(crate) struct Plan {
    pub(crate) rounds: u32,
    pub(crate) scale: f64,
    pub(crate) partitions: u32,
}

/// Figures of one side by case, one per round.
pub(crate) type Figures = BTreeMap<&'static str, Vec<f64>>;

/// Runs the comparison and writes `docs/benchmarks.md` and `target/bench-kafka.json`.
pub(crate) fn kafka(arguments: &[&str]) -> Result<()> {
    let plan = plan(arguments)?;
    let python = clients::install(&["python"])?.join("bin/python");
    let mut sides = [
        ("original", Subject::Original, Figures::new()),
        ("smack", Subject::Smack, Figures::new()),
    ];
    for round in 1..=plan.rounds {
        for (name, subject, figures) in &mut sides {
            report::progress(&format!("round {round} of {}: {name}", plan.rounds));
            side::measure(subject.clone(), &python, &plan, figures)
                .with_context(|| format!("{name}, round {round}"))?;
        }
    }
    let [original, smack] = sides.map(|(_, _, figures)| figures);
    report::write(&plan, &original, &smack)
}

fn plan(arguments: &[&str]) -> Result<Plan> {
    let mut plan = Plan {
        rounds: 3,
        scale: 1.0,
        partitions: 10_000,
    };
    let mut rest = arguments.iter();
    while let Some(flag) = rest.next() {
        let value = rest.next().with_context(|| format!("{flag} needs a value"))?;
        match *flag {
            "--rounds" => plan.rounds = value.parse()?,
            "--scale" => plan.scale = value.parse()?,
            "--partitions" => plan.partitions = value.parse()?,
            _ => bail!("bench kafka [--rounds N] [--scale X] [--partitions N]"),
        }
    }
    Ok(plan)
}
