//! A stock application of Akka: HTTP to Kafka to Cassandra in streams, transactions, and actors that persist their events and
//! snapshots, recover and are queried.

use anyhow::{Result, ensure};
use compat_tests::{Broker, Program, Subject, clients};

#[test]
fn akka() -> Result<()> {
    let dir = clients::install(&["akka"])?;
    // smack is both; beside Kafka itself there is a Cassandra.
    let original = match Subject::from_env() {
        Subject::Original => Some(Broker::start_cql(Subject::Original)?),
        _ => None,
    };
    let kafka = Broker::shared()?;
    let cassandra = match &original {
        Some(cassandra) => cassandra.address().to_owned(),
        None => kafka.address_of("cql")?,
    };
    let out = Program::new("java")
        .args(["-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp"])
        .args([format!("{0}/classes:{0}/lib/*", dir.display())])
        .args(["Main"])
        .env("KAFKA", kafka.address())
        .env("CASSANDRA", cassandra)
        .seconds_max(400)
        .run()?;
    ensure!(out.contains("PASS akka"), "{out}");
    Ok(())
}
