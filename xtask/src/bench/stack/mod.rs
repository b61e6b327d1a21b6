//! Apache Kafka with Apache Cassandra, and smack, under the same applications.
//!
//! Knows: the cases of the whole stack and how a side goes through them. Never: what an application does.

mod cases;
mod side;

use super::{measured::compare, report};
use anyhow::{Context, Result, bail, ensure};
use cases::{AKKA, BURST, FEEDS, STEADY};

const PAGE: report::Page = report::Page {
    name: "benchmarks-stack",
    cases: cases::CASES,
    head: "# Benchmarks of the whole stack

Written by `cargo xtask bench stack`: stock applications, first on Apache Kafka and Apache Cassandra, then on smack, in one run on
the same machine, whose cores the applications share with the servers. The pipeline is the example `events`: an endpoint of Pekko takes events over HTTP
to Kafka, and Spark's structured streams (`local[2]` on both sides: the originals have no Mesos) keep one table of all events and one of counts. From HTTP to row is from the
time of an event's record in Kafka to the write time of its row. The Akka pipeline is the application of
`compat-tests/scenarios/akka`. Processor time is the server processes' own, of one run of an application; memory is the most that they
kept resident together, with heaps of 512 MB for each original. The start of everything is that of the servers, the endpoint and Spark; most of it is Spark's.
Events are posted as soon as the endpoint listens, while Spark still starts: rows a second and the way from HTTP to row tell of that, too.
Cases that fall short of their aim come first; `benchmarks-stack.json` holds every single figure.

",
};

/// How much is measured.
struct Plan {
    rounds: u32,
    applications: Vec<&'static str>,
}

/// Runs the comparison and writes `docs/benchmarks-stack.md` and its JSON. Applications that were not asked for keep the figures
/// of the run before.
pub(crate) fn stack(arguments: &[&str]) -> Result<()> {
    let plan = plan(arguments)?;
    compare(
        plan.rounds,
        &PAGE,
        |subject, _, figures| side::measure(subject, &plan.applications, figures),
        |rounds, cores, case| {
            let events = FEEDS
                .iter()
                .find(|feed| [feed.rows, feed.p50, feed.p99, feed.processors].contains(&case));
            let events = events.map_or_else(String::new, |feed| format!("{} events, ", feed.events));
            format!("{rounds} x, {events}{cores} cores")
        },
    )
}

fn plan(arguments: &[&str]) -> Result<Plan> {
    let all = [STEADY.name, BURST.name, AKKA];
    let mut plan = Plan {
        rounds: 1,
        applications: all.to_vec(),
    };
    let mut rest = arguments.iter();
    while let Some(flag) = rest.next() {
        let value = rest.next().with_context(|| format!("{flag} needs a value"))?;
        let named = |name: &str| {
            let found = all.into_iter().find(|known| *known == name);
            found.with_context(|| format!("no application is called {name:?}"))
        };
        match *flag {
            "--rounds" => plan.rounds = value.parse()?,
            "--cases" => plan.applications = value.split(',').map(named).collect::<Result<_>>()?,
            _ => bail!("bench stack [--rounds N] [--cases {}]", all.join(",")),
        }
    }
    ensure!(plan.rounds > 0, "nothing to measure");
    Ok(plan)
}
