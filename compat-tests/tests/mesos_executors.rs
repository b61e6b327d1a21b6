//! Executors and task groups over plain HTTP, and tasks that outlive the agent: `kill -9` of the server, again and again.

use anyhow::Result;
use compat_tests::{Broker, Program, Subject, broker, scenarios};
use std::path::Path;

/// Odd rounds kill when every task runs, even ones while they are launched.
const ROUNDS: u32 = 3;

fn program(scenario: &str, mesos: &Broker) -> Program {
    Program::new("python3")
        .args([broker::folder().join("scenarios/mesos/python/executors.py")])
        .args([scenario])
        .env("MESOS", mesos.address())
        .env("PYTHONDONTWRITEBYTECODE", "1")
}

fn run(scenario: &str) -> Result<()> {
    program(scenario, Broker::shared_mesos()?).run()?;
    Ok(())
}

scenarios!(run: an_executor_of_its_own, bad_calls_of_executors, groups_of_tasks, streams_that_are_cut);

fn round(scenario: &str, round: u32, folder: &Path, mesos: &Broker) -> Result<()> {
    program(scenario, mesos)
        .env("FOLDER", folder)
        .env("ROUND", round.to_string())
        .run()?;
    Ok(())
}

#[test]
fn tasks_outlive_the_agent() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut mesos = Broker::start_mesos(Subject::Smack)?;
    for at in 1..=ROUNDS {
        round("begin", at, folder.path(), &mesos)?;
        mesos.kill()?;
        mesos.restart()?;
        round("go_on", at, folder.path(), &mesos)?;
    }
    Ok(())
}
