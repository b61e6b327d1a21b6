//! What each route answers: one table for the master, one for the agent. A route is reached by two names, its own and
//! one below the name of its process, as in the original.
//!
//! Rooms: `scheduler` (the scheduler API: THE TABLE of its calls), `operator` (the operator API), `older` (routes from
//! before it), `basics` (health, version, who leads), `called` (what calls have in common), `agent` (what it runs),
//! `executor` (the executor API), `files` (sandboxes), `link` (agents in other processes), `logging` (what is said),
//! `console` (what operators' page shows).
//! Never: encodings, or what master and agent decide.

mod agent;
mod basics;
mod called;
#[cfg(test)]
mod compat;
mod console;
mod executor;
mod files;
mod link;
mod logging;
mod older;
mod operator;
mod scheduler;
#[cfg(test)]
mod tests;

pub(crate) use console::section;

use crate::{
    config::Limits,
    shell::{AgentHandle, MasterHandle},
    wire::empty,
};
use axum::{Router, http::StatusCode, middleware, routing::any};
use server_kit::Clock;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

/// What every handler is given.
pub(crate) struct Cluster {
    pub(crate) master: MasterHandle,
    pub(crate) agent: AgentHandle,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limits: Limits,
    /// Since 1970.
    pub(crate) started: Duration,
    /// What operators set the log to: 0 is what the server is started with.
    pub(crate) logging_level: Arc<AtomicU32>,
    pub(crate) logging: logging::Logging,
    /// Where the master listens.
    pub(crate) address: String,
    /// Where it is elected, if it has others beside it.
    pub(crate) zk: Option<String>,
}

impl Cluster {
    /// Notes when it began.
    pub(crate) fn begun(mut self) -> Self {
        self.started = Duration::from_millis(u64::try_from(self.clock.now_ms()).unwrap_or(0));
        self
    }

    /// What an answer may need beside what the master knows.
    fn around(&self) -> operator::Around {
        let now = Duration::from_millis(u64::try_from(self.clock.now_ms()).unwrap_or(0));
        operator::Around {
            started: self.started,
            uptime: now.saturating_sub(self.started),
            address: self.address.clone(),
            zk: self.zk.clone(),
            logging_level: self.logging_level.load(Ordering::Relaxed),
        }
    }
}

/// Every route of the master.
pub(crate) fn of_master(cluster: Arc<Cluster>) -> Router {
    let led = Router::new()
        .route("/api/v1/scheduler", any(scheduler::handle))
        .route("/api/v1", any(operator::handle))
        .route("/state", any(older::state))
        .route("/state.json", any(older::state))
        .route("/state-summary", any(older::summary))
        .route("/slaves", any(older::slaves))
        .route("/frameworks", any(older::frameworks))
        .route("/tasks", any(older::tasks))
        .route("/tasks.json", any(older::tasks))
        .route("/roles", any(older::roles))
        .route("/roles.json", any(older::roles))
        .route("/weights", any(older::weights))
        .route("/quota", any(older::quota))
        .route("/quota/{*role}", any(older::remove_quota))
        .route("/maintenance/schedule", any(older::maintenance_schedule))
        .route("/maintenance/status", any(older::maintenance_status))
        .route("/machine/down", any(older::machine_down))
        .route("/machine/up", any(older::machine_up))
        .route("/teardown", any(older::teardown))
        .route("/reserve", any(older::reserve))
        .route("/unreserve", any(older::unreserve))
        .route("/create-volumes", any(older::create_volumes))
        .route("/destroy-volumes", any(older::destroy_volumes))
        .route(crate::wire::link::PATH, any(link::connect));
    // What a master answers that does not lead, too.
    let own = Router::new()
        .route("/flags", any(older::flags))
        .route("/health", any(basics::health))
        .route("/redirect", any(basics::redirect));
    let leads = middleware::from_fn_with_state(cluster.clone(), basics::leads);
    let by_two_names = |routes: Router<Arc<Cluster>>| routes.clone().nest("/master", routes);
    by_two_names(led)
        .route_layer(leads)
        .merge(by_two_names(own))
        .route("/version", any(basics::version))
        .route("/metrics/snapshot", any(older::metrics))
        .route("/files/debug", any(older::files_debug))
        .fallback(|| async { empty(StatusCode::NOT_FOUND) })
        .with_state(cluster)
}

/// Every route of the agent.
pub(crate) fn of_agent(cluster: Arc<Cluster>) -> Router {
    let own = Router::new()
        .route("/api/v1", any(agent::operator::handle))
        .route("/api/v1/executor", any(executor::handle))
        .route("/containers", any(agent::containers))
        .route("/monitor/statistics", any(agent::statistics))
        .route("/monitor/statistics.json", any(agent::statistics))
        .route("/health", any(basics::health))
        .route("/state", any(agent::state))
        .route("/state.json", any(agent::state));
    own.clone()
        .nest("/slave(1)", own)
        .route("/files/browse", any(files::browse))
        .route("/files/read", any(files::read))
        .route("/files/download", any(files::download))
        .route("/version", any(basics::version))
        .fallback(|| async { empty(StatusCode::NOT_FOUND) })
        .with_state(cluster)
}
