//! aiokafka: the client of asyncio.

mod python;

use compat_tests::scenarios;

fn run(scenario: &str) -> anyhow::Result<()> {
    python::run("aio_kafka", scenario)
}

scenarios!(run: admin_calls, group, idempotent_large_and_empty, offsets, round_trip, transactions);
