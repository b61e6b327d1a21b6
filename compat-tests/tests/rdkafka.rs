//! The Rust client: rdkafka.

use std::sync::OnceLock;

use anyhow::Result;
use compat_tests::{Broker, Program, clients, facts, program};

fn run(scenario: &str) -> Result<()> {
    static INSTALLED: OnceLock<Result<std::path::PathBuf, String>> = OnceLock::new();
    let installed =
        INSTALLED.get_or_init(|| clients::install(&["rdkafka"]).map_err(|error| format!("{error:?}")));
    let dir = installed.as_ref().map_err(|error| anyhow::anyhow!("{error}"))?;
    let out = Program::new(dir.join("bin/rdkafka"))
        .args([scenario])
        .env("KAFKA", Broker::shared()?.address())
        .env("RUN", program::unique())
        .run()?;
    facts::compare("rdkafka", scenario, &facts::parse(&out)?)
}

compat_tests::scenarios!(run: admin_calls, group_classic, group_consumer, large_and_empty, offsets, round_trip, transactions);
