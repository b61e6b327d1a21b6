//! Starts a broker: binds its listeners, accepts, and stops when told.

use crate::{
    acceptor::{House, listen},
    broker::Broker,
    config::Config,
    connection::Entrance,
    creation, groups,
    metrics::{self, Metrics},
    partition, transactions,
};
use server_kit::{Clock, Random, Registry, console::Section};
use std::{io, net::SocketAddr, sync::Arc};
use storage::{Shard, StorageError};
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Why a broker could not start.
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
    /// A listener's certificate or key could not be used.
    #[error("listener {listener}: {source}")]
    Tls {
        /// The listener's name.
        listener: String,
        /// What is wrong.
        source: server_kit::TlsError,
    },
    /// The store could not be read.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A configured address is not one.
    #[error("not an address: {0}")]
    Address(String),
}

/// A running broker.
pub struct Kafka {
    addresses: Vec<SocketAddr>,
    /// What clients of the first listener are told.
    advertised: String,
    section: Section,
    tasks: TaskTracker,
}

impl Kafka {
    /// Starts a broker on `shard` that runs until `stop`, and tells its counters to `registry`.
    pub async fn start(
        config: Config,
        shard: Shard,
        clock: Arc<dyn Clock>,
        random: Arc<Random>,
        registry: &mut Registry,
        stop: CancellationToken,
    ) -> Result<Self, StartError> {
        let limits = config.limits.clone();
        let broker = Broker::load(config, shard, clock, random).await?;
        let open = broker.listeners.open();
        let addresses = open.iter().map(|one| one.listener.address()).collect();
        let first = open.first().map(|first| &first.advertised);
        let told = first.map_or(String::new(), |(host, port)| match host.contains(':') {
            true => format!("[{host}]:{port}"),
            false => format!("{host}:{port}"),
        });
        let entrance = Arc::new(Entrance::new(
            limits.clone(),
            broker.dynamic.clone(),
            broker.listeners.clone(),
        ));
        let tasks = TaskTracker::new();
        let metrics = Metrics::register(registry, entrance.connections.clone(), &broker);
        let section = metrics::section(&broker, &metrics);
        let house = House {
            metrics,
            buffers: Arc::default(),
            // A request of the largest size must fit, or it would wait for ever.
            in_flight: Arc::new(Semaphore::new(
                limits.in_flight_bytes_max.max(limits.request_bytes_max + 4),
            )),
            entrance,
            broker,
            tasks: tasks.clone(),
        };
        tasks.spawn(listen(house.clone(), stop.clone()));
        tasks.spawn(watch(house.clone(), stop.clone()));
        maintain(&house.broker, &tasks, &stop);
        tasks.close();
        Ok(Kafka {
            addresses,
            advertised: told,
            section,
            tasks,
        })
    }

    /// Bound addresses, in the order of the configured listeners.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Where clients of the first listener are sent: `host:port`.
    pub fn advertised(&self) -> &str {
        &self.advertised
    }

    /// What the console shows of it.
    pub fn section(&self) -> Section {
        self.section.clone()
    }

    /// Answers when every connection is closed, after the stop.
    pub async fn stopped(&self) {
        self.tasks.wait().await;
    }
}

/// Looks at the connections until `stop`, then lets them end.
async fn watch(house: House, stop: CancellationToken) {
    let connections = &house.entrance.connections;
    tokio::select! {
        () = connections.clone().watch(house.in_flight.clone()) => {}
        () = house.entrance.shrink() => {}
        () = stop.cancelled() => {}
    }
    connections.drain();
}

/// Starts what goes on by itself until `stop`: one line per owner.
fn maintain(broker: &Arc<Broker>, tasks: &TaskTracker, stop: &CancellationToken) {
    tasks.spawn(creation::maintenance(broker.clone()));
    tasks.spawn(groups::maintenance(broker.clone(), stop.clone()));
    tasks.spawn(partition::maintenance(broker.clone(), stop.clone()));
    tasks.spawn(partition::settling(broker.clone(), stop.clone()));
    tasks.spawn(transactions::maintenance(broker.clone(), stop.clone()));
}
