//! mesoshttp: a stock framework library over the Mesos v1 HTTP API.

use std::{
    path::PathBuf,
    sync::{Mutex, OnceLock, PoisonError},
};

use compat_tests::{Broker, Program, broker, clients, scenarios};

/// One framework at a time: this library reads an event when the next one comes, and holds its offers until then.
static ALONE: Mutex<()> = Mutex::new(());

fn run(scenario: &str) -> anyhow::Result<()> {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    static PYTHON: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let python =
        PYTHON.get_or_init(|| clients::install(&["mesos-python"]).map_err(|error| format!("{error:?}")));
    let python = python.as_ref().map_err(|error| anyhow::anyhow!("{error}"))?;
    let mesos = Broker::shared_mesos()?;
    Program::new(python.join("bin/python"))
        .args([broker::folder().join("scenarios/mesos/python/mesos_http.py")])
        .args([scenario])
        .env("MESOS", mesos.address())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .run()?;
    Ok(())
}

scenarios!(run: a_task_is_killed, tasks_run_to_their_end, too_much_is_refused, what_a_task_needs_is_fetched, what_a_task_wrote_is_read_back);
