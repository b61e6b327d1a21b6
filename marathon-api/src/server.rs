//! Starts the framework and its API, and stops them when told.

use crate::{
    config::Config,
    console,
    core::Core,
    handlers::{self, Context},
    shell::{Owner, Way, now},
    state::Store,
};
use mesos_client::{Master, NameError};
use mesos_proto::v1::{FrameworkId, FrameworkInfo, framework_info};
use server_kit::{Clock, HttpLimits, Listener, Random, console::Section, serve_http};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use storage::{Kv, StorageError};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long a peer may take to send the head of a request.
const HEAD_TIME_MAX: Duration = Duration::from_secs(60);
/// Bytes of a request's head at the most.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// Why the server could not start.
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
    /// What an earlier process left cannot be read.
    #[error("what Marathon kept cannot be read: {0}")]
    Kept(#[from] StorageError),
    /// No master is called so.
    #[error(transparent)]
    Master(#[from] NameError),
}

/// A running Marathon.
pub struct Marathon {
    address: SocketAddr,
    section: Section,
    tasks: TaskTracker,
}

impl Marathon {
    /// Starts it until `stop`.
    pub async fn start(
        config: Config,
        kv: Arc<dyn Kv>,
        clock: Arc<dyn Clock>,
        random: Arc<Random>,
        stop: CancellationToken,
    ) -> Result<Self, StartError> {
        let listener = Listener::bind(&config.bind, false, None).await;
        let listener = listener.map_err(|source| StartError::Bind {
            address: config.bind.clone(),
            source,
        })?;
        let address = listener.address();
        let store = Store::new(kv, config.durability);
        let kept = store.load().await?;
        let master = Master::new(&config.master, clock.clone(), random.clone())?;
        let info = framework_info(&config, kept.framework_id.clone(), address);
        let ports = config.local_ports.clone();
        let ports = u32::from(*ports.start())..=u32::from(*ports.end());
        let owner = Owner {
            core: Core::new(now(&*clock), ports, kept),
            store,
            clock,
            random,
        };
        let tasks = TaskTracker::new();
        let handle = owner.start(Way {
            master,
            info,
            tasks: tasks.clone(),
            stop: stop.clone(),
        });
        let section = console::section(handle.clone());
        let limits = HttpLimits {
            connections_max: config.limits.connections_max,
            head_bytes_max: HEAD_BYTES_MAX,
            head_time_max: HEAD_TIME_MAX,
            answer_time_max: None,
        };
        let context = Arc::new(Context {
            handle,
            config,
            address,
        });
        let routes = handlers::routes(context);
        tasks.spawn(serve_http(listener, routes, limits, tasks.clone(), stop));
        tasks.close();
        Ok(Marathon {
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

    /// Answers when it has come to its end, after the stop.
    pub async fn stopped(&self) {
        self.tasks.wait().await;
    }
}

/// Who it is to Mesos.
fn framework_info(config: &Config, id: Option<String>, address: SocketAddr) -> FrameworkInfo {
    use framework_info::{Capability, capability::Type};
    let capable = |kind: Type| Capability {
        r#type: Some(kind as i32),
    };
    FrameworkInfo {
        user: config.mesos_user.clone(),
        name: config.framework_name.clone(),
        id: id.map(|value| FrameworkId { value }),
        failover_timeout: Some(config.failover_timeout as f64),
        checkpoint: Some(true),
        hostname: Some(server_kit::host_name()),
        webui_url: Some(format!("http://{address}/")),
        capabilities: vec![
            capable(Type::TaskKillingState),
            capable(Type::PartitionAware),
            capable(Type::RegionAware),
        ],
        ..FrameworkInfo::default()
    }
}
