//! What handlers act on: configuration, topics, storage, clock and chance, in one place.

use crate::{
    config::{BrokerConfig, Config},
    configs::Configs,
    core::fetch_sessions::{FetchSessions, PARTITIONS_MAX},
    groups::{self, Groups},
    handlers::{LARGE_ANSWERS_MAX, fetch::SessionHandle},
    listeners::Listeners,
    metrics::ErrorCounts,
    partition::{Env, UnpackingThreads},
    producer_ids::ProducerIds,
    server::StartError,
    state::{self, meta},
    topics::Topics,
    transactions::Transactions,
};
use arc_swap::ArcSwap;
use parking_lot::Mutex;
use server_kit::{Clock, Random};
use std::sync::Arc;
use storage::Shard;
use tokio::sync::Semaphore;

/// Kafka's `max.incremental.fetch.session.cache.slots`, where it is not set.
const FETCH_SESSIONS_MAX: usize = 1000;

/// One broker. Several may live in one process, as in tests.
pub(crate) struct Broker {
    /// Settings it was started with.
    pub(crate) config: Config,
    /// The values of Kafka's keys, which change while it runs.
    pub(crate) dynamic: Arc<ArcSwap<BrokerConfig>>,
    /// Settings made while it runs.
    pub(crate) configs: Configs,
    /// The cluster's id, made when the data directory was.
    pub(crate) cluster_id: String,
    /// The listeners that clients come in by.
    pub(crate) listeners: Arc<Listeners>,
    /// Topics and their partitions.
    pub(crate) topics: Topics,
    /// Ids for producers that ask for one.
    pub(crate) producer_ids: ProducerIds,
    /// Transactional ids.
    pub(crate) transactions: Transactions,
    /// What consumers read, between their requests.
    pub(crate) fetch_sessions: Mutex<FetchSessions<SessionHandle>>,
    /// Groups and their committed offsets.
    pub(crate) groups: Groups,
    /// Where large batches are unpacked.
    pub(crate) unpacking: UnpackingThreads,
    /// Seats of those who make a large answer.
    pub(crate) large_answers: Arc<Semaphore>,
    /// Errors that were answered.
    pub(crate) errors: ErrorCounts,
    /// Where everything is kept.
    pub(crate) shard: Shard,
    /// The only time there is.
    pub(crate) clock: Arc<dyn Clock>,
    /// The only chance there is.
    pub(crate) random: Arc<Random>,
}

impl Broker {
    /// A broker over what `shard` holds, with its listeners bound.
    pub(crate) async fn load(
        config: Config,
        shard: Shard,
        clock: Arc<dyn Clock>,
        random: Arc<Random>,
    ) -> Result<Arc<Self>, StartError> {
        let dynamic = Arc::new(ArcSwap::from_pointee(
            state::configs::broker(shard.kv.as_ref(), &config).await?,
        ));
        let listeners = Arc::new(Listeners::start(&config, &dynamic.load()).await?);
        let env = Arc::new(Env {
            shard: shard.clone(),
            clock: clock.clone(),
            durability: config.durability,
            config: dynamic.clone(),
        });
        let fetch_sessions_max = config
            .property("max.incremental.fetch.session.cache.slots")
            .unwrap_or(FETCH_SESSIONS_MAX);
        Ok(Arc::new(Broker {
            cluster_id: meta::cluster_id(shard.kv.as_ref(), &random).await?,
            topics: Topics::load(env, dynamic.clone()).await?,
            configs: Configs::load(shard.kv.clone(), dynamic.clone(), listeners.clone()).await?,
            dynamic,
            producer_ids: ProducerIds::new(shard.kv.clone()),
            transactions: Transactions::load(shard.kv.clone(), clock.clone(), config.durability).await?,
            groups: Groups::load(
                shard.kv.clone(),
                config.durability,
                clock.clone(),
                random.clone(),
                groups::Settings::new(&config),
            )
            .await?,
            fetch_sessions: Mutex::new(FetchSessions::new(fetch_sessions_max, PARTITIONS_MAX)),
            unpacking: UnpackingThreads::default(),
            large_answers: Arc::new(Semaphore::new(LARGE_ANSWERS_MAX)),
            errors: ErrorCounts::default(),
            config,
            listeners,
            shard,
            clock,
            random,
        }))
    }

    /// A broker over an empty store in memory.
    #[cfg(test)]
    pub(crate) async fn in_memory(config: Config) -> Arc<Self> {
        let clock = server_kit::ManualClock::new(1_700_000_000_000);
        let random = Arc::new(Random::from_seed(7));
        Broker::over(config, storage::memory::shard(), clock, random).await
    }

    /// A broker over what `shard` holds, on any ports: tests run side by side. Clients are told the usual one.
    #[cfg(test)]
    pub(crate) async fn over(
        mut config: Config,
        shard: Shard,
        clock: Arc<dyn Clock>,
        random: Arc<Random>,
    ) -> Arc<Self> {
        for listener in &mut config.listeners {
            listener.advertised = Some(std::mem::replace(&mut listener.bind, "127.0.0.1:0".to_owned()));
        }
        Broker::load(config, shard, clock, random).await.unwrap()
    }

    /// Where the logs are, in full.
    pub(crate) fn log_dir(&self) -> String {
        let path = &self.config.log_dir;
        let full = std::path::absolute(path).ok();
        full.and_then(|full| full.to_str().map(str::to_owned))
            .unwrap_or_else(|| path.clone())
    }

    /// The rack clients are told.
    pub(crate) fn rack(&self) -> Option<String> {
        self.config.property("broker.rack")
    }

    /// The address clients of `listener` are told: `(host, port)`.
    pub(crate) fn address(&self, listener: &str) -> (String, u16) {
        self.listeners.address(listener)
    }
}
