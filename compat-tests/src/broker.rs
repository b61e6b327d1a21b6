//! Starting, killing and stopping the subject of a test.

use std::collections::BTreeMap;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use crate::guard::Guard;
use crate::process;

/// How long a subject may take until it answers.
const START_SECONDS_MAX: u32 = 120;

/// What both Kafka subjects are configured with, so that answers can be compared.
const PROPERTIES: &str = "num.partitions=3\ngroup.initial.rebalance.delay.ms=0\n";

/// What makes a CQL server ask who its clients are; the original's script does so where `AUTH` is set.
const WITH_ROLES: &str = "\
[cql]
authenticator = \"PasswordAuthenticator\"
authorizer = \"CassandraAuthorizer\"
";

/// What smack's CQL server is configured with, as `originals/cassandra.sh` configures the original.
const CQL_TOML: &str = "[cql]\nmaterialized_views_enabled = true\n";

/// Which of smack's servers a test talks to, and so which original stands beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Server {
    Kafka,
    Cql,
    Mesos,
}

impl Server {
    /// Its name in `ports.json`.
    fn name(self) -> &'static str {
        match self {
            Self::Kafka => "kafka",
            Self::Cql => "cql",
            Self::Mesos => "mesos",
        }
    }

    /// What it is configured with, in the original's words.
    fn properties(self) -> &'static str {
        match self {
            Self::Kafka => PROPERTIES,
            Self::Cql | Self::Mesos => "",
        }
    }

    /// The script that starts the original, and how many neighbouring ports that takes.
    fn original(self) -> (&'static str, u16) {
        match self {
            Self::Kafka => ("originals/kafka.sh", 2),
            Self::Cql => ("originals/cassandra.sh", 4),
            // There is no script yet: name a running master by SUBJECT=host:port.
            Self::Mesos => ("originals/mesos.sh", 2),
        }
    }
}

/// Lines of `cassandra.yaml` in the way TOML writes them: what is no number, truth value or list is a text.
fn toml_of(yaml: &str) -> String {
    let plain = |value: &str| value.parse::<i64>().is_ok() || value.parse::<bool>().is_ok();
    let quoted = |value: &str| {
        if plain(value) {
            value.to_owned()
        } else {
            format!("{value:?}")
        }
    };
    let pairs = yaml.lines().filter_map(|line| line.split_once(": "));
    let line =
        |(key, value): (&str, &str)| match value.strip_prefix('[').and_then(|list| list.strip_suffix(']')) {
            Some(list) => format!(
                "{key} = [{}]\n",
                list.split(", ").map(quoted).collect::<Vec<_>>().join(", ")
            ),
            None => format!("{key} = {}\n", quoted(value)),
        };
    pairs.map(line).collect()
}

/// What is tested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The binary of this workspace.
    Smack,
    /// Apache Kafka or Apache Cassandra itself.
    Original,
    /// A server that somebody else started.
    Running(String),
}

impl Subject {
    /// The subject that the environment names.
    pub fn from_env() -> Self {
        match std::env::var("SUBJECT").as_deref() {
            Err(_) | Ok("" | "smack") => Self::Smack,
            Ok("original") => Self::Original,
            Ok(address) => Self::Running(address.to_owned()),
        }
    }
}

/// A broker under test, which ends with the process that started it at the latest.
pub struct Broker {
    subject: Subject,
    server: Server,
    address: String,
    ports: BTreeMap<String, u16>,
    pid: Option<u32>,
    data: PathBuf,
    properties: String,
    child: Option<Child>,
    guard: Option<Guard>,
    _dir: Option<TempDir>,
}

