//! Starts a server: binds its listeners, accepts, and stops when told.

use crate::{
    acceptor::{House, accept, bind},
    config::{Authenticator, Authorizer, Config},
    core::schema::{replication::Site, system::PARTITIONER},
    engine::{Engine, Identity, Statements},
    handlers::Service,
    metrics::Metrics,
    state::node::{self, Name},
};
use server_kit::{
    Clock, Connections, Door, Listener, Patience, Random, Registry,
    console::{Section, View},
};
use std::{collections::BTreeMap, future::Future, io, net::SocketAddr, pin::Pin, sync::Arc};
use storage::{Durability, Kv, Shard, StorageError};
use tokio::{sync::Semaphore, task::spawn_blocking};
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
    /// A listener's certificate or key could not be used.
    #[error("listener {address}: {source}")]
    Tls {
        /// The configured address.
        address: String,
        /// What is wrong.
        source: server_kit::TlsError,
    },
    /// What is configured does not go together.
    #[error("{0}")]
    Config(String),
    /// The store could not be read.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// A running server.
pub struct Cql {
    addresses: Vec<SocketAddr>,
    section: Section,
    tasks: TaskTracker,
}

impl Cql {
    /// Starts a server on what `shard` holds, until `stop`. The shard's store must fold with [`crate::merge`].
    pub async fn start(
        mut config: Config,
        shard: Shard,
        clock: Arc<dyn Clock>,
        random: Arc<Random>,
        registry: &mut Registry,
        stop: CancellationToken,
    ) -> Result<Self, StartError> {
        if config.authorizer == Authorizer::Cassandra && config.authenticator == Authenticator::AllowAll {
            return Err(StartError::Config(
                "AllowAllAuthenticator can't be used with CassandraAuthorizer".to_owned(),
            ));
        }
        check_names(&*shard.kv, &config).await?;
        let bound = bind_all(&config).await?;
        let address = told_address(&config, &bound).await?;
        config.broadcast_rpc_address = Some(address.ip());
        let identity = Identity {
            cluster_name: config.cluster_name.clone(),
            address: address.ip(),
            port: address.port(),
            site: Arc::new(Site {
                data_center: config.data_center.clone(),
                rack: config.rack.clone(),
                default_factor: config.default_keyspace_rf,
            }),
            settings: Arc::new(settings(&config, address)),
            authenticator: config.authenticator,
            authorizer: config.authorizer,
        };
        let own_random = Random::from_seed(random.next_u64());
        let mut engine = Engine::open(shard.kv, clock.clone(), own_random, config.durability, identity)
            .await
            .map_err(|error| StorageError::Engine(error.to_string()))?;
        engine.materialized_views_enabled = config.materialized_views_enabled;
        engine.timeouts = config.timeouts;
        engine.set_guardrails(config.guardrails.clone());
        engine.look_at_disk();
        let engine = Arc::new(engine);
        let founds_later = config.authenticator == Authenticator::AllowAll;
        let cql = Self::serve(
            config,
            bound,
            engine.clone(),
            clock,
            random,
            registry,
            stop.clone(),
        )
        .await;
        cql.go_on(&engine, &stop);
        if founds_later {
            cql.tasks.spawn(async move {
                let made = stop.run_until_cancelled(engine.first_role()).await;
                if let Some(Err(error)) = made {
                    tracing::warn!(%error, "the first role was not made");
                }
            });
        }
        Ok(cql)
    }

    /// Lets the engine do what it does by itself, until `stop`.
    fn go_on(&self, engine: &Arc<Engine>, stop: &CancellationToken) {
        type Chore = fn(Arc<Engine>) -> Pin<Box<dyn Future<Output = ()> + Send>>;
        let chores: [Chore; 4] = [
            |engine| Box::pin(async move { engine.keep_building().await }),
            |engine| Box::pin(async move { engine.keep_syncing().await }),
            |engine| Box::pin(async move { engine.keep_collecting().await }),
            |engine| Box::pin(async move { engine.keep_looking_at_disk().await }),
        ];
        for chore in chores {
            let (work, stop) = (chore(engine.clone()), stop.clone());
            self.tasks
                .spawn(async move { stop.run_until_cancelled(work).await });
        }
    }

    /// Starts to answer the clients of bound listeners with what `engine` does, until `stop`.
    pub(crate) async fn serve(
        mut config: Config,
        bound: Vec<Listener>,
        engine: Arc<dyn Statements>,
        clock: Arc<dyn Clock>,
        random: Arc<Random>,
        registry: &mut Registry,
        stop: CancellationToken,
    ) -> Self {
        let addresses: Vec<_> = bound.iter().map(Listener::address).collect();
        for (listener, address) in config.listeners.iter_mut().zip(&addresses) {
            listener.bind = address.to_string();
        }
        let over_tls: Vec<bool> = config.listeners.iter().map(|one| one.tls.is_some()).collect();
        let limits = config.limits.clone();
        let connections = Connections::new(Patience {
            idle_max: limits.connections_idle_max,
            write_stall_max: limits.write_stall_max,
        });
        let metrics = Metrics::register(registry, connections.clone());
        let section = section(&engine, &metrics);
        let service = Service::new(engine, config, clock, random);
        service.tell_counts(metrics.clone());
        service.restore().await;
        let tasks = TaskTracker::new();
        let house = House {
            metrics,
            // Twice a request of the largest size must fit, compressed and not, or it would wait for ever.
            in_flight: Arc::new(Semaphore::new(
                limits.in_flight_bytes_max.max(2 * limits.request_bytes_max),
            )),
            connections,
            door: Door {
                connections_max: limits.connections_max,
                from_ip_max: limits.connections_per_ip_max,
                ..Door::default()
            },
            service,
            tasks: tasks.clone(),
        };
        for (listener, over_tls) in bound.into_iter().zip(over_tls) {
            tasks.spawn(accept(listener, over_tls, house.clone(), stop.clone()));
        }
        tasks.spawn(watch(house, stop));
        tasks.close();
        Cql {
            addresses,
            section,
            tasks,
        }
    }

