//! Starts the servers, tells where they are, and stops them.

use crate::{
    banner::{self, Line},
    ports,
    settings::Settings,
    store,
};
use anyhow::{Context, Result, anyhow};
use cql_server::Cql;
use kafka_server::Kafka;
use mesos_api::Mesos;
use server_kit::{Admin, Clock, Listener, Random, Ready, Registry, Signals, SystemClock, console::Section};
use std::{collections::BTreeMap, fs, io, net::SocketAddr, sync::Arc, time::Duration};
use storage::Shard;
use tokio_util::sync::CancellationToken;

/// How long requests under way may take to end once a stop was asked for.
const STOP_MAX: Duration = Duration::from_secs(10);

/// Runs every server until a signal.
#[allow(clippy::print_stdout, reason = "addresses go to whoever started this")]
pub(crate) async fn run(settings: Settings) -> Result<()> {
    let clock = SystemClock::new();
    let mut signals = Signals::new()?;
    server_kit::start_logging(settings.log_format, &settings.log).map_err(|why| anyhow!(why))?;
    server_kit::raise_open_files().context("cannot raise the limit of open files")?;
    fs::create_dir_all(&settings.data_dir)
        .with_context(|| format!("cannot use the data directory {}", settings.data_dir.display()))?;
    let stop = CancellationToken::new();
    let mut registry = Registry::default();
    server_kit::register_process(&mut registry);
    let shard = store::open(&settings)?;
    let lease = shard.lease.clone();
    ports::clear(&settings.data_dir)?;
    // Before the servers, which may say something as they start: whoever is refused reads one sentence.
    let admin = Listener::bind(&settings.admin_bind, false, None)
        .await
        .map_err(|error| cannot_listen(&settings.admin_bind, &error, "--admin-port"))?;
    let running = Running::start(&settings, shard, &mut registry, clock.clone(), &stop).await?;
    let ready = Ready::default();
    let admin = Admin::start(admin, registry, ready.clone(), running.sections(), stop.clone());
    let lines = running.lines(admin.address());
    let (folder, not_honoured) = (&settings.data_dir, &settings.not_honoured);
    let bootstrap = running.kafka.as_ref().map(Kafka::advertised);
    print!(
        "{}",
        banner::text(&lines, bootstrap, folder, not_honoured, clock.elapsed())
    );
    // Who waits for the file finds everything there, what was printed included.
    ports::write(&settings.data_dir, &running.ports(admin.address().port()))?;
    ready.set(true);
    let ended = tokio::select! {
        signal = signals.next() => {
            tracing::info!(signal, "stopping");
            Ok(())
        }
        _ = lease.lost() => Err(anyhow!("the data have a newer owner")),
    };
    ready.set(false);
    stop.cancel();
    tokio::select! {
        () = running.stopped() => tracing::info!("stopped"),
        () = tokio::time::sleep(STOP_MAX) => tracing::warn!("stopped with requests still under way"),
        signal = signals.next() => tracing::warn!(signal, "stopped at once"),
    }
    ports::clear(&settings.data_dir)?;
    ended
}

/// The servers that were started.
struct Running {
    kafka: Option<Kafka>,
    cql: Option<Cql>,
    mesos: Option<Mesos>,
}

impl Running {
    async fn start(
        settings: &Settings,
        shard: Shard,
        registry: &mut Registry,
        clock: Arc<dyn Clock>,
        stop: &CancellationToken,
    ) -> Result<Self> {
        let random = Arc::new(Random::from_os());
        let mut running = Running {
            kafka: None,
            cql: None,
            mesos: None,
        };
        if settings.servers.kafka {
            let config = settings.kafka.clone();
            let (shard, clock, random) = (shard.clone(), clock.clone(), random.clone());
            let started = Kafka::start(config, shard, clock, random, registry, stop.clone()).await;
            running.kafka = Some(started.map_err(|error| match error {
                kafka_server::StartError::Bind { address, source } => {
                    cannot_listen(&address, &source, "--kafka-port")
                }
                other => other.into(),
            })?);
        }
        if settings.servers.cql {
            let config = settings.cql.clone();
            let (clock, random) = (clock.clone(), random.clone());
            let registry = registry.sub_registry_with_prefix("smack");
            let shard = shard.clone();
            let started = Cql::start(config, shard, clock, random, registry, stop.clone()).await;
            running.cql = Some(started.map_err(|error| match error {
                cql_server::StartError::Bind { address, source } => {
                    cannot_listen(&address, &source, "--cql-port")
                }
                other => other.into(),
            })?);
        }
        if settings.servers.mesos {
            let config = settings.mesos.clone();
            let started = Mesos::start(config, shard, clock, random, stop.clone()).await;
            running.mesos = Some(started.map_err(|error| match error {
                mesos_api::StartError::Bind { address, source } => {
                    cannot_listen(&address, &source, "--mesos-port or --agent-port")
                }
                other => other.into(),
            })?);
        }
        Ok(running)
    }

    /// Every listener: its server, and where it is.
    fn addresses(&self) -> impl Iterator<Item = (&'static str, SocketAddr)> {
        let kafka = self.kafka.iter().flat_map(Kafka::addresses);
        let cql = self.cql.iter().flat_map(Cql::addresses);
        let kafka = kafka.map(|address| ("kafka", *address));
        let mesos = self.mesos.iter();
        let mesos = mesos.flat_map(|mesos| {
            let agent = mesos.agent_address().map(|agent| ("agent", agent));
            [("mesos", mesos.master_address())].into_iter().chain(agent)
        });
        let cql = cql.map(|address| ("cql", *address));
        kafka.chain(cql).chain(mesos)
    }

    /// The first port of each server.
    fn ports(&self, admin: u16) -> BTreeMap<&'static str, u16> {
        let mut ports = BTreeMap::from([("admin", admin)]);
        for (server, address) in self.addresses() {
            ports.entry(server).or_insert(address.port());
        }
        ports
    }

    fn lines(&self, admin: SocketAddr) -> Vec<Line> {
        let servers = self.addresses().map(|(server, address)| Line {
            server,
            address: address.to_string(),
        });
        let admin = Line {
            server: "admin",
            address: format!("http://{admin}/"),
        };
        servers.chain([admin]).collect()
    }

    /// What the console shows: each server's own, and the process they are in.
    fn sections(&self) -> Vec<Section> {
        let kafka = self.kafka.iter().map(Kafka::section);
        let cql = self.cql.iter().map(Cql::section);
        let mesos = self.mesos.iter().map(Mesos::section);
        let own = kafka.chain(cql).chain(mesos);
        own.chain([server_kit::process_section()]).collect()
    }

    /// Answers when every server has come to its end, after the stop.
    async fn stopped(&self) {
        if let Some(kafka) = &self.kafka {
            kafka.stopped().await;
        }
        if let Some(cql) = &self.cql {
            cql.stopped().await;
        }
        if let Some(mesos) = &self.mesos {
            mesos.stopped().await;
        }
    }
}

fn cannot_listen(address: &str, error: &io::Error, flag: &str) -> anyhow::Error {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            anyhow!("{address} is taken by another process: stop it, or choose another port with {flag}")
        }
        _ => anyhow!("cannot listen on {address}: {error}"),
    }
}
