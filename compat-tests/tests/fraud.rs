//! A stock application of Kafka and Cassandra, in both group protocols.

use std::path::Path;

use anyhow::{Result, ensure};
use compat_tests::{Broker, Program, Subject, clients};

/// A program of the installed set `dir`, told where both servers are.
fn java(dir: &Path, class: &str, cassandra: &str) -> Result<Program> {
    Ok(Program::new("java")
        .args(["-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"])
        .args(["-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp"])
        .args([format!("{0}/classes:{0}/lib/*", dir.display())])
        .args([class])
        .env("KAFKA", Broker::shared()?.address())
        .env("CASSANDRA", cassandra)
        .seconds_max(240))
}

#[test]
fn fraud_in_both_group_protocols() -> Result<()> {
    let dir = clients::install(&["fraud"])?;
    // smack is both; beside Kafka itself there is a Cassandra.
    let original = match Subject::from_env() {
        Subject::Original => Some(Broker::start_cql(Subject::Original)?),
        _ => None,
    };
    let cassandra = match &original {
        Some(cassandra) => cassandra.address().to_owned(),
        None => Broker::shared()?.address_of("cql")?,
    };
    java(&dir, "Warm", &cassandra)?.run()?;
    for protocol in ["classic", "consumer"] {
        let application = java(&dir, "Fraud", &cassandra)?.env("GROUP_PROTOCOL", protocol);
        let out = application.run()?;
        ensure!(out.contains("PASS fraud"), "{protocol}: {out}");
    }
    Ok(())
}