    /// Bound addresses, in the order of the configured listeners.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What the console shows of it.
    pub fn section(&self) -> Section {
        self.section.clone()
    }

    /// Answers when every connection is closed and every request is done, after the stop.
    pub async fn stopped(&self) {
        self.tasks.wait().await;
    }
}

/// What the console shows, as long as there is an engine.
fn section(engine: &Arc<dyn Statements>, metrics: &Arc<Metrics>) -> Section {
    let (engine, metrics) = (Arc::downgrade(engine), metrics.clone());
    Section::new("cql", "CQL", move || {
        let (engine, metrics) = (engine.clone(), metrics.clone());
        let shown = move || {
            let mut view = View::default();
            let requests = metrics.show(&mut view);
            if let Some(engine) = engine.upgrade() {
                engine.show(&mut view);
            }
            view.table(requests);
            view
        };
        // How large a table is, is read from the store.
        async { spawn_blocking(shown).await.unwrap_or_default() }
    })
}

/// Binds every configured listener.
pub(crate) async fn bind_all(config: &Config) -> Result<Vec<Listener>, StartError> {
    let mut bound = Vec::with_capacity(config.listeners.len());
    for listener in &config.listeners {
        bound.push(bind(listener).await?);
    }
    Ok(bound)
}

/// Where clients are told to find the node: what is configured, else where its first listener is bound, else, where that
/// is every address of the machine, what the machine's own name means.
async fn told_address(config: &Config, bound: &[Listener]) -> Result<SocketAddr, StartError> {
    let first = bound.first().map(Listener::address);
    let first = first.ok_or_else(|| StartError::Config("a CQL server needs a listener".to_owned()))?;
    if let Some(told) = config.broadcast_rpc_address {
        return Ok(SocketAddr::new(told, first.port()));
    }
    if !first.ip().is_unspecified() {
        return Ok(first);
    }
    let own = tokio::net::lookup_host((server_kit::host_name(), first.port())).await;
    let own = own
        .ok()
        .and_then(|mut addresses| addresses.find(|one| !one.ip().is_unspecified()));
    own.ok_or_else(|| {
        StartError::Config(
            "If rpc_address is set to a wildcard address (0.0.0.0), then you must set broadcast_rpc_address to a value \
             other than 0.0.0.0"
                .to_owned(),
        )
    })
}

/// What `system_views.settings` tells: what is set here, of what `cassandra.yaml` has.
fn settings(config: &Config, address: SocketAddr) -> BTreeMap<String, Option<String>> {
    let own = [
        ("authenticator", config.authenticator.name().to_owned()),
        ("authenticator.class_name", config.authenticator.name().to_owned()),
        ("authorizer", config.authorizer.name().to_owned()),
        ("authorizer.class_name", config.authorizer.name().to_owned()),
        ("cluster_name", config.cluster_name.clone()),
        (
            "commitlog_sync",
            match config.durability {
                Durability::Synced => "batch".to_owned(),
                _ => "periodic".to_owned(),
            },
        ),
        ("default_keyspace_rf", config.default_keyspace_rf.to_string()),
        ("listen_address", address.ip().to_string()),
        (
            "materialized_views_enabled",
            config.materialized_views_enabled.to_string(),
        ),
        (
            "native_transport_max_frame_size",
            format!("{}MiB", config.limits.request_bytes_max >> 20),
        ),
        ("native_transport_port", address.port().to_string()),
        ("num_tokens", "1".to_owned()),
        ("partitioner", PARTITIONER.to_owned()),
        ("rpc_address", address.ip().to_string()),
        ("user_defined_functions_enabled", "false".to_owned()),
    ];
    let own = own.map(|(name, value)| (name.to_owned(), Some(value)));
    own.into_iter().chain(config.guardrails.settings()).collect()
}

/// Refuses names that are not the ones the node has had so far: clients know the cluster by its name, and keyspaces have
/// their replicas in its data center.
async fn check_names(kv: &dyn Kv, config: &Config) -> Result<(), StartError> {
    let cluster = node::name(kv, Name::Cluster, &config.cluster_name).await?;
    if cluster != config.cluster_name {
        return Err(StartError::Config(format!(
            "Saved cluster name {cluster} != configured name {}",
            config.cluster_name
        )));
    }
    let data_center = node::name(kv, Name::DataCenter, &config.data_center).await?;
    if data_center != config.data_center {
        return Err(StartError::Config(format!(
            "Cannot start node if snitch's data center ({}) differs from previous data center ({data_center}).",
            config.data_center
        )));
    }
    Ok(())
}

/// Looks at the connections until `stop`, then lets them end.
async fn watch(house: House, stop: CancellationToken) {
    tokio::select! {
        () = house.connections.clone().watch(house.in_flight.clone()) => {}
        () = stop.cancelled() => {}
    }
    house.connections.drain();
}
