//! Stock framework libraries over the Mesos v1 HTTP API: pymesos in JSON, mesos-go in protobuf.

use std::{path::PathBuf, sync::OnceLock};

use anyhow::{Result, anyhow, ensure};
use compat_tests::{Broker, Program, broker, clients};

fn pymesos(scenario: &str) -> Result<()> {
    static INSTALLED: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let installed =
        INSTALLED.get_or_init(|| clients::install(&["mesos-pymesos"]).map_err(|error| format!("{error:?}")));
    let venv = installed.as_ref().map_err(|error| anyhow!("{error}"))?;
    let out = Program::new(venv.join("bin/python"))
        .args([broker::folder().join("scenarios/mesos/python/frameworks.py")])
        .args([scenario])
        .env("MESOS", Broker::shared_mesos()?.address())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .run()?;
    ensure!(out.contains(&format!("PASS {scenario}")), "{out}");
    Ok(())
}

compat_tests::scenarios!(pymesos: a_framework_fails_over, an_executor_of_its_own, tasks_run_to_their_end);

#[test]
fn mesos_go_runs_tasks_to_their_end() -> Result<()> {
    let out = Program::new(clients::install(&["mesos-go"])?.join("mesos-go"))
        .env("MESOS", Broker::shared_mesos()?.address())
        .run()?;
    ensure!(out.contains("PASS"), "{out}");
    Ok(())
}
