//! A server that is measured: what every comparison does with the one of its round.

use super::{Figures, memory::Filler, report};
use anyhow::{Context, Result};
use compat_tests::{Broker, Program, Subject, process};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// A server that uses less of a core in a second has nothing left to do. The original's never falls to nothing.
const IDLE_TICKS: u32 = 10;
const SETTLING_SECONDS_MAX: u32 = 60;

/// Goes through the rounds, one side after the other, and keeps the page after each.
pub(super) fn compare(
    rounds: u32,
    page: &report::Page,
    mut measure: impl FnMut(&Subject, &mut Filler, &mut Figures) -> Result<()>,
    how: impl Fn(u32, usize, &str) -> String,
) -> Result<()> {
    let mut sides = [
        ("original", Subject::Original, Figures::new()),
        ("smack", Subject::Smack, Figures::new()),
    ];
    let mut filler = Filler::default();
    let cores = report::cores()?;
    for round in 1..=rounds {
        for (name, subject, figures) in &mut sides {
            report::progress(&format!("round {round} of {rounds}: {name}"));
            measure(subject, &mut filler, figures).with_context(|| format!("{name}, round {round}"))?;
        }
        let [(_, _, original), (_, _, smack)] = &sides;
        report::keep(page, original, smack, |case| how(round, cores, case))?;
    }
    Ok(())
}

/// A server, and where its figures go.
pub(super) struct Measured<'a> {
    pub(super) server: Broker,
    pub(super) figures: &'a mut Figures,
    /// A request that the server answers, and how many bytes of the answer are waited for.
    pub(super) hello: (&'static [u8], usize),
}

impl Measured<'_> {
    pub(super) fn add(&mut self, case: &'static str, figure: f64) {
        report::add(self.figures, case, figure);
    }

    pub(super) fn note(&mut self, case: &'static str, figure: &Value) -> Result<()> {
        self.add(case, figure.as_f64().context("a number")?);
        Ok(())
    }

    fn pid(&self) -> Result<u32> {
        self.server.pid().context("the server runs")
    }

    /// Runs a load, which measures the server's process by its id and says its figures in its last line.
    pub(super) fn load(&self, program: Program) -> Result<Value> {
        let out = program.env("SERVER_PID", self.pid()?.to_string()).run()?;
        report::said(&out)
    }

    /// Waits until the process has done what the load before left for later, so that it is not told of the next one.
    pub(super) fn settle(&self) -> Result<()> {
        let mut before = self.ticks()?;
        for _ in 0..SETTLING_SECONDS_MAX {
            std::thread::sleep(Duration::from_secs(1));
            let now = self.ticks()?;
            if now - before <= IDLE_TICKS {
                break;
            }
            before = now;
        }
        Ok(())
    }

    /// Hundredths of a second of processor time that the process has used.
    fn ticks(&self) -> Result<u32> {
        process::ticks(self.pid()?).context("the server runs")
    }

    /// How long the process, which was ended, takes from its start until it has answered a request.
    #[expect(clippy::disallowed_methods, reason = "a stopwatch")]
    pub(super) fn start(&mut self, case: &'static str) -> Result<()> {
        let began = Instant::now();
        self.server.restart()?;
        while self.ask().is_err() {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.add(case, began.elapsed().as_secs_f64() * 1e3);
        Ok(())
    }

    fn ask(&self) -> Result<()> {
        let (request, length) = self.hello;
        let mut stream = TcpStream::connect(self.server.address())?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(request)?;
        stream.read_exact(&mut vec![0; length])?;
        Ok(())
    }

    /// Megabytes that the process keeps resident.
    pub(super) fn memory(&mut self, case: &'static str) -> Result<()> {
        self.resident(case, process::RESIDENT)
    }

    /// The most megabytes that the process kept resident since its start.
    pub(super) fn memory_peak(&mut self, case: &'static str) -> Result<()> {
        self.resident(case, process::RESIDENT_MOST)
    }

    fn resident(&mut self, case: &'static str, key: &'static str) -> Result<()> {
        let kilobytes = process::kilobytes(self.pid()?, key).context(key)?;
        self.add(case, f64::from(kilobytes) / 1024.0);
        Ok(())
    }
}
