//! What an agent does for tasks beside running them, over plain HTTP: health checks and checks, containers below theirs, and
//! what it knows when everything was killed.

use anyhow::{Context, Result};
use compat_tests::{
    Broker, Program, Subject, broker,
    mesos::{Agent, Master},
    scenarios,
};
use std::path::Path;

fn program(script: &str, scenario: &str, mesos: &Broker) -> Program {
    Program::new("python3")
        .args([broker::folder().join("scenarios/mesos/python").join(script)])
        .args([scenario])
        .env("MESOS", mesos.address())
        .env("PYTHONDONTWRITEBYTECODE", "1")
}

fn checks_of_tasks(scenario: &str) -> Result<()> {
    program("checks.py", scenario, Broker::shared_mesos()?).run()?;
    Ok(())
}

fn containers(scenario: &str) -> Result<()> {
    program("containers.py", scenario, Broker::shared_mesos()?).run()?;
    Ok(())
}

scenarios!(checks_of_tasks: checks, health_checks, health_of_groups);
scenarios!(containers: bad_calls_of_operators, links_lead_nobody_out, nested_containers, sessions, standalone_containers);

#[test]
fn checks_outlive_the_agent() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut mesos = Broker::start_mesos(Subject::Smack)?;
    let run = |scenario: &str, mesos: &Broker| -> Result<()> {
        let program = program("checks.py", scenario, mesos);
        program.env("FOLDER", folder.path()).run()?;
        Ok(())
    };
    run("looked_at", &mesos)?;
    mesos.kill()?;
    mesos.restart()?;
    run("looked_at_again", &mesos)
}

/// Runs a scenario beside an agent of its own with such an isolation. A host that does not allow it says so at the start,
/// and nothing else can be seen there.
#[expect(clippy::print_stdout, reason = "what is not tested is for who runs the test")]
fn isolated(isolation: &str, scenario: &str) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let master = Master::start(folder.path(), &[])?;
    let work_dir = folder.path().join("agent");
    std::fs::create_dir(&work_dir)?;
    let mut agent = Agent::start(&master.address(), &work_dir, &["--isolation", isolation])?;
    if let Some(refused) = agent.refused()? {
        anyhow::ensure!(refused.contains("of this host cannot be used"), "{refused}");
        println!("not tested, as this host does not let an agent isolate by {isolation}");
        return Ok(());
    }
    Program::new("python3")
        .args([broker::folder().join("scenarios/mesos/python/isolation.py")])
        .args([scenario])
        .env("MESOS", master.address())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .run()?;
    agent.stop()
}

#[test]
fn control_groups_keep_tasks_to_what_they_were_given() -> Result<()> {
    isolated("cgroups/cpu,cgroups/mem", "control_groups")
}

#[test]
fn namespaces_keep_tasks_to_themselves() -> Result<()> {
    isolated("filesystem/linux,namespaces/pid", "namespaces")
}

fn storm(scenario: &str, folder: &Path, mesos: &Broker) -> Result<()> {
    let server = mesos.pid().context("it runs")?;
    program("storm.py", scenario, mesos)
        .env("FOLDER", folder)
        .env("SERVER", server.to_string())
        .run()?;
    Ok(())
}

#[test]
fn nothing_is_forgotten_when_everything_is_killed() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut mesos = Broker::start_mesos(Subject::Smack)?;
    storm("begin", folder.path(), &mesos)?;
    mesos.kill()?;
    mesos.restart()?;
    storm("go_on", folder.path(), &mesos)
}
