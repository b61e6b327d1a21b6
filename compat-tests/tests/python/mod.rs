//! Scenarios of the Python clients: one program per client, one function per scenario.

use std::sync::OnceLock;

use anyhow::Result;
use compat_tests::{Broker, Program, broker, clients, facts, program};

pub(crate) fn run(client: &str, scenario: &str) -> Result<()> {
    static PYTHON: OnceLock<Result<std::path::PathBuf, String>> = OnceLock::new();
    let python = PYTHON.get_or_init(|| clients::install(&["python"]).map_err(|error| format!("{error:?}")));
    let python = python.as_ref().map_err(|error| anyhow::anyhow!("{error}"))?;
    let broker = Broker::shared()?;
    let out = Program::new(python.join("bin/python"))
        .args([broker::folder()
            .join("scenarios/python")
            .join(format!("{client}.py"))])
        .args([scenario])
        .env("KAFKA", broker.address())
        .env("RUN", program::unique())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .run()?;
    facts::compare(client, scenario, &facts::parse(&out)?)
}
