//! The events example while smack is killed again and again under it.

use std::{fs, path::Path, thread, time::Duration};

use anyhow::{Context, Result, ensure};
use compat_tests::{
    Broker, Subject,
    dice::Dice,
    examples::{check_events, example},
    spark,
};

/// How many events are posted, and how many of them a second: they go on for longer than the kills do.
const EVENTS: u64 = 6000;
const RATE: u64 = 100;
const KILLS: u32 = 3;

/// smack is killed again and again while events are posted: none is lost, none counted twice, and no client starts again.
#[test]
#[ignore = "takes minutes: nightly"]
fn events_under_kills() -> Result<()> {
    if Subject::from_env() != Subject::Smack {
        return Ok(());
    }
    let mut smack = Broker::start(Subject::Smack, "")?;
    let mut dice = Dice::new()?;
    let folder = tempfile::tempdir()?;
    let _alone = spark::alone()?;
    let example = example("events", &smack, folder.path())?
        .env("COUNT", EVENTS.to_string())
        .env("RATE", RATE.to_string())
        .seconds_max(600);
    let running = thread::spawn(move || example.run());
    while !running.is_finished() && !posting(folder.path()) {
        thread::sleep(Duration::from_millis(100));
    }
    for kill in 0..KILLS {
        thread::sleep(Duration::from_millis(2_000 + dice.below(8_000)));
        ensure!(smack.is_alive(), "ended by itself: {}", smack.log());
        if running.is_finished() {
            break;
        }
        smack.kill()?;
        smack
            .restart()
            .with_context(|| format!("kill {kill}, seed {}", dice.seed))?;
    }
    ensure!(
        !running.is_finished(),
        "the example ended early: {:?}",
        running.join()
    );
    let shown = running
        .join()
        .map_err(|_| anyhow::anyhow!("the thread panicked"))?;
    let shown = shown.with_context(|| format!("seed {}", dice.seed))?;
    check_events(&smack, EVENTS).with_context(|| format!("seed {}: {shown}", dice.seed))
}

/// Whether the example's endpoint has said where it listens, which is when the first event is posted.
fn posting(folder: &Path) -> bool {
    let example = fs::read_dir(folder).ok().and_then(|mut files| files.next());
    let log = example.and_then(|folder| fs::read_to_string(folder.ok()?.path().join("endpoint.log")).ok());
    log.is_some_and(|log| log.contains("http://"))
}
