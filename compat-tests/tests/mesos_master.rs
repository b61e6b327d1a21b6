//! The Mesos master over raw HTTP: operations, maintenance, draining, the operators' stream, and what survives `kill -9`.

use std::{
    fs::File,
    path::Path,
    process::{Child, Command},
    sync::{Mutex, PoisonError},
};

use compat_tests::{Broker, Program, Subject, broker, scenarios};

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
    let _agent = Agent::start(mesos.address(), dir.path())?;
    let run = |mesos: &Broker, scenario: &str| run_with(mesos.address(), scenario, Some(dir.path()));
    run(&mesos, "a_task_runs_on_another_agent")?;
    mesos.kill()?;
    mesos.restart()?;
    run(&mesos, "the_task_is_known_to_the_next_master")
}

/// An agent alone, killed with the test.
struct Agent(Child);

impl Agent {
    fn start(master: &str, work_dir: &Path) -> anyhow::Result<Self> {
        let log = File::create(work_dir.join("agent.log"))?;
        let child = Command::new(broker::smack_binary()?)
            .args(["mesos-agent", "--port", "0", "--attributes", "rack:far"])
            .args(["--resources", "cpus:2;mem:256;disk:64", "--master", master])
            .arg("--work-dir")
            .arg(work_dir)
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        Ok(Agent(child))
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
