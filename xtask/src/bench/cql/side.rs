//! One round of one side.

use super::{
    super::{Figures, measured::Measured, memory::Filler, report},
    Plan,
    cases::{self, LOADS},
};
use anyhow::{Context, Result};
use compat_tests::{Broker, Program, Subject};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// OPTIONS in version 4.
const OPTIONS: &[u8] = &[4, 0, 0, 0, 5, 0, 0, 0, 0];

/// Everything of the plan that is measured of one side.
pub(super) fn measure(
    subject: &Subject,
    load: &Path,
    plan: &Plan,
    filler: &mut Filler,
    figures: &mut Figures,
) -> Result<()> {
    let mut side = Side {
        measured: Measured {
            server: Broker::start_cql(subject.clone())?,
            figures,
            hello: (OPTIONS, 9),
        },
        load,
        plan,
    };
    side.measured.server.stop()?;
    side.measured.start(cases::START)?;
    std::thread::sleep(Duration::from_secs(1));
    side.measured.memory(cases::MEMORY_IDLE)?;
    filler.fill()?;
    let rows = plan.rows.to_string();
    side.load(&["fill", &rows])?;
    for load in LOADS.iter().filter(|load| plan.loads.contains(&load.name)) {
        filler.fill()?;
        side.measured.settle()?;
        let (seconds, warm) = (plan.seconds.to_string(), plan.warm().to_string());
        let said = side.load(&[load.name, &rows, &seconds, &warm])?;
        for (case, figure) in [(load.rate, "rate"), (load.work, "work"), (load.p99, "p99")] {
            side.measured.note(case, &said[figure])?;
        }
    }
    side.measured.memory_peak(cases::MEMORY_LOADED)?;
    side.measured.server.stop()?;
    // Of those rows alone: the loads wrote more rows the faster they were answered.
    side.measured.server = Broker::start_cql(subject.clone())?;
    side.load(&["fill", &rows])?;
    // What is written when it stops counts too.
    side.measured.server.stop()?;
    let disk = megabytes(side.measured.server.data())?;
    side.measured.add(cases::DISK, disk);
    Ok(())
}

/// Point reads and writes of smack alone, on a table of the plan's rows and when it has grown to `rows`.
pub(super) fn grow(load: &Path, plan: &Plan, rows: u32, figures: &mut Figures) -> Result<()> {
    let mut side = Side {
        measured: Measured {
            server: Broker::start_cql(Subject::Smack)?,
            figures,
            hello: (OPTIONS, 9),
        },
        load,
        plan,
    };
    side.load(&["fill", &plan.rows.to_string()])?;
    let before = side.rates(plan.rows)?;
    side.load(&["grow", &plan.rows.to_string(), &rows.to_string()])?;
    let after = side.rates(rows)?;
    for (case, (before, after)) in [cases::GROWN_READS, cases::GROWN_WRITES]
        .into_iter()
        .zip(before.into_iter().zip(after))
    {
        report::progress(&format!("  {case}: from {before:.0}/s to {after:.0}/s"));
        side.measured.add(case, after / before);
    }
    Ok(())
}

struct Side<'a> {
    measured: Measured<'a>,
    load: &'a Path,
    plan: &'a Plan,
}

impl Side<'_> {
    /// Point reads and writes a second.
    fn rates(&self, rows: u32) -> Result<[f64; 2]> {
        let (rows, seconds, warm) = (
            rows.to_string(),
            self.plan.seconds.to_string(),
            self.plan.warm().to_string(),
        );
        let rate = |name| -> Result<f64> {
            let said = self.load(&[name, &rows, &seconds, &warm])?;
            said["rate"].as_f64().context("a rate")
        };
        Ok([rate("select")?, rate("insert")?])
    }

    fn load(&self, arguments: &[&str]) -> Result<Value> {
        self.measured.load(
            Program::new(self.load)
                .args(arguments)
                .env("CQL", self.measured.server.address())
                .seconds_max(900 + self.plan.seconds * 4),
        )
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
