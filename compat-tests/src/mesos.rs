//! Mesos masters and agents in processes of their own, which tests kill, stop and start again.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};

use crate::{broker, guard::Guard};

/// A master may take this long until it listens; a busy machine is allowed for.
const START_MAX: Duration = Duration::from_secs(120);
/// And this long until it has ended.
const STOP_MAX: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(2);

/// A process of the binary, killed with this value, and with the test's process at the latest.
struct Process {
    arguments: Vec<String>,
    log: PathBuf,
    child: Option<Child>,
    guard: Option<Guard>,
}

impl Process {
    fn new(log: &Path, arguments: &[&str]) -> Self {
        Self {
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            log: log.to_owned(),
            child: None,
            guard: None,
        }
    }

    fn start(&mut self) -> Result<()> {
        ensure!(self.child.is_none(), "it still runs");
        let log = File::options().create(true).append(true).open(&self.log)?;
        let child = Command::new(broker::smack_binary()?)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let pid = child.id();
        self.child = Some(child);
        self.guard = Some(Guard::of_process(pid)?);
        Ok(())
    }

    fn pid(&self) -> Result<u32> {
        Ok(self.child.as_ref().context("it does not run")?.id())
    }

    fn signal(&self, signal: &str) -> Result<()> {
        let pid = self.pid()?.to_string();
        let status = Command::new("kill").args([signal, &pid]).status()?;
        ensure!(status.success(), "kill {signal} {pid}: {status}");
        Ok(())
    }

    /// Lets it end by itself.
    fn stop(&mut self) -> Result<()> {
        self.signal("-TERM")?;
        let child = self.child.as_mut().context("it runs")?;
        for _ in 0..STOP_MAX.as_millis() / LOOK.as_millis() {
            if child.try_wait()?.is_some() {
                return self.kill();
            }
            thread::sleep(LOOK);
        }
        bail!("it did not end: {}", self.log.display())
    }

    fn kill(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        self.guard = None;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// A master, alone or with an agent in the same process.
pub struct Master {
    process: Process,
    known: PathBuf,
    ports: BTreeMap<String, u16>,
}

impl Master {
    /// Starts one alone on a folder of the caller's, with further arguments.
    pub fn start(dir: &Path, arguments: &[&str]) -> Result<Self> {
        Self::start_as("mesos-master", dir, arguments)
    }

    /// Starts one with an agent.
    pub fn start_with_agent(dir: &Path, arguments: &[&str]) -> Result<Self> {
        let port = broker::free_ports(1)?.to_string();
        Self::start_as("mesos", dir, &[arguments, &["--agent-port", &port]].concat())
    }

    fn start_as(what: &str, dir: &Path, arguments: &[&str]) -> Result<Self> {
        let data = dir.join("data");
        let folder = data.to_str().context("a folder with a name that is no text")?;
        let port = broker::free_ports(1)?.to_string();
        let fixed = [
            what,
            "--mesos-port",
            &port,
            "--admin-port",
            "0",
            "--data-dir",
            folder,
        ];
        let mut master = Master {
            process: Process::new(&dir.join("master.log"), &[&fixed, arguments].concat()),
            known: data.join("ports.json"),
            ports: BTreeMap::new(),
        };
        master.launch()?;
        Ok(master)
    }

    /// Starts it again where it was, after it was killed.
    pub fn launch(&mut self) -> Result<()> {
        let _ = fs::remove_file(&self.known);
        self.process.start()?;
        for _ in 0..START_MAX.as_millis() / LOOK.as_millis() {
            // It is written as a whole.
            if let Ok(text) = fs::read_to_string(&self.known) {
                self.ports = serde_json::from_str(&text)?;
                return Ok(());
            }
            let child = self.process.child.as_mut().context("it was started")?;
            if let Some(status) = child.try_wait()? {
                bail!(
                    "the master ended at once ({status}): {}",
                    self.process.log.display()
                );
            }
            thread::sleep(LOOK);
        }
        bail!("the master wrote no ports.json")
    }

    /// `host:port` of its HTTP API.
    pub fn address(&self) -> String {
        let port = self.ports.get("mesos").copied().unwrap_or_default();
        format!("127.0.0.1:{port}")
    }

    /// Its process.
    pub fn pid(&self) -> Result<u32> {
        self.process.pid()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: &str) -> Result<()> {
        self.process.signal(signal)
    }

    /// Kills it, and waits until it is gone.
    pub fn kill(&mut self) -> Result<()> {
        self.process.kill()
    }
}

/// An agent alone.
pub struct Agent(Process);

impl Agent {
    /// Starts one for a master, on a folder of the caller's, with further arguments.
    pub fn start(master: &str, work_dir: &Path, arguments: &[&str]) -> Result<Self> {
        let folder = work_dir
            .to_str()
            .context("a folder with a name that is no text")?;
        let port = broker::free_ports(1)?.to_string();
        let fixed = [
            "mesos-agent",
            "--port",
            &port,
            "--master",
            master,
            "--work-dir",
            folder,
        ];
        let log = work_dir.join("agent.log");
        let mut agent = Agent(Process::new(&log, &[&fixed, arguments].concat()));
        agent.launch()?;
        Ok(agent)
    }

    /// Starts it again where it was, after it was killed.
    pub fn launch(&mut self) -> Result<()> {
        self.0.start()
    }

    /// Its process.
    pub fn pid(&self) -> Result<u32> {
        self.0.pid()
    }

    /// What it said instead of starting, once it is known whether it starts.
    pub fn refused(&mut self) -> Result<Option<String>> {
        for _ in 0..START_MAX.as_millis() / LOOK.as_millis() {
            let said = fs::read_to_string(&self.0.log)?;
            if said.lines().any(|line| line.starts_with("agent ")) {
                return Ok(None);
            }
            let child = self.0.child.as_mut().context("it was started")?;
            if child.try_wait()?.is_some() {
                return Ok(Some(fs::read_to_string(&self.0.log)?));
            }
            thread::sleep(LOOK);
        }
        bail!("the agent neither starts nor ends")
    }

    /// Stops it, and waits until it is gone.
    pub fn stop(&mut self) -> Result<()> {
        self.0.stop()
    }

    /// Kills it, and waits until it is gone.
    pub fn kill(&mut self) -> Result<()> {
        self.0.kill()
    }
}
