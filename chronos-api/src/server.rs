//! Starts it, and stops it when told.

use crate::{
    config::Config,
    handlers::{self, Scheduler},
    shell,
    state::Store,
    wire,
};
use mesos_client::{Master, NameError};
use server_kit::{Clock, HttpLimits, Listener, Random, console::Section, serve_http};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use storage::{Kv, StorageError};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long a peer may take to send the head of a request.
const HEAD_TIME_MAX: Duration = Duration::from_secs(60);
/// Bytes of a request's head at the most.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// Why it could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The listener could not be bound.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The configured address.
        address: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// What an earlier run left cannot be read.
    #[error("the scheduler's jobs cannot be read: {0}")]
    Jobs(#[from] StorageError),
    /// The master's name is none.
    #[error("the Mesos master of the scheduler: {0}")]
    Master(#[from] NameError),
}

/// A running scheduler.
pub struct Chronos {
    address: SocketAddr,
    section: Section,
    tasks: TaskTracker,
}

impl Chronos {
    /// Starts it until `stop`.
    pub async fn start(
        config: Config,
        kv: Arc<dyn Kv>,
        clock: Arc<dyn Clock>,
        random: Arc<Random>,
        stop: CancellationToken,
    ) -> Result<Self, StartError> {
        let bound = Listener::bind(&config.bind, false, None).await;
        let listener = bound.map_err(|source| StartError::Bind {
            address: config.bind.clone(),
            source,
        })?;
        let tasks = TaskTracker::new();
        let address = listener.address();
        let limits = config.limits.clone();
        let defaults = defaults(&config);
        let start = shell::Start {
            store: Store::new(kv, config.durability),
            master: Master::new(&config.master, clock.clone(), random)?,
            clock: clock.clone(),
            stop: stop.clone(),
            config,
        };
        let scheduler = Arc::new(Scheduler {
            handle: start.start(&tasks).await?,
            defaults,
            request_bytes_max: limits.request_bytes_max,
            address: address.to_string(),
            clock,
        });
        let section = handlers::section(scheduler.clone());
        let http = HttpLimits {
            connections_max: limits.connections_max,
            head_bytes_max: HEAD_BYTES_MAX,
            head_time_max: HEAD_TIME_MAX,
            answer_time_max: None,
        };
        let routes = handlers::routes(scheduler);
        tasks.spawn(serve_http(listener, routes, http, tasks.clone(), stop));
        tasks.close();
        Ok(Chronos {
            address,
            section,
            tasks,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What the console shows of it.
    pub fn section(&self) -> Section {
        self.section.clone()
    }

    /// Answers when all has come to its end, after the stop.
    pub async fn stopped(&self) {
        self.tasks.wait().await;
    }
}

fn defaults(config: &Config) -> wire::Defaults {
    let own = &config.defaults;
    wire::Defaults {
        epsilon: format!("PT{}S", own.task_epsilon.as_secs()),
        cpus: own.mesos_task_cpu,
        mem: own.mesos_task_mem,
        disk: own.mesos_task_disk,
        user: config.user.clone(),
    }
}
