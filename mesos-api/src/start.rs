//! What the starts of masters and agents have in common.

use crate::{
    config::{AgentConfig, Limits},
    handlers::Cluster,
    shell::{self, AgentHandle, AgentStart, MasterHandle, Voters, Whereabouts},
};
use axum::Router;
use mesos_proto::{
    masters::{Ensemble, Location},
    v1::AgentInfo,
};
use server_kit::{Clock, HttpLimits, Listener, Random, serve_http};
use std::{error::Error, io, net::SocketAddr, sync::Arc, time::Duration};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long a peer may take to send the head of a request.
const HEAD_TIME_MAX: Duration = Duration::from_secs(60);
/// Bytes of a request's head at the most.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// Why a server could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A listener could not be bound.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The configured address.
        address: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// What an earlier master left cannot be read.
    #[error("the registry of the Mesos master cannot be read: {0}")]
    Registry(Box<dyn Error + Send + Sync>),
    /// What an earlier run of the agent left cannot be used.
    #[error("the Mesos agent cannot go on from where it was: {0}")]
    Agent(io::Error),
    /// What is configured does not go together.
    #[error("{0}")]
    Config(String),
}

/// Listens where it is configured.
pub(crate) async fn bind(address: &str) -> Result<Listener, StartError> {
    let bound = Listener::bind(address, false, None).await;
    bound.map_err(|source| StartError::Bind {
        address: address.to_owned(),
        source,
    })
}

/// Where others find who listens at an address: one that stands for all of a machine's is of no use to them.
pub(crate) async fn reachable(at: SocketAddr) -> SocketAddr {
    if !at.ip().is_unspecified() {
        return at;
    }
    let host = server_kit::host_name();
    let found = tokio::net::lookup_host((host.as_str(), at.port())).await;
    let mut found: Vec<SocketAddr> = found.map(Iterator::collect).unwrap_or_default();
    // Many machines know themselves by a loopback address as well, and clients of old read IPv4 alone.
    found.sort_by_key(|one| (one.ip().is_loopback(), one.is_ipv6()));
    found.first().copied().unwrap_or_else(|| {
        tracing::warn!(
            host,
            "others cannot reach this server: its host name has no address"
        );
        at
    })
}

/// What every server of a process runs with, until the stop.
#[derive(Clone)]
pub(crate) struct House {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<Random>,
    pub(crate) limits: Limits,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
}

impl House {
    pub(crate) fn new(
        clock: Arc<dyn Clock>,
        random: Arc<Random>,
        limits: Limits,
        stop: CancellationToken,
    ) -> Self {
        House {
            clock,
            random,
            limits,
            tasks: TaskTracker::new(),
            stop,
        }
    }

    /// Those who elect the leading master.
    pub(crate) fn voters(&self, ensemble: Ensemble) -> Voters {
        Voters {
            ensemble,
            clock: self.clock.clone(),
            tasks: self.tasks.clone(),
            stop: self.stop.clone(),
        }
    }

    /// Where a master is that is named as clients name it.
    pub(crate) fn whereabouts(&self, master: &str) -> Result<Whereabouts, StartError> {
        match location(master)? {
            Location::At(address) => Ok(Whereabouts::There(address)),
            Location::ZooKeeper(ensemble) => Ok(Whereabouts::Led(self.voters(ensemble).follow())),
        }
    }

    /// Starts an agent that listens at an address.
    pub(crate) async fn agent(
        &self,
        config: AgentConfig,
        at: SocketAddr,
        master: Whereabouts,
    ) -> Result<AgentHandle, StartError> {
        let work_dir = std::path::absolute(&config.work_dir).unwrap_or(config.work_dir);
        let isolation = shell::Isolation::of(config.isolation.as_deref(), &work_dir);
        let start = AgentStart {
            info: AgentInfo {
                hostname: reachable(at).await.ip().to_string(),
                port: Some(i32::from(at.port())),
                resources: shell::resources(&config.resources).map_err(StartError::Config)?,
                attributes: shell::attributes(&config.attributes).map_err(StartError::Config)?,
                ..AgentInfo::default()
            },
            work_dir,
            isolation: isolation.map_err(StartError::Config)?,
            endpoint: at,
            events_max: self.limits.events_max,
            supervisor: config.supervisor,
            upkeep: config.upkeep,
        };
        let (clock, random) = (self.clock.clone(), self.random.clone());
        AgentHandle::start(start, master, clock, random, &self.tasks, self.stop.clone())
            .map_err(StartError::Agent)
    }

    /// What handlers are given.
    pub(crate) fn cluster(&self, master: MasterHandle, agent: AgentHandle, at: SocketAddr) -> Cluster {
        let cluster = Cluster {
            master,
            agent,
            clock: self.clock.clone(),
            limits: self.limits.clone(),
            started: Duration::ZERO,
            logging_level: Arc::default(),
            logging: Arc::default(),
            address: at.to_string(),
            zk: None,
        };
        cluster.begun()
    }

    pub(crate) fn serve(&self, listener: Listener, routes: Router) {
        let (tasks, stop) = (self.tasks.clone(), self.stop.clone());
        let limits = HttpLimits {
            connections_max: self.limits.connections_max,
            head_bytes_max: HEAD_BYTES_MAX,
            head_time_max: HEAD_TIME_MAX,
            // Event streams last.
            answer_time_max: None,
        };
        self.tasks
            .spawn(serve_http(listener, routes, limits, tasks, stop));
    }
}

/// Where a master is, or where masters are elected.
pub(crate) fn location(name: &str) -> Result<Location, StartError> {
    Location::parse(name).map_err(|why| StartError::Config(why.to_string()))
}
