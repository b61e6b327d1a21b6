//! The Mesos master over raw HTTP: operations, maintenance, draining, the operators' stream, what survives `kill -9`, and
//! masters that follow one another.

use std::{
    path::Path,
    sync::{Mutex, PoisonError},
};

use compat_tests::{
    Broker, Program, Subject, ZooKeeper, broker,
    mesos::{Agent, Master},
    scenarios,
};

/// An agent that scenarios find by its attribute.
const FAR: [&str; 4] = [
    "--attributes",
    "rack:far",
    "--resources",
    "cpus:2;mem:256;disk:64",
];

/// One framework at a time: they share an agent, which some of them drain.
static ALONE: Mutex<()> = Mutex::new(());

/// Runs a scenario; what one scenario leaves for the next is in `kept`.
fn run_with(mesos: &str, scenario: &str, kept: Option<&Path>) -> anyhow::Result<()> {
    let mut program = Program::new("python3")
        .args([broker::folder().join("scenarios/mesos/python/mesos_master.py")])
        .args([scenario])
        .env("MESOS", mesos)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    if let Some(kept) = kept {
        program = program
            .env("KEPT", kept.join("kept.json"))
            .env("LAUNCHES", kept.join("launches"));
    }
    program.run()?;
    Ok(())
}

fn run_at(mesos: &str, scenario: &str) -> anyhow::Result<()> {
    run_with(mesos, scenario, None)
}

fn run(scenario: &str) -> anyhow::Result<()> {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    run_at(Broker::shared_mesos()?.address(), scenario)
}

scenarios!(run:
    an_agent_is_drained,
    an_agent_is_gone_for_good,
    maintenance_is_asked_for,
    operations_are_told_of,
    operators_watch,
    what_frameworks_say_is_checked,
);

#[test]
fn what_operators_set_survives_a_kill() -> anyhow::Result<()> {
    let mut mesos = Broker::start_mesos(Subject::from_env())?;
    run_at(mesos.address(), "operators_set_what_stays")?;
    mesos.kill()?;
    mesos.restart()?;
    run_at(mesos.address(), "what_operators_set_is_there")
}

/// An agent in a process of its own goes on without its master, and is known to the next one with what it runs.
#[test]
fn tasks_outlive_their_master() -> anyhow::Result<()> {
    let mut mesos = Broker::start_mesos(Subject::from_env())?;
    let dir = tempfile::tempdir()?;
    let _agent = Agent::start(mesos.address(), dir.path(), &FAR)?;
    let run = |mesos: &Broker, scenario: &str| run_with(mesos.address(), scenario, Some(dir.path()));
    run(&mesos, "a_task_runs_on_another_agent")?;
    mesos.kill()?;
    mesos.restart()?;
    run(&mesos, "the_task_is_known_to_the_next_master")
}

/// The next master takes over from one that is killed, and from one that only seems to be there; tasks go on.
#[test]
fn masters_follow_one_another() -> anyhow::Result<()> {
    let zookeeper = ZooKeeper::start()?;
    let (first, second, far) = (tempfile::tempdir()?, tempfile::tempdir()?, tempfile::tempdir()?);
    let start = |dir: &Path| Master::start(dir, &["--zk", zookeeper.masters(), "--quorum", "1"]);
    let run = |master: &Master, scenario: &str| run_with(&master.address(), scenario, Some(far.path()));
    // It finds the first master that ever stands there.
    let _agent = Agent::start(zookeeper.masters(), far.path(), &FAR)?;
    let mut one = start(first.path())?;
    run(&one, "it_leads")?;
    let two = start(second.path())?;
    run(&two, "it_stands_by")?;
    run(&one, "a_task_runs_on_another_agent")?;
    run(&one, "operators_set_what_stays")?;

    one.signal("-KILL")?;
    run(&two, "it_leads")?;
    run(&two, "what_operators_set_is_there")?;
    run(&two, "the_framework_goes_on")?;

    one = start(first.path())?;
    run(&one, "it_stands_by")?;
    two.signal("-STOP")?;
    run(&one, "it_leads")?;
    two.signal("-CONT")?;
    run(&two, "it_stands_by")?;
    run(&one, "the_task_is_known_to_the_next_master")
}
