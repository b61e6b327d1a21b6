//! One round of one side.

use super::{
    Figures, Plan,
    cases::{self, Group, Throughput},
    measured::Measured,
    memory::Filler,
};
use anyhow::{Context, Result};
use compat_tests::{Broker, Program, Subject};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// ApiVersions of version 0: length, key 18, version 0, correlation 1, client id "b".
const API_VERSIONS: &[u8] = &[0, 0, 0, 11, 0, 18, 0, 0, 0, 0, 0, 1, 0, 1, b'b'];

/// Everything of the plan that is measured of one side. Loads share a broker, which gets warmer with each.
pub(crate) fn measure(
    subject: &Subject,
    python: &Path,
    plan: &Plan,
    filler: &mut Filler,
    figures: &mut Figures,
) -> Result<()> {
    let mut side = Side {
        measured: Measured {
            server: Broker::start(subject.clone(), "")?,
            figures,
            hello: (API_VERSIONS, 8),
        },
        python,
        plan,
        filler,
    };
    for group in &plan.groups {
        side.group(*group).with_context(|| group.name())?;
    }
    side.measured.server.kill()
}

struct Side<'a> {
    measured: Measured<'a>,
    python: &'a Path,
    plan: &'a Plan,
    filler: &'a mut Filler,
}

impl Side<'_> {
    fn group(&mut self, group: Group) -> Result<()> {
        match group {
            Group::Start => {
                self.measured.server.stop()?;
                self.measured.start(cases::START)?;
                std::thread::sleep(Duration::from_secs(1));
                self.measured.memory(cases::MEMORY_IDLE)
            }
            Group::Produce => {
                self.throughput(cases::PRODUCE_100, &["produce", "100"])?;
                self.throughput(cases::PRODUCE_1024, &["produce", "1024"])?;
                self.measured.memory_peak(cases::MEMORY_LOADED)
            }
            Group::Consume => self.throughput(cases::CONSUME, &["consume", "1024"]).map(drop),
            Group::Latency => {
                self.latency(cases::LATENCY_1000, "1000")?;
                self.latency(cases::LATENCY_5000, "5000")
            }
            Group::Synced => {
                let said = self.timed(&["synced"])?;
                self.measured.note(cases::SYNCED, &said["records_per_second"])
            }
            Group::Growth => self.growth(),
            Group::Partitions => self.partitions(),
        }
    }

    fn growth(&mut self) -> Result<()> {
        let few = self.grown(&cases::FEW, ["4", "1", "1"])?;
        let many = self.grown(&cases::MANY, ["1000", "200", "200"])?;
        self.grown(&cases::ONE_TOPIC, ["1000", "200", "1"])?;
        for (figure, case) in ["rate", "work"].into_iter().zip(cases::GROWTH) {
            let of = |said: &Value| said[figure].as_f64().context(figure);
            self.measured.add(case, of(&many)? / of(&few)?);
        }
        Ok(())
    }

    /// So many partitions, producers and topics.
    fn grown(&mut self, case: &cases::Growth, counts: [&str; 3]) -> Result<Value> {
        let said = self.throughput(case.throughput, &[&["growth"], &counts[..]].concat())?;
        self.measured.note(case.client, &said["client"])?;
        self.measured.note(case.p99, &said["p99"])?;
        Ok(said)
    }

    fn partitions(&mut self) -> Result<()> {
        let count = self.plan.partitions.to_string();
        self.load(&["partitions", &count, &self.plan.gigabytes.to_string()])?;
        self.measured.memory_peak(cases::MEMORY_FULL)?;
        self.measured.server.kill()?;
        self.measured.start(cases::START_FULL)?;
        let said = self.load(&["ends", &count])?;
        let seconds = said["seconds"].as_f64().context("seconds")?;
        self.measured.add(cases::RECOVERED_FULL, seconds * 1e3);
        Ok(())
    }

    fn load(&self, arguments: &[&str]) -> Result<Value> {
        let script = compat_tests::broker::folder().join("../benches/kafka_load.py");
        self.measured.load(
            Program::new(self.python)
                .args([script])
                .args(arguments)
                .env("KAFKA", self.measured.server.address())
                .seconds_max(900),
        )
    }

    /// A load that is told how long to run: counted, and before that.
    fn timed(&mut self, arguments: &[&str]) -> Result<Value> {
        self.filler.fill()?;
        let (seconds, warm) = (self.plan.seconds.to_string(), self.plan.warm().to_string());
        self.load(&[arguments, &[&seconds, &warm]].concat())
    }

    fn throughput(&mut self, [rate, work]: Throughput, arguments: &[&str]) -> Result<Value> {
        let said = self.timed(arguments)?;
        self.measured.note(rate, &said["rate"])?;
        self.measured.note(work, &said["work"])?;
        Ok(said)
    }

    fn latency(&mut self, cases: [&'static str; 3], rate: &str) -> Result<()> {
        let said = self.timed(&["latency", rate])?;
        for (percentile, case) in ["p50", "p99", "p999"].into_iter().zip(cases) {
            self.measured.note(case, &said[percentile])?;
        }
        Ok(())
    }
}
