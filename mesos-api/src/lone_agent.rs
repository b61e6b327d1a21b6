//! Starts an agent whose master is another process, and stops it when told.

use crate::{
    config::{AgentConfig, Limits},
    handlers,
    shell::MasterHandle,
    start::{House, StartError, bind},
};
use server_kit::{Clock, Random};
use std::{net::SocketAddr, sync::Arc};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// A running agent.
#[derive(Debug)]
pub struct MesosAgent {
    address: SocketAddr,
    tasks: TaskTracker,
}

impl MesosAgent {
    /// Starts it until `stop`. It looks for its master for as long as it takes: `host:port`, where one that does not lead
    /// names the one that does, or `zk://host:port,.../path`.
    pub async fn start(
        config: AgentConfig,
        master: &str,
        limits: Limits,
        clock: Arc<dyn Clock>,
        random: Arc<Random>,
        stop: CancellationToken,
    ) -> Result<Self, StartError> {
        let house = House::new(clock, random.clone(), limits, stop);
        let master = house.whereabouts(master)?;
        let listener = bind(&config.bind).await?;
        let address = listener.address();
        let agent = house.agent(config, address, master).await?;
        let cluster = house.cluster(MasterHandle::none(random), agent, address);
        house.serve(listener, handlers::of_agent(Arc::new(cluster)));
        house.tasks.close();
        Ok(MesosAgent {
            address,
            tasks: house.tasks,
        })
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
