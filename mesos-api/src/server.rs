//! Starts a master, and an agent beside it, and stops them when told.

pub(crate) use crate::core::master::VERSION;
use crate::{
    config::{Config, MasterConfig},
    handlers,
    shell::{AgentHandle, Candidate, MasterHandle, MasterStart, Whereabouts},
    start::{House, StartError, bind, location, reachable},
    state::Registry,
};
use mesos_proto::{
    masters::{Ensemble, Location},
    v1::{self, MasterInfo, master_info},
};
use server_kit::{Clock, Random, console::Section};
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};
use storage::Shard;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// A running master, and the agent beside it.
pub struct Mesos {
    master: SocketAddr,
    agent: Option<SocketAddr>,
    section: Section,
    tasks: TaskTracker,
}

impl Mesos {
    /// Starts them until `stop`.
    pub async fn start(
        config: Config,
        shard: Shard,
        clock: Arc<dyn Clock>,
        random: Arc<Random>,
        stop: CancellationToken,
    ) -> Result<Self, StartError> {
        let house = House::new(clock, random.clone(), config.limits, stop);
        let listener = bind(&config.master.bind).await?;
        let beside = match config.agent {
            Some(config) => Some((bind(&config.bind).await?, config)),
            None => None,
        };
        let ensemble = config.master.zk.as_deref().map(ensemble).transpose()?;
        let zk = ensemble.as_ref().map(ToString::to_string);
        let at = listener.address();
        let told = reachable(at).await;
        let master = start_master(&house, &config.master, ensemble, told, &shard).await?;
        let agent = match &beside {
            Some((listener, config)) => {
                let master = Whereabouts::Here(master.clone());
                house.agent(config.clone(), listener.address(), master).await?
            }
            None => AgentHandle::none(random),
        };
        let mut cluster = house.cluster(master, agent, told);
        cluster.zk = zk;
        let cluster = Arc::new(cluster);
        let section = handlers::section(cluster.clone());
        house.serve(listener, handlers::of_master(cluster.clone()));
        let agent = beside.map(|(listener, _)| {
            let at = listener.address();
            house.serve(listener, handlers::of_agent(cluster));
            at
        });
        house.tasks.close();
        Ok(Mesos {
            master: at,
            agent,
            section,
            tasks: house.tasks,
        })
    }

    /// Where the master listens.
    pub fn master_address(&self) -> SocketAddr {
        self.master
    }

    /// Where the agent beside it listens.
    pub fn agent_address(&self) -> Option<SocketAddr> {
        self.agent
    }

    /// What the console shows of the master.
    pub fn section(&self) -> Section {
        self.section.clone()
    }

    /// Answers when all have come to their end, after the stop.
    pub async fn stopped(&self) {
        self.tasks.wait().await;
    }
}

/// The original knows `zk://` and `file://` here.
fn ensemble(zk: &str) -> Result<Ensemble, StartError> {
    match location(zk)? {
        Location::ZooKeeper(ensemble) => Ok(ensemble),
        Location::At(_) => Err(StartError::Config(format!("Failed to parse '{zk}'"))),
    }
}

/// Starts a master that leads: at once where it is the only one, else when it is elected.
async fn start_master(
    house: &House,
    config: &MasterConfig,
    ensemble: Option<Ensemble>,
    at: SocketAddr,
    shard: &Shard,
) -> Result<MasterHandle, StartError> {
    let (random, events_max) = (house.random.clone(), house.limits.events_max);
    let info = master_info(random.uuid().to_string(), at);
    if let Some(ensemble) = ensemble {
        let candidate = Candidate {
            voters: house.voters(ensemble),
            info,
            events_max,
            random,
        };
        return Ok(candidate.start());
    }
    let registry = Registry::own(shard.kv.clone(), config.durability);
    let registered = registry.load().await;
    let start = MasterStart {
        info,
        registered: registered.map_err(|error| StartError::Registry(error.into()))?,
        registry,
        events_max,
    };
    let (clock, stop) = (house.clock.clone(), house.stop.clone());
    Ok(MasterHandle::start(start, clock, random, &house.tasks, stop))
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
