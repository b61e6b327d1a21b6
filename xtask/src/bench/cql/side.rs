//! One round of one side.

use super::{
    super::{Figures, memory::Filler, report},
    Plan,
    cases::{self, LOADS},
};
use anyhow::{Context, Result};
use compat_tests::{Broker, Program, Subject};
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// Everything of the plan that is measured of one side.
pub(super) fn measure(
    subject: &Subject,
    load: &Path,
    plan: &Plan,
    filler: &mut Filler,
    figures: &mut Figures,
) -> Result<()> {
    let mut side = Side {
        server: Broker::start_cql(subject.clone())?,
        load,
        plan,
        filler,
        figures,
    };
    side.server.stop()?;
    side.start()?;
    std::thread::sleep(Duration::from_secs(1));
    side.memory(cases::MEMORY_IDLE)?;
    side.filler.fill()?;
    let rows = plan.rows.to_string();
    side.load(&["fill", &rows])?;
    for load in LOADS.iter().filter(|load| plan.loads.contains(&load.name)) {
        side.filler.fill()?;
        let (seconds, warm) = (plan.seconds.to_string(), plan.warm().to_string());
        let said = side.load(&[load.name, &rows, &seconds, &warm])?;
        for (case, figure) in [(load.rate, "rate"), (load.work, "work"), (load.p99, "p99")] {
            let figure = said[figure]
                .as_f64()
                .with_context(|| format!("{figure}: {said}"))?;
            side.add(case, figure);
        }
    }
    side.memory(cases::MEMORY_LOADED)?;
    // What is written when it stops counts too.
    side.server.stop()?;
    side.add(cases::DISK, megabytes(side.server.data())?);
    Ok(())
}

struct Side<'a> {
    server: Broker,
    load: &'a Path,
    plan: &'a Plan,
    filler: &'a mut Filler,
    figures: &'a mut Figures,
}

impl Side<'_> {
    fn add(&mut self, case: &'static str, figure: f64) {
        report::progress(&format!("  {case}: {figure:.2}"));
        self.figures.entry(case).or_default().push(figure);
    }

    fn load(&self, arguments: &[&str]) -> Result<Value> {
        let pid = self.server.pid().context("the server runs")?;
        let out = Program::new(self.load)
            .args(arguments)
            .env("CQL", self.server.address())
            .env("SERVER_PID", pid.to_string())
            .seconds_max(900 + self.plan.seconds * 3)
            .run()?;
        let said = out.lines().last().context("the load said nothing")?;
        Ok(serde_json::from_str(said)?)
    }

    /// How long the process, which was ended, takes from its start until it has answered a request.
    #[expect(clippy::disallowed_methods, reason = "a stopwatch")]
    fn start(&mut self) -> Result<()> {
        let began = Instant::now();
        self.server.restart()?;
        while ask(self.server.address()).is_err() {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.add(cases::START, began.elapsed().as_secs_f64() * 1e3);
        Ok(())
    }

    fn memory(&mut self, case: &'static str) -> Result<()> {
        let pid = self.server.pid().context("the server runs")?;
        let megabytes = super::super::side::resident_megabytes(pid)?;
        self.add(case, megabytes);
        Ok(())
    }
}

/// What a folder takes on disk.
fn megabytes(folder: &Path) -> Result<f64> {
    let mut sum = 0.0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            sum += megabytes(&entry.path())?;
        } else if kind.is_file() {
            sum += entry.metadata()?.len() as f64 / 1e6;
        }
    }
    Ok(sum)
}

/// OPTIONS in version 4, answered.
fn ask(address: &str) -> Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(&[4, 0, 0, 0, 5, 0, 0, 0, 0])?;
    let mut answer = [0; 9];
    stream.read_exact(&mut answer)?;
    Ok(())
}
