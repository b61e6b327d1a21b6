//! A real ZooKeeper for the time of a test.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context, Result};

use crate::clients;

/// A ZooKeeper of one server, which ends with this value, and with the test's process at the latest.
pub struct ZooKeeper {
    child: Child,
    /// It ends when its standard input does.
    input: Option<ChildStdin>,
    masters: String,
}

impl ZooKeeper {
    /// Starts one without any node.
    pub fn start() -> Result<Self> {
        Self::start_with(&[])
    }

    /// Starts one in which a master at `host:port` stands for leader, some time after the start.
    pub fn start_with_leader(master: &str) -> Result<Self> {
        Self::start_with(&[master])
    }

    fn start_with(arguments: &[&str]) -> Result<Self> {
        let dir = clients::install(&["mesos-zookeeper"])?;
        let mut child = Command::new("java")
            .args(["-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"])
            .args(["-cp", &format!("{0}/classes:{0}/lib/*", dir.display())])
            .arg("Leader")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let input = child.stdin.take();
        let said = child.stdout.take().context("no output")?;
        let mut port = String::new();
        BufReader::new(said).read_line(&mut port)?;
        Ok(Self {
            child,
            input,
            masters: format!("zk://127.0.0.1:{}/mesos", port.trim()),
        })
    }

    /// Where masters stand for leader, as masters, agents and frameworks are told it.
    pub fn masters(&self) -> &str {
        &self.masters
    }
}

impl Drop for ZooKeeper {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}
