//! A stock application of Pekko 1.2: events from Kafka to actors that persist them, from their journal to a table by a projection
//! that goes on where it was, and back to Kafka in transactions.

use anyhow::{Result, ensure};
use compat_tests::{Both, Subject, program};

#[test]
fn pekko() -> Result<()> {
    let servers = Both::start(&Subject::from_env())?;
    let run = program::unique();
    let out = servers
        .application("pekko", "Application")?
        .env("TOPIC", format!("campaigns-{run}"))
        .env("KEYSPACE", format!("pekko_{run}"))
        .run()?;
    ensure!(out.contains("PASS pekko"), "{out}");
    Ok(())
}
