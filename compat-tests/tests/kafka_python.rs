//! kafka-python: the pure Python client.

mod python;

use compat_tests::scenarios;

fn run(scenario: &str) -> anyhow::Result<()> {
    python::run("kafka_python", scenario)
}

scenarios!(run: admin_calls, group, large_and_empty, offsets, round_trip, transactions);
