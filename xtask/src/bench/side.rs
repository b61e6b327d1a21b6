//! One round of one side.

use super::{
    Figures, Plan,
    cases::{self, Group, Throughput},
    memory::Filler,
    report,
};
use anyhow::{Context, Result};
use compat_tests::{Broker, Program, Subject};
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// Everything of the plan that is measured of one side. Loads share a broker, which gets warmer with each.
pub(crate) fn measure(
    subject: &Subject,
    python: &Path,
    plan: &Plan,
    filler: &mut Filler,
    figures: &mut Figures,
) -> Result<()> {
    let mut side = Side {
        broker: Broker::start(subject.clone(), "")?,
        python,
        plan,
        filler,
        figures,
    };
    for group in &plan.groups {
        side.group(*group).with_context(|| group.name())?;
    }
    side.broker.kill()
}

struct Side<'a> {
    broker: Broker,
    python: &'a Path,
    plan: &'a Plan,
    filler: &'a mut Filler,
    figures: &'a mut Figures,
}

impl Side<'_> {
    fn group(&mut self, group: Group) -> Result<()> {
        match group {
            Group::Start => {
                self.broker.stop()?;
                self.start(cases::START)?;
                std::thread::sleep(Duration::from_secs(1));
                self.memory(cases::MEMORY_IDLE)
            }
            Group::Produce => {
                self.throughput(cases::PRODUCE_100, &["produce", "100"])?;
                self.throughput(cases::PRODUCE_1024, &["produce", "1024"])?;
                self.memory(cases::MEMORY_LOADED)
            }
            Group::Consume => self.throughput(cases::CONSUME, &["consume", "1024"]).map(drop),
            Group::Latency => {
                self.latency(cases::LATENCY_1000, "1000")?;
                self.latency(cases::LATENCY_5000, "5000")
            }
            Group::Synced => {
                let said = self.timed(&["synced"])?;
                self.note(cases::SYNCED, &said["records_per_second"])
            }
            Group::Growth => self.growth(),
            Group::Partitions => self.partitions(),
        }
    }

    fn growth(&mut self) -> Result<()> {
        let few = self.throughput(cases::FEW, &["growth", "4", "1"])?;
        let many = self.throughput(cases::MANY, &["growth", "1000", "200"])?;
        let rate = |said: &Value| said["rate"].as_f64().context("rate");
        self.add(cases::GROWTH, rate(&many)? / rate(&few)?);
        self.note(cases::FEW_P99, &few["p99"])?;
        self.note(cases::MANY_P99, &many["p99"])
    }

    fn partitions(&mut self) -> Result<()> {
        let count = self.plan.partitions.to_string();
        self.load(&["partitions", &count, &self.plan.gigabytes.to_string()])?;
        self.memory(cases::MEMORY_FULL)?;
        self.broker.kill()?;
        self.start(cases::START_FULL)?;
        let said = self.load(&["ends", &count])?;
        let seconds = said["seconds"].as_f64().context("seconds")?;
        self.add(cases::RECOVERED_FULL, seconds * 1e3);
        Ok(())
    }

    fn add(&mut self, case: &'static str, figure: f64) {
        report::progress(&format!("  {case}: {figure:.2}"));
        self.figures.entry(case).or_default().push(figure);
    }

    fn note(&mut self, case: &'static str, figure: &Value) -> Result<()> {
        self.add(case, figure.as_f64().context("a number")?);
        Ok(())
    }

    fn pid(&self) -> Result<u32> {
        self.broker.pid().context("the broker runs")
    }

    fn load(&self, arguments: &[&str]) -> Result<Value> {
        let script = compat_tests::broker::folder().join("../benches/kafka_load.py");
        let out = Program::new(self.python)
            .args([script])
            .args(arguments)
            .env("KAFKA", self.broker.address())
            .env("SERVER_PID", self.pid()?.to_string())
            .seconds_max(900)
            .run()?;
        let said = out.lines().last().context("the load said nothing")?;
        Ok(serde_json::from_str(said)?)
    }

    /// A load that is told how long to run: counted, and before that.
    fn timed(&mut self, arguments: &[&str]) -> Result<Value> {
        self.filler.fill()?;
        let (seconds, warm) = (self.plan.seconds.to_string(), self.plan.warm().to_string());
        self.load(&[arguments, &[&seconds, &warm]].concat())
    }

    fn throughput(&mut self, [rate, work]: Throughput, arguments: &[&str]) -> Result<Value> {
        let said = self.timed(arguments)?;
        self.note(rate, &said["rate"])?;
        self.note(work, &said["work"])?;
        Ok(said)
    }

    fn latency(&mut self, cases: [&'static str; 3], rate: &str) -> Result<()> {
        let said = self.timed(&["latency", rate])?;
        for (percentile, case) in ["p50", "p99", "p999"].into_iter().zip(cases) {
            self.note(case, &said[percentile])?;
        }
        Ok(())
    }

    /// How long the process, which was ended, takes from its start until it has answered a request.
    #[expect(clippy::disallowed_methods, reason = "a stopwatch")]
    fn start(&mut self, case: &'static str) -> Result<()> {
        let began = Instant::now();
        self.broker.restart()?;
        while ask(self.broker.address()).is_err() {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.add(case, began.elapsed().as_secs_f64() * 1e3);
        Ok(())
    }

    /// Megabytes that the process keeps resident.
    fn memory(&mut self, case: &'static str) -> Result<()> {
        let megabytes = resident_megabytes(self.pid()?)?;
        self.add(case, megabytes);
        Ok(())
    }
}

/// What a process keeps resident.
pub(super) fn resident_megabytes(pid: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes: f64 = line.context("no VmRSS")?.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes / 1024.0)
}

/// An ApiVersions request of version 0, answered.
fn ask(address: &str) -> Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    // Length, key 18, version 0, correlation 1, client id "b".
    stream.write_all(&[0, 0, 0, 11, 0, 18, 0, 0, 0, 0, 0, 1, 0, 1, b'b'])?;
    let mut answer = [0; 8];
    stream.read_exact(&mut answer)?;
    Ok(())
}
