//! A stock application of Akka: HTTP to Kafka to Cassandra in streams, transactions, and actors that persist their events and
//! snapshots, recover and are queried.

use anyhow::{Result, ensure};
use compat_tests::{Both, Subject};

#[test]
fn akka() -> Result<()> {
    let servers = Both::start(&Subject::from_env())?;
    let out = servers.application("akka", "Main")?.run()?;
    ensure!(out.contains("PASS akka"), "{out}");
    Ok(())
}
