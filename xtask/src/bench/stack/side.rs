//! One round of one side.

use super::{
    super::{Figures, report},
    cases::{self, AKKA, FEEDS, Feed, STEADY},
};
use anyhow::{Context, Result, ensure};
use compat_tests::{Both, Program, Subject, broker, clients, process, spark};
use serde_json::Value;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Runs the applications, each beside servers of its own.
pub(super) fn measure(subject: &Subject, applications: &[&str], figures: &mut Figures) -> Result<()> {
    for application in applications {
        let mut side = Side::start(subject, figures)?;
        match FEEDS.iter().find(|feed| feed.name == *application) {
            Some(feed) => side.events(feed),
            None => side.akka(),
        }
        .with_context(|| format!("application {application}"))?;
    }
    Ok(())
}

struct Side<'a> {
    figures: &'a mut Figures,
    servers: Both,
    /// Before the servers were started: seconds since 1970.
    started: f64,
}

impl<'a> Side<'a> {
    #[expect(clippy::disallowed_methods, reason = "a stopwatch")]
    fn start(subject: &Subject, figures: &'a mut Figures) -> Result<Self> {
        let (began, now) = (Instant::now(), SystemTime::now());
        let mut side = Side {
            figures,
            servers: Both::start(subject)?,
            started: now.duration_since(UNIX_EPOCH)?.as_secs_f64(),
        };
        side.add(cases::SERVERS, began.elapsed().as_secs_f64());
        Ok(side)
    }

    fn add(&mut self, case: &'static str, figure: f64) {
        report::add(self.figures, case, figure);
    }

    /// The example `events`, and what became of each event.
    fn events(&mut self, feed: &Feed) -> Result<()> {
        let folder = tempfile::tempdir()?;
        let example = broker::folder().join("../examples/run");
        let program = Program::new(example)
            .args(["events"])
            .env("KAFKA", self.servers.kafka())
            .env("CASSANDRA", self.servers.cassandra()?)
            .env("MASTER", "local[2]")
            .env("COUNT", feed.events.to_string())
            .env("RATE", feed.rate.to_string())
            .env("TMPDIR", folder.path())
            .seconds_max(400);
        let before = self.processors()?;
        program.run()?;
        self.add(feed.processors, self.processors()? - before);
        let said = self.followed(feed.events)?;
        let figure = |name: &str| said[name].as_f64().with_context(|| name.to_owned());
        for (name, case) in [("rows", feed.rows), ("p50", feed.p50), ("p99", feed.p99)] {
            self.add(case, figure(name)?);
        }
        if feed.name == STEADY.name {
            self.add(cases::FIRST_ROW, figure("first")? - self.started);
        }
        self.memory()
    }

    /// Compares the topic with the table.
    fn followed(&self, events: u32) -> Result<Value> {
        let driver = spark::packages(&clients::install(&["cql-python"])?)?;
        let out = Program::new(clients::install(&["python"])?.join("bin/python"))
            .args([broker::folder().join("../benches/stack_events.py")])
            .args([events.to_string()])
            .env("KAFKA", self.servers.kafka())
            .env("CASSANDRA", self.servers.cassandra()?)
            .env("PYTHONPATH", driver)
            .run()?;
        report::said(&out)
    }

    #[expect(clippy::disallowed_methods, reason = "a stopwatch")]
    fn akka(&mut self) -> Result<()> {
        let program = self.servers.application(AKKA, "Main")?;
        let (before, began) = (self.processors()?, Instant::now());
        let out = program.run()?;
        ensure!(out.contains("PASS akka"), "{out}");
        self.add(cases::AKKA_WALL, began.elapsed().as_secs_f64());
        // What is still written counts too.
        std::thread::sleep(Duration::from_secs(1));
        self.add(cases::AKKA_PROCESSORS, self.processors()? - before);
        self.memory()
    }

    /// Seconds of processors that the servers have used.
    fn processors(&self) -> Result<f64> {
        let mut ticks = 0;
        for pid in self.servers.pids() {
            ticks += process::ticks(pid).context("a server runs")?;
        }
        Ok(f64::from(ticks) / process::TICKS_PER_SECOND)
    }

    /// The most megabytes that the servers kept resident since their start.
    fn memory(&mut self) -> Result<()> {
        let mut kilobytes = 0;
        for pid in self.servers.pids() {
            kilobytes += process::kilobytes(pid, process::RESIDENT_MOST).context("a server runs")?;
        }
        self.add(cases::MEMORY, f64::from(kilobytes) / 1024.0);
        Ok(())
    }
}
