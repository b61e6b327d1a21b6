//! A stock application of Kafka and Cassandra, in both group protocols; its Cassandra is the original.
//!
//! Takes the memory and the time of a Cassandra node, so it runs only with `--ignored`.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use compat_tests::{Broker, Program, broker, clients};
use tempfile::TempDir;

/// A Cassandra node that ends with its owner.
struct Cassandra {
    port: u16,
    dir: TempDir,
}

impl Cassandra {
    fn start() -> Result<Self> {
        let node = Self {
            port: broker::free_ports(4)?,
            dir: tempfile::tempdir()?,
        };
        let started = node.script("start")?;
        ensure!(started, "Cassandra did not start");
        Ok(node)
    }

    fn script(&self, what: &str) -> Result<bool> {
        let status = Command::new(broker::folder().join("originals/cassandra.sh"))
            .arg(what)
            .env("PORT", self.port.to_string())
            .env("DATA", self.dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .context("cassandra.sh")?;
        Ok(status.success())
    }
}

impl Drop for Cassandra {
    fn drop(&mut self) {
        let _ = self.script("stop");
    }
}

#[test]
#[ignore = "takes the memory and the time of a Cassandra node; run with --ignored"]
fn fraud_in_both_group_protocols() -> Result<()> {
    let dir = clients::install(&["fraud"])?;
    let cassandra = Cassandra::start()?;
    for protocol in ["classic", "consumer"] {
        let out = Program::new("java")
            .args([
                "-Xmx256m",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
                "-cp",
            ])
            .args([format!("{0}/classes:{0}/lib/*", dir.display())])
            .args(["Fraud"])
            .env("KAFKA", Broker::shared()?.address())
            .env("CASSANDRA", format!("127.0.0.1:{}", cassandra.port))
            .env("GROUP_PROTOCOL", protocol)
            .seconds_max(240)
            .run()?;
        ensure!(out.contains("PASS fraud"), "{protocol}: {out}");
    }
    Ok(())
}