impl Broker {
    /// The broker that all scenarios of one test binary share.
    pub fn shared() -> Result<&'static Self> {
        static SHARED: OnceLock<Result<Broker, String>> = OnceLock::new();
        SHARED
            .get_or_init(|| Self::start(Subject::from_env(), "").map_err(|error| format!("{error:?}")))
            .as_ref()
            .map_err(|error| anyhow::anyhow!("the subject did not start: {error}"))
    }

    /// The CQL server that all scenarios of one test binary share.
    pub fn shared_cql() -> Result<&'static Self> {
        static SHARED: OnceLock<Result<Broker, String>> = OnceLock::new();
        SHARED
            .get_or_init(|| Self::start_cql(Subject::from_env()).map_err(|error| format!("{error:?}")))
            .as_ref()
            .map_err(|error| anyhow::anyhow!("the subject did not start: {error}"))
    }

    /// The Mesos master, with its agent, that all scenarios of one test binary share.
    pub fn shared_mesos() -> Result<&'static Self> {
        static SHARED: OnceLock<Result<Broker, String>> = OnceLock::new();
        let start = || Self::start_mesos(Subject::from_env());
        SHARED
            .get_or_init(|| start().map_err(|error| format!("{error:?}")))
            .as_ref()
            .map_err(|error| anyhow::anyhow!("the subject did not start: {error}"))
    }

    /// Starts a fresh Mesos master, with its agent.
    pub fn start_mesos(subject: Subject) -> Result<Self> {
        Self::start_fresh(subject, Server::Mesos, "")
    }

    /// Starts a fresh CQL server.
    pub fn start_cql(subject: Subject) -> Result<Self> {
        Self::start_fresh(subject, Server::Cql, "")
    }

    /// Starts a CQL server on a folder of the caller's, which outlives it.
    pub fn start_cql_at(subject: Subject, data: &Path) -> Result<Self> {
        Self::start_in(subject, Server::Cql, "", data, None)
    }

    /// Starts a fresh CQL server with further lines of `cassandra.yaml`, which `smack.toml` says by the same names. Where
    /// there are any, clients log in: most limits are not for who may do everything.
    pub fn start_cql_with(subject: Subject, yaml: &str) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("smack-compat-").tempdir()?;
        let data = dir.path().to_owned();
        if !yaml.is_empty() {
            let toml = format!("{WITH_ROLES}materialized_views_enabled = true\n{}", toml_of(yaml));
            fs::write(data.join("smack.toml"), toml)?;
        }
        Self::start_in(subject, Server::Cql, yaml, &data, Some(dir))
    }

    /// Starts a fresh CQL server on which clients log in, and may do what they were granted.
    pub fn start_cql_with_roles(subject: Subject) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("smack-compat-").tempdir()?;
        let data = dir.path().to_owned();
        fs::write(data.join("smack.toml"), WITH_ROLES)?;
        Self::start_in(subject, Server::Cql, "", &data, Some(dir))
    }

    /// Starts a fresh broker with further lines of `server.properties`.
    pub fn start(subject: Subject, properties: &str) -> Result<Self> {
        Self::start_fresh(subject, Server::Kafka, properties)
    }

    fn start_fresh(subject: Subject, server: Server, properties: &str) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("smack-compat-").tempdir()?;
        let data = dir.path().to_owned();
        Self::start_in(subject, server, properties, &data, Some(dir))
    }

    /// Starts a broker on a folder of the caller's, which outlives it.
    pub fn start_at(subject: Subject, properties: &str, data: &Path) -> Result<Self> {
        Self::start_in(subject, Server::Kafka, properties, data, None)
    }

    fn start_in(
        subject: Subject,
        server: Server,
        properties: &str,
        data: &Path,
        dir: Option<TempDir>,
    ) -> Result<Self> {
        let mut broker = Self {
            address: String::new(),
            ports: BTreeMap::new(),
            pid: None,
            data: data.to_owned(),
            properties: format!("{}{properties}", server.properties()),
            child: None,
            guard: None,
            _dir: dir,
            subject,
            server,
        };
        if let Subject::Running(address) = &broker.subject {
            broker.address.clone_from(address);
        } else {
            broker.launch()?;
        }
        Ok(broker)
    }

    /// Starts the process again on the same data and, as far as they are known, the same ports.
    pub fn restart(&mut self) -> Result<()> {
        ensure!(self.pid.is_none(), "the broker still runs");
        self.launch()
    }

    fn launch(&mut self) -> Result<()> {
        fs::write(self.data.join("further.properties"), &self.properties)?;
        match self.subject {
            Subject::Smack => self.launch_smack()?,
            Subject::Original => self.launch_original()?,
            Subject::Running(_) => bail!("this test must own its broker: SUBJECT must be smack or original"),
        }
        let pid = self.pid.context("a started broker has a process id")?;
        self.guard = Some(Guard::of_process(pid)?);
        Ok(())
    }

    fn launch_smack(&mut self) -> Result<()> {
        let data = self.data.join("data");
        let known = data.join("ports.json");
        let _ = fs::remove_file(&known);
        // None is left to the server: who is started again is to be where it was.
        for name in ["kafka", "cql", "mesos", "agent", "admin"] {
            if !self.ports.contains_key(name) {
                self.ports.insert(name.to_owned(), free_ports(1)?);
            }
        }
        let port = |name: &str| self.ports[name].to_string();
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.data.join("out.log"))?;
        let binary = smack_binary()?;
        let mut command = Command::new(&binary);
        command.arg("up");
        // A binary without one of the servers fails in the tests of that one, not in those of the others.
        let flags = flags(&binary);
        for (flag, server) in [
            ("--cql-port", "cql"),
            ("--mesos-port", "mesos"),
            ("--agent-port", "agent"),
        ] {
            if self.server.name() == server || flags.contains(flag) {
                command.args([flag, &port(server)]);
            }
        }
        let mut child = command
            .args(["--kafka-port", &port("kafka")])
            .args(["--admin-port", &port("admin")])
            .arg("--data-dir")
            .arg(&data)
            .arg("--kafka-config")
            .arg(self.data.join("further.properties"))
            .args(self.smack_toml()?)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("starting {}", binary.display()))?;
        for _ in 0..START_SECONDS_MAX * 200 {
            if let Ok(text) = fs::read_to_string(&known)
                && let Ok(ports) = serde_json::from_str::<BTreeMap<String, u16>>(&text)
            {
                self.address = format!(
                    "127.0.0.1:{}",
                    ports
                        .get(self.server.name())
                        .context("ports.json lacks the server's port")?
                );
                self.ports = ports;
                self.pid = Some(child.id());
                self.child = Some(child);
                return Ok(());
            }
            if let Some(status) = child.try_wait()? {
                bail!("smack ended at once ({status}): {}", self.log());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        child.kill()?;
        bail!(
            "smack wrote no ports.json in {START_SECONDS_MAX} s: {}",
            self.log()
        )
    }

    /// A test that wants what only `smack.toml` can say leaves one in the broker's folder.
    fn smack_toml(&self) -> Result<Vec<PathBuf>> {
        let file = self.data.join("smack.toml");
        if self.server == Server::Cql && !file.exists() {
            fs::write(&file, CQL_TOML)?;
        }
        Ok(if file.exists() {
            vec!["--config".into(), file]
        } else {
            Vec::new()
        })
    }

    fn launch_original(&mut self) -> Result<()> {
        let (script, ports) = self.server.original();
        let port = match self.ports.get(self.server.name()) {
            Some(port) => *port,
            None => free_ports(ports)?,
        };
        let heap = std::env::var("HEAP").unwrap_or_else(|_| "512m".to_owned());
        let output = Command::new(folder().join(script))
            .arg("start")
            .env("PORT", port.to_string())
            .env("DATA", &self.data)
            .env("EXTRA", self.data.join("further.properties"))
            .env("HEAP", heap)
            .env(
                "AUTH",
                if self.data.join("smack.toml").exists() {
                    "1"
                } else {
                    ""
                },
            )
            .stdin(Stdio::null())
            .output()?;
        ensure!(
            output.status.success(),
            "the original did not start: {} {}",
            String::from_utf8_lossy(&output.stderr),
            self.log()
        );
        self.ports.insert(self.server.name().to_owned(), port);
        self.address = format!("127.0.0.1:{port}");
        self.pid = Some(fs::read_to_string(self.data.join("pid"))?.trim().parse()?);
        Ok(())
    }

    /// `host:port` of the listener that the test talks to.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Where another server of the same process is reached, by its name in `ports.json`.
    pub fn address_of(&self, server: &str) -> Result<String> {
        let port = self.ports.get(server);
        let port = port.with_context(|| format!("the subject has no server of the name {server}"))?;
        Ok(format!("127.0.0.1:{port}"))
    }

    /// `host:port` of smack's admin listener.
    pub fn admin(&self) -> Option<String> {
        self.ports.get("admin").map(|port| format!("127.0.0.1:{port}"))
    }

    /// The process, while it runs and is ours.
    pub fn pid(&self) -> Option<u32> {
        self.pid
    }

    /// Where the broker keeps its data.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// What this broker is.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The end of what the broker said.
    pub fn log(&self) -> String {
        let text = fs::read_to_string(self.data.join("out.log")).unwrap_or_default();
        let skip = text.lines().count().saturating_sub(40);
        text.lines().skip(skip).collect::<Vec<_>>().join("\n")
    }

    /// Whether the process is still there.
    pub fn is_alive(&self) -> bool {
        self.pid.is_some_and(process::is_alive)
    }

    /// Ends the process as a crash would, and waits until it is gone.
    pub fn kill(&mut self) -> Result<()> {
        self.end("-KILL")
    }

    /// Asks the process to end, and waits until it is gone.
    pub fn stop(&mut self) -> Result<()> {
        self.end("-TERM")
    }

    fn end(&mut self, signal: &str) -> Result<()> {
        let Some(pid) = self.pid.take() else { return Ok(()) };
        let _ = Command::new("kill")
            .args([signal, &pid.to_string()])
            .stderr(Stdio::null())
            .status();
        if let Some(mut child) = self.child.take() {
            child.wait()?;
        }
        for _ in 0..3000 {
            if !process::is_alive(pid) {
                self.guard = None;
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        bail!("process {pid} did not end on kill {signal}")
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// Ports that the kernel gives to nobody who asks for any: who starts a server on one later, or again, still finds it free.
const PORTS: RangeInclusive<u16> = 10_000..=32_000;
/// How far apart the ports are that test programs look at first, by their numbers: several run side by side.
const PORTS_APART: u32 = 101;

/// The first of `count` neighbouring ports that nobody listens on, and that this program was not given before.
pub fn free_ports(count: u16) -> Result<u16> {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    let places = u32::from(PORTS.end() - PORTS.start() - count);
    for _ in 0..100 {
        let given = GIVEN.fetch_add(u32::from(count), Ordering::Relaxed);
        let place = std::process::id().wrapping_mul(PORTS_APART).wrapping_add(given) % places;
        let first = PORTS.start() + u16::try_from(place)?;
        let free = |offset| TcpListener::bind(("127.0.0.1", first + offset)).is_ok();
        if (0..count).all(free) {
            return Ok(first);
        }
    }
    bail!("no {count} neighbouring free ports")
}

/// Whether somebody accepts connections at an address.
pub fn answers(address: &str) -> bool {
    TcpStream::connect(address).is_ok()
}

/// The folder of this crate: of the clone one stands in, because a build that several clones share may be another's.
pub fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let here = std::env::current_dir().unwrap_or_default();
        let mut standing = here.ancestors().map(|folder| folder.join("compat-tests"));
        let found = standing.find(|folder| folder.join("Cargo.toml").is_file());
        found.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).to_owned())
    })
}

/// What the binary says of its flags.
fn flags(binary: &Path) -> String {
    let help = Command::new(binary).args(["up", "--help"]).output();
    help.map(|help| String::from_utf8_lossy(&help.stdout).into_owned())
        .unwrap_or_default()
}

/// The library that JVM frameworks load, built beside the binary.
pub fn libmesos() -> Result<PathBuf> {
    let library = smack_binary()?.with_file_name("libmesos.so");
    ensure!(
        library.is_file(),
        "there is no {}: run `cargo build --package libmesos` in the binary's profile",
        library.display()
    );
    Ok(library)
}

/// The binary under test.
pub fn smack_binary() -> Result<PathBuf> {
    if let Some(binary) = std::env::var_os("SMACK_BIN") {
        return Ok(PathBuf::from(binary));
    }
    // This test is .../target/PROFILE/deps/NAME; the binary is built in release only.
    let exe = std::env::current_exe()?;
    let target = exe.ancestors().find(|dir| dir.join("release").is_dir());
    let binary = target
        .map(|dir| dir.join("release/smack"))
        .filter(|binary| binary.is_file());
    binary.context("there is no release build of smack: run `cargo build --release`, or set SMACK_BIN")
}
