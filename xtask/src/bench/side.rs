//! One round of one side.

use super::{Figures, Plan, process, report};
use anyhow::{Context, Result};
use compat_tests::{Broker, Program, Subject};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// Everything that is measured of one side, in the order of the table.
pub(crate) fn measure(subject: Subject, python: &Path, plan: &Plan, figures: &mut Figures) -> Result<()> {
    let broker = Broker::start(subject, "")?;
    let mut side = Side {
        broker,
        python,
        figures,
    };
    side.start("start to first answer, ms", false)?;
    std::thread::sleep(Duration::from_secs(1));
    side.memory("memory idle, MB")?;
    let megabytes = |full: f64| format!("{}", full * plan.scale);
    side.throughput("produce 100 B", &["produce", "p100", "100", &megabytes(200.0)])?;
    side.throughput("produce 1 KiB", &["produce", "p1024", "1024", &megabytes(1000.0)])?;
    let records = format!("{}", (1_000_000.0 * plan.scale * 1000.0 / 1024.0) as u64);
    side.throughput("consume 1 KiB", &["consume", "p1024", "1024", &records])?;
    let seconds = format!("{}", (20.0 * plan.scale).max(5.0));
    side.latency("1,000/s", &["latency", "l1000", "1000", &seconds])?;
    side.latency("5,000/s", &["latency", "l5000", "5000", &seconds])?;
    let synced = side.load(&["synced", "synced", &format!("{}", (4000.0 * plan.scale) as u64)])?;
    side.note(
        "synced before every acknowledgement, records/s",
        &synced["records_per_second"],
    )?;
    side.throughput(
        "4 partitions, 1 producer",
        &["many", "few", "4", "1", &megabytes(500.0)],
    )?;
    side.throughput(
        "1,000 partitions, 200 producers",
        &["many", "many", "1000", "200", &megabytes(500.0)],
    )?;
    side.memory("memory loaded, MB")?;
    side.load(&["partitions", "parts", &plan.partitions.to_string()])?;
    side.start("start after kill -9 with all partitions, ms", true)?;
    std::thread::sleep(Duration::from_secs(1));
    side.memory("memory with all partitions, MB")
}

struct Side<'a> {
    broker: Broker,
    python: &'a Path,
    figures: &'a mut Figures,
}

impl Side<'_> {
    fn pid(&self) -> Result<u32> {
        self.broker.pid().context("the broker runs")
    }

    fn add(&mut self, case: &'static str, figure: f64) {
        report::progress(&format!("  {case}: {figure:.2}"));
        self.figures.entry(case).or_default().push(figure);
    }

    fn note(&mut self, case: &'static str, figure: &Value) -> Result<()> {
        self.add(case, figure.as_f64().context("a number")?);
        Ok(())
    }

    fn load(&self, arguments: &[&str]) -> Result<Value> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../benches/kafka_load.py");
        let out = Program::new(self.python)
            .args([script])
            .args(arguments)
            .env("KAFKA", self.broker.address())
            .seconds_max(900)
            .run()?;
        Ok(serde_json::from_str(
            out.lines().last().context("the load said nothing")?,
        )?)
    }

    /// Ends the process and measures how long it takes from its start until it has answered a request.
    #[expect(clippy::disallowed_methods, reason = "a stopwatch")]
    fn start(&mut self, case: &'static str, crash: bool) -> Result<()> {
        if crash {
            self.broker.kill()?
        } else {
            self.broker.stop()?
        }
        let began = Instant::now();
        self.broker.restart()?;
        while ask(self.broker.address()).is_err() {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.add(case, began.elapsed().as_secs_f64() * 1e3);
        Ok(())
    }

    fn memory(&mut self, case: &'static str) -> Result<()> {
        let megabytes = process::resident_megabytes(self.pid()?)?;
        self.add(case, megabytes);
        Ok(())
    }

    /// Megabytes per second, and per second of the server's processor time.
    fn throughput(&mut self, case: &'static str, arguments: &[&str]) -> Result<()> {
        let before = process::cpu_seconds(self.pid()?)?;
        let said = self.load(arguments)?;
        let used = process::cpu_seconds(self.pid()?)? - before;
        let megabytes = said["megabytes"].as_f64().context("megabytes")?;
        let [rate, work] = report::pair(case);
        self.add(rate, megabytes / said["seconds"].as_f64().context("seconds")?);
        self.add(work, megabytes / used.max(0.01));
        Ok(())
    }

    fn latency(&mut self, rate: &str, arguments: &[&str]) -> Result<()> {
        let said = self.load(arguments)?;
        for (percentile, case) in ["p50", "p99", "p999"].into_iter().zip(report::latencies(rate)) {
            self.note(case, &said[percentile])?;
        }
        Ok(())
    }
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
