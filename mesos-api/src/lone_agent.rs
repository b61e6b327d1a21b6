//! Starts an agent whose master is another process, and stops it when told.

use crate::{
    acceptor::serve,
    config::{Limits, SUPERVISOR},
    handlers::{self, Cluster},
    server::{StartError, bind},
    shell::{self, AgentHandle, AgentStart, MasterHandle, Whereabouts},
};
use mesos_proto::v1::AgentInfo;
use server_kit::{Clock, Random};
use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What an agent in a process of its own is started with. Names follow the original's flags.
#[derive(Debug, Clone)]
pub struct AgentConfig {
    /// Where a master listens: `host:port`. One that does not lead names the one that does.
    pub master: String,
    /// Where the agent listens; port 0 takes a free one.
    pub bind: String,
    /// Below which sandboxes are made.
    pub work_dir: PathBuf,
    /// What it offers: `name:value` pairs apart by `;`. What is not named is taken from the machine.
    pub resources: String,
    /// What frameworks may choose it by: `name:value` pairs apart by `;`.
    pub attributes: String,
    /// What clients may ask of it.
    pub limits: Limits,
}

/// A running agent.
#[derive(Debug)]
pub struct MesosAgent {
    address: SocketAddr,
    tasks: TaskTracker,
}

impl MesosAgent {
    /// Starts it until `stop`. It looks for its master for as long as it takes.
    pub async fn start(
        config: AgentConfig,
        clock: Arc<dyn Clock>,
        random: Arc<Random>,
        stop: CancellationToken,
    ) -> Result<Self, StartError> {
        let listener = bind(&config.bind).await?;
        let address = listener.address();
        let tasks = TaskTracker::new();
        let start = AgentStart {
            info: AgentInfo {
                hostname: address.ip().to_string(),
                port: Some(i32::from(address.port())),
                resources: shell::resources(&config.resources).map_err(StartError::Config)?,
                attributes: shell::attributes(&config.attributes).map_err(StartError::Config)?,
                ..AgentInfo::default()
            },
            work_dir: std::path::absolute(&config.work_dir).unwrap_or(config.work_dir),
            endpoint: address,
            events_max: config.limits.events_max,
            supervisor: PathBuf::from(SUPERVISOR),
        };
        let master = Whereabouts::There {
            address: config.master,
            tasks: tasks.clone(),
            stop: stop.clone(),
        };
        let agent = AgentHandle::start(start, master, clock.clone(), random.clone(), &tasks, stop.clone())
            .map_err(StartError::Agent)?;
        let cluster = Cluster {
            master: MasterHandle::none(random),
            agent,
            clock,
            limits: config.limits.clone(),
            started: Duration::ZERO,
            logging_level: Arc::default(),
            address: address.to_string(),
        };
        let routes = handlers::of_agent(Arc::new(cluster.begun()));
        let seats = config.limits.connections_max;
        tasks.spawn(serve(listener, routes, seats, tasks.clone(), stop));
        tasks.close();
        Ok(MesosAgent { address, tasks })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers when it has come to its end, after the stop.
    pub async fn stopped(&self) {
        self.tasks.wait().await;
    }
}
