//! The table, as it is printed and kept.

use super::{Figures, Plan};
use anyhow::Result;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// A case, whether more is better, and the ratio smack to original that is aimed at (or an absolute aim).
struct Case {
    name: &'static str,
    more_is_better: bool,
    aim: Aim,
}

enum Aim {
    /// At least this many times the original.
    Times(f64),
    /// Under this figure.
    Under(f64),
    /// Only reported.
    None,
}

const CASES: &[Case] = &[
    Case {
        name: "produce 100 B, MB/s",
        more_is_better: true,
        aim: Aim::None,
    },
    Case {
        name: "produce 100 B, MB per server-core-second",
        more_is_better: true,
        aim: Aim::Times(4.0),
    },
    Case {
        name: "produce 1 KiB, MB/s",
        more_is_better: true,
        aim: Aim::None,
    },
    Case {
        name: "produce 1 KiB, MB per server-core-second",
        more_is_better: true,
        aim: Aim::Times(3.0),
    },
    Case {
        name: "consume 1 KiB, MB/s",
        more_is_better: true,
        aim: Aim::None,
    },
    Case {
        name: "consume 1 KiB, MB per server-core-second",
        more_is_better: true,
        aim: Aim::Times(1.2),
    },
    Case {
        name: "produce to consume at 1,000/s, p50 ms",
        more_is_better: false,
        aim: Aim::None,
    },
    Case {
        name: "produce to consume at 1,000/s, p99 ms",
        more_is_better: false,
        aim: Aim::Under(1.0),
    },
    Case {
        name: "produce to consume at 1,000/s, p99.9 ms",
        more_is_better: false,
        aim: Aim::None,
    },
    Case {
        name: "produce to consume at 5,000/s, p50 ms",
        more_is_better: false,
        aim: Aim::None,
    },
    Case {
        name: "produce to consume at 5,000/s, p99 ms",
        more_is_better: false,
        aim: Aim::Under(3.0),
    },
    Case {
        name: "produce to consume at 5,000/s, p99.9 ms",
        more_is_better: false,
        aim: Aim::None,
    },
    Case {
        name: "synced before every acknowledgement, records/s",
        more_is_better: true,
        aim: Aim::Times(5.0),
    },
    Case {
        name: "start to first answer, ms",
        more_is_better: false,
        aim: Aim::Under(100.0),
    },
    Case {
        name: "start after kill -9 with all partitions, ms",
        more_is_better: false,
        aim: Aim::Under(1000.0),
    },
    Case {
        name: "memory idle, MB",
        more_is_better: false,
        aim: Aim::Under(30.0),
    },
    Case {
        name: "memory loaded, MB",
        more_is_better: false,
        aim: Aim::Under(150.0),
    },
    Case {
        name: "memory with all partitions, MB",
        more_is_better: false,
        aim: Aim::Under(250.0),
    },
    Case {
        name: "4 partitions, 1 producer, MB/s",
        more_is_better: true,
        aim: Aim::None,
    },
    Case {
        name: "4 partitions, 1 producer, MB per server-core-second",
        more_is_better: true,
        aim: Aim::None,
    },
    Case {
        name: "1,000 partitions, 200 producers, MB/s",
        more_is_better: true,
        aim: Aim::None,
    },
    Case {
        name: "1,000 partitions, 200 producers, MB per server-core-second",
        more_is_better: true,
        aim: Aim::None,
    },
];

/// The two figures of a case of throughput.
pub(crate) fn pair(case: &str) -> [&'static str; 2] {
    let named = |unit: &str| find(&format!("{case}, {unit}"));
    [named("MB/s"), named("MB per server-core-second")]
}

/// The three figures of a case of latency.
pub(crate) fn latencies(rate: &str) -> [&'static str; 3] {
    ["p50", "p99", "p99.9"].map(|p| find(&format!("produce to consume at {rate}, {p} ms")))
}

fn find(name: &str) -> &'static str {
    CASES
        .iter()
        .map(|case| case.name)
        .find(|known| *known == name)
        .unwrap_or("a case without a name")
}

/// Says what happens, on standard error, so that the table can be piped.
#[expect(clippy::print_stderr, reason = "a chore talks to the person who runs it")]
pub(crate) fn progress(line: &str) {
    eprintln!("{line}");
}

/// What a run that was made small does not show.
fn caution(plan: &Plan) -> &'static str {
    if plan.scale >= 1.0 && plan.partitions >= 10_000 && plan.rounds >= 3 {
        return "";
    }
    "This was a small run, and shows less than its table says: the original's JVM was still cold, which flatters every\n\
     ratio; CPU time is counted in ticks of 10 ms, too coarse for so little work (consume above all); and the cases \"with\n\
     all partitions\" are held against an aim that was set for 10,000. Measure at `--rounds 3 --scale 1` before quoting.\n\n"
}

/// Prints the table and keeps it.
#[expect(clippy::print_stdout, reason = "a chore talks to the person who runs it")]
pub(crate) fn write(plan: &Plan, original: &Figures, smack: &Figures) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let table = table(original, smack)?;
    println!("{table}");
    let text = format!(
        "# Benchmarks\n\nWritten by `cargo xtask bench kafka`: {} rounds at scale {}, {} partitions; original and smack one after the\n\
         other on the same machine, client and server sharing {} cores; the median of the rounds. Cases that fall short of\n\
         their aim come first.\n\n{}{table}",
        plan.rounds,
        plan.scale,
        plan.partitions,
        std::thread::available_parallelism()?,
        caution(plan),
    );
    fs::create_dir_all(root.join("docs"))?;
    fs::write(root.join("docs/benchmarks.md"), text)?;
    let json = serde_json::json!({ "original": original, "smack": smack });
    fs::write(root.join("docs/benchmarks.json"), format!("{json:#}\n"))?;
    Ok(())
}

fn table(original: &Figures, smack: &Figures) -> Result<String> {
    let mut rows: Vec<(bool, String)> = Vec::new();
    for case in CASES {
        let (Some(a), Some(b)) = (median(original.get(case.name)), median(smack.get(case.name))) else {
            continue;
        };
        let times = if case.more_is_better { b / a } else { a / b };
        let (aim, met) = match case.aim {
            Aim::Times(aim) => (format!("at least {aim} times"), times >= aim),
            Aim::Under(aim) => (format!("under {aim}"), b < aim),
            Aim::None => (String::new(), true),
        };
        let verdict = if aim.is_empty() {
            ""
        } else if met {
            "met"
        } else {
            "**falls short**"
        };
        let mut row = String::new();
        writeln!(
            row,
            "| {} | {a:.1} | {b:.1} | {times:.1} | {aim} | {verdict} |",
            case.name
        )?;
        rows.push((met, row));
    }
    rows.sort_by_key(|(met, _)| *met);
    let mut table =
        String::from("| case | original | smack | times better | aim | |\n|---|---|---|---|---|---|\n");
    table.extend(rows.into_iter().map(|(_, row)| row));
    Ok(table)
}

fn median(figures: Option<&Vec<f64>>) -> Option<f64> {
    let mut sorted = figures?.clone();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}
