//! Starts a master and an agent, and stops them when told.

pub(crate) use crate::core::master::VERSION;
use crate::{
    acceptor::serve,
    config::Config,
    handlers::{self, Cluster},
    shell::{self, AgentHandle, AgentStart, MasterHandle, MasterStart, Whereabouts},
    state::Registry,
};
use mesos_proto::v1::{self, AgentInfo, MasterInfo, master_info};
use server_kit::{Clock, Listener, Random};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};
use storage::{Shard, StorageError};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

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
    Registry(StorageError),
    /// What an earlier run of the agent left cannot be used.
    #[error("the Mesos agent cannot go on from where it was: {0}")]
    Agent(io::Error),
    /// What is configured does not go together.
    #[error("{0}")]
    Config(String),
}

/// A running master and agent.
#[derive(Debug)]
pub struct Mesos {
    master: SocketAddr,
    agent: SocketAddr,
    tasks: TaskTracker,
}

impl Mesos {
    /// Starts both until `stop`.
    pub async fn start(
        config: Config,
        shard: Shard,
        clock: Arc<dyn Clock>,
        random: Arc<Random>,
        stop: CancellationToken,
    ) -> Result<Self, StartError> {
        let master = bind(&config.master_bind).await?;
        let agent = bind(&config.agent_bind).await?;
        let (master_at, agent_at) = (master.address(), agent.address());
        let tasks = TaskTracker::new();
        let info = master_info(random.uuid().to_string(), master_at);
        let registry = Registry::new(shard.kv.clone(), config.durability);
        let start = MasterStart {
            info,
            registered: registry.load().await.map_err(StartError::Registry)?,
            registry,
            events_max: config.limits.events_max,
        };
        let masters = MasterHandle::start(start, clock.clone(), random.clone(), &tasks, stop.clone());
        let resources = shell::resources(&config.resources).map_err(StartError::Config)?;
        let start = AgentStart {
            info: AgentInfo {
                hostname: agent_at.ip().to_string(),
                port: Some(i32::from(agent_at.port())),
                resources,
                ..AgentInfo::default()
            },
            work_dir: std::path::absolute(&config.work_dir).unwrap_or(config.work_dir),
            endpoint: agent_at,
            events_max: config.limits.events_max,
            supervisor: config.supervisor,
        };
        let agents = AgentHandle::start(
            start,
            Whereabouts::Here(masters.clone()),
            clock.clone(),
            random,
            &tasks,
            stop.clone(),
        )
        .map_err(StartError::Agent)?;
        let cluster = Cluster {
            master: masters,
            agent: agents,
            clock,
            limits: config.limits.clone(),
            started: std::time::Duration::ZERO,
            logging_level: Arc::default(),
            address: master_at.to_string(),
        };
        let cluster = Arc::new(cluster.begun());
        let seats = config.limits.connections_max;
        let (of_master, of_agent) = (handlers::of_master(cluster.clone()), handlers::of_agent(cluster));
        tasks.spawn(serve(master, of_master, seats, tasks.clone(), stop.clone()));
        tasks.spawn(serve(agent, of_agent, seats, tasks.clone(), stop));
        tasks.close();
        Ok(Mesos {
            master: master_at,
            agent: agent_at,
            tasks,
        })
    }

    /// Where the master listens.
    pub fn master_address(&self) -> SocketAddr {
        self.master
    }

    /// Where the agent listens.
    pub fn agent_address(&self) -> SocketAddr {
        self.agent
    }

    /// Answers when both have come to their end, after the stop.
    pub async fn stopped(&self) {
        self.tasks.wait().await;
    }
}

pub(crate) async fn bind(address: &str) -> Result<Listener, StartError> {
    let bound = Listener::bind(address, false, None).await;
    bound.map_err(|source| StartError::Bind {
        address: address.to_owned(),
        source,
    })
}

/// What a master tells of itself. The third capability has no name in the v1 API; the original shows it empty, too.
fn master_info(id: String, at: SocketAddr) -> MasterInfo {
    use master_info::{Capability, capability::Type};
    let ip = match at.ip() {
        // The original's number is in network order, read as if it were not.
        IpAddr::V4(ip) => u32::from_le_bytes(ip.octets()),
        IpAddr::V6(_) => 0,
    };
    let named = |kind: Type| Capability {
        r#type: Some(kind as i32),
    };
    let capabilities = vec![
        named(Type::AgentUpdate),
        named(Type::AgentDraining),
        Capability::default(),
    ];
    MasterInfo {
        id,
        ip,
        port: u32::from(at.port()),
        pid: Some(format!("master@{at}")),
        hostname: Some(at.ip().to_string()),
        version: Some(VERSION.to_owned()),
        address: Some(v1::Address {
            hostname: Some(at.ip().to_string()),
            ip: Some(at.ip().to_string()),
            port: i32::from(at.port()),
        }),
        domain: None,
        capabilities,
    }
}
