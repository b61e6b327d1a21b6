//! A stock application of Kafka and Cassandra, in both group protocols.

use anyhow::{Result, ensure};
use compat_tests::{Both, Subject};

#[test]
fn fraud_in_both_group_protocols() -> Result<()> {
    let servers = Both::start(&Subject::from_env())?;
    servers.application("fraud", "Warm")?.run()?;
    for protocol in ["classic", "consumer"] {
        let application = servers
            .application("fraud", "Fraud")?
            .env("GROUP_PROTOCOL", protocol);
        let out = application.run()?;
        ensure!(out.contains("PASS fraud"), "{protocol}: {out}");
    }
    Ok(())
}
