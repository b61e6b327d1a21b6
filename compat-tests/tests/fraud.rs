//! A stock application of Kafka and Cassandra, in both group protocols; its Cassandra is the original.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use compat_tests::{Broker, Program, broker, clients};
use tempfile::TempDir;

/// What spares a node that lives for a minute on a busy machine: quick compilation, no waiting for its disk, one collector.
const JAVA_OPTS: &str = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Dcassandra.unsafesystem=true";

/// The default of two seconds for a conditional write is too short while others use the processors.
const PATIENCE: &str = "\
    write_request_timeout: 60s\n\
    read_request_timeout: 60s\n\
    range_request_timeout: 60s\n\
    request_timeout: 60s\n\
    cas_contention_timeout: 60s\n\
    native_transport_timeout: 120s\n";

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
        fs::write(node.dir.path().join("extra.yaml"), PATIENCE)?;
        let started = node.script("start")?;
        ensure!(
            started,
            "Cassandra did not start: {}",
            fs::read_to_string(node.dir.path().join("out.log")).unwrap_or_default()
        );
        Ok(node)
    }

    fn script(&self, what: &str) -> Result<bool> {
        let status = Command::new(broker::folder().join("originals/cassandra.sh"))
            .arg(what)
            .env("PORT", self.port.to_string())
            .env("DATA", self.dir.path())
            .env("EXTRA", self.dir.path().join("extra.yaml"))
            .env("HEAP", "512m")
            .env("JAVA_OPTS", JAVA_OPTS)
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

/// A program of the installed set `dir`, told where both servers are.
fn java(dir: &Path, class: &str, cassandra: &Cassandra) -> Result<Program> {
    Ok(Program::new("java")
        .args(["-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"])
        .args(["-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp"])
        .args([format!("{0}/classes:{0}/lib/*", dir.display())])
        .args([class])
        .env("KAFKA", Broker::shared()?.address())
        .env("CASSANDRA", format!("127.0.0.1:{}", cassandra.port))
        .seconds_max(240))
}

#[test]
fn fraud_in_both_group_protocols() -> Result<()> {
    let dir = clients::install(&["fraud"])?;
    let cassandra = Cassandra::start()?;
    java(&dir, "Warm", &cassandra)?.run()?;
    for protocol in ["classic", "consumer"] {
        let application = java(&dir, "Fraud", &cassandra)?.env("GROUP_PROTOCOL", protocol);
        let out = application.run()?;
        ensure!(out.contains("PASS fraud"), "{protocol}: {out}");
    }
    Ok(())
}
