//! The Go clients: franz-go, sarama and kafka-go.

use std::sync::OnceLock;

use anyhow::Result;
use compat_tests::{Broker, Program, clients, facts, program};

fn run(client: &str, scenario: &str) -> Result<()> {
    static INSTALLED: OnceLock<Result<std::path::PathBuf, String>> = OnceLock::new();
    let installed = INSTALLED.get_or_init(|| clients::install(&["go"]).map_err(|error| format!("{error:?}")));
    let dir = installed.as_ref().map_err(|error| anyhow::anyhow!("{error}"))?;
    let out = Program::new(dir.join("bin").join(client))
        .args([scenario])
        .env("KAFKA", Broker::shared()?.address())
        .env("RUN", program::unique())
        .run()?;
    facts::compare(client, scenario, &facts::parse(&out)?)
}

mod franz {
    fn run(scenario: &str) -> anyhow::Result<()> {
        super::run("franz", scenario)
    }
    compat_tests::scenarios!(run: admin_calls, group, group_transactions, large_and_empty, offsets, round_trip, transactions);
}

mod sarama {
    fn run(scenario: &str) -> anyhow::Result<()> {
        super::run("sarama", scenario)
    }
    compat_tests::scenarios!(run: admin_calls, group, large_and_empty, offsets, old_versions, round_trip, transactions);
}

mod kafkago {
    fn run(scenario: &str) -> anyhow::Result<()> {
        super::run("kafkago", scenario)
    }
    compat_tests::scenarios!(run: admin_calls, group, large_and_empty, offsets, round_trip);
}
