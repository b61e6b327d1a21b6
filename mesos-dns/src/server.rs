//! Starts the name server, and stops it when told.

use crate::{
    config::{Config, ConfigError},
    console,
    follow::{Follower, Known},
    metrics::Metrics,
    rest,
    serve::{Forward, Responder, serve_tcp, serve_udp},
};
use mesos_client::{Master, NameError};
use prometheus_client::registry::Registry;
use server_kit::{Clock, HttpLimits, Listener, Random, console::Section, serve_http};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::{UdpSocket, lookup_host},
    sync::watch,
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long a start waits for the master to tell what runs: who asks right after it finds names.
const FIRST_ZONE_MAX: Duration = Duration::from_secs(2);
/// How often another port is taken, where one that is free for UDP is not for TCP.
const PORTS_MAX: usize = 32;
/// What peers of the REST API may take.
const HTTP_LIMITS: HttpLimits = HttpLimits {
    connections_max: 256,
    head_bytes_max: 16 << 10,
    head_time_max: Duration::from_secs(30),
    answer_time_max: Some(Duration::from_secs(30)),
};

/// Why a name server could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A socket could not be bound.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The configured address.
        address: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// What is configured cannot be taken.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Nobody can tell where the master is.
    #[error("no master: {0}")]
    Master(#[from] NameError),
}

/// A running name server.
pub struct MesosDns {
    address: Option<SocketAddr>,
    http: Option<SocketAddr>,
    section: Section,
    tasks: TaskTracker,
}

fn unsound(why: String) -> ConfigError {
    ConfigError::Value {
        key: "resolvers or IPSources".to_owned(),
        why,
    }
}

impl MesosDns {
    /// Starts it until `stop`.
    pub async fn start(
        config: Config,
        clock: Arc<dyn Clock>,
        random: Arc<Random>,
        registry: &mut Registry,
        stop: CancellationToken,
    ) -> Result<Self, StartError> {
        let tasks = TaskTracker::new();
        let listens = listens(&config).await;
        let naming = config.naming(listens).map_err(unsound)?;
        let servers = config.resolvers().map_err(unsound)?;
        let metrics = Metrics::register(registry);
        let responder = Arc::new(Responder::new(&config, random.clone(), metrics));
        let patience = Duration::from_secs(u64::from(config.timeout.max(1)));
        let forward = (config.external_on && !servers.is_empty())
            .then(|| Arc::new(Forward::to(servers, patience, random.clone())));
        let master = Master::new(&location(&config), clock.clone(), random)?;

        let sockets = match config.dns_on {
            true => Some(bind(&config.listener, config.port).await?),
            false => None,
        };
        let http = match config.http_on {
            true => Some(bind_http(&config).await?),
            false => None,
        };
        let (ready, mut is_ready) = watch::channel(false);
        let known = Arc::new(Known::default());
        let follower = Follower {
            master: master.clone(),
            naming: Arc::new(naming),
            responder: responder.clone(),
            clock,
            known: known.clone(),
            ready,
        };
        tasks.spawn(follower.run(stop.clone()));
        // A master that is away keeps nobody from starting.
        let _ = timeout(FIRST_ZONE_MAX, is_ready.wait_for(|ready| *ready)).await;

        let address = sockets.as_ref().map(|(_, listener)| listener.address());
        if let Some((socket, listener)) = sockets {
            let (responder, stop) = (responder.clone(), stop.clone());
            let udp = serve_udp(
                Arc::new(socket),
                responder.clone(),
                forward.clone(),
                tasks.clone(),
                stop.clone(),
            );
            tasks.spawn(udp);
            tasks.spawn(serve_tcp(listener, responder, forward, tasks.clone(), stop));
        }
        let http_address = http.as_ref().map(Listener::address);
        if let Some(listener) = http {
            let routes = rest::routes(Arc::new(config), responder.clone());
            tasks.spawn(serve_http(listener, routes, HTTP_LIMITS, tasks.clone(), stop));
        }
        tasks.close();
        Ok(MesosDns {
            address,
            http: http_address,
            section: console::section(responder, known, master),
            tasks,
        })
    }

    /// Where it listens for questions, over UDP and TCP.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Where it listens for HTTP.
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.http
    }

    /// What the console shows of it.
    pub fn section(&self) -> Section {
        self.section.clone()
    }

    /// Answers when it has come to its end, after the stop.
    pub async fn stopped(&self) {
        self.tasks.wait().await;
    }
}

/// Where the master is looked for: ZooKeeper knows best.
fn location(config: &Config) -> String {
    match config.zk.is_empty() {
        false => config.zk.clone(),
        true => config.masters.join(","),
    }
}

/// Where the name server itself is found: an address that stands for all of a machine's is of no use to anybody.
async fn listens(config: &Config) -> Vec<IpAddr> {
    let own: Option<IpAddr> = config.listener.parse().ok();
    match own {
        Some(address) if !address.is_unspecified() => vec![address],
        _ => {
            let host = server_kit::host_name();
            let found = lookup_host((host.as_str(), 0)).await;
            let found = found.into_iter().flatten().map(|address| address.ip());
            found.filter(|address| !address.is_loopback()).collect()
        }
    }
}

/// The same port over UDP and TCP.
async fn bind(host: &str, port: u16) -> Result<(UdpSocket, Listener), StartError> {
    let mut failed = None;
    for _ in 0..PORTS_MAX {
        let address = with_port(host, port);
        let cannot = |source: io::Error| StartError::Bind { address, source };
        let udp = UdpSocket::bind(with_port(host, port)).await;
        let bound = match udp {
            Ok(udp) => {
                let own = udp.local_addr().map_or(port, |own| own.port());
                let tcp = Listener::bind(&with_port(host, own), false, None).await;
                tcp.map(|tcp| (udp, tcp))
            }
            Err(error) => Err(error),
        };
        match bound {
            Ok(bound) => return Ok(bound),
            Err(error) if port == 0 => failed = Some(cannot(error)),
            Err(error) => return Err(cannot(error)),
        }
    }
    Err(failed.unwrap_or_else(|| StartError::Bind {
        address: with_port(host, port),
        source: io::ErrorKind::AddrInUse.into(),
    }))
}

async fn bind_http(config: &Config) -> Result<Listener, StartError> {
    let address = with_port(&config.http_listener, config.http_port);
    let bound = Listener::bind(&address, false, None).await;
    bound.map_err(|source| StartError::Bind { address, source })
}

fn with_port(host: &str, port: u16) -> String {
    match host.contains(':') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    }
}
