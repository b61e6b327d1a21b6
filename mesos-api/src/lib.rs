//! A Mesos 1.11 master and agent over the v1 HTTP API.
//!
//! Rooms: `wire` (HTTP bodies to types and back, event streams), `handlers` (what each route and call does; THE TABLE),
//! `core` (what master and agent decide: pure), `shell` (the tasks that own a core and do what it wants, processes
//! included), `state` (what outlives a master, to storage or ZooKeeper), `zookeeper` (a session with it). Top files accept
//! and configure.
//! Never: a storage backend by name, or another server.

mod config;
mod core;
mod handlers;
#[cfg(any(test, feature = "internals"))]
#[doc(hidden)]
pub mod internals;
mod lone_agent;
mod server;
mod shell;
mod start;
mod state;
mod wire;
mod zookeeper;

pub use config::{AgentConfig, Config, Limits, MasterConfig, Upkeep};
pub use lone_agent::MesosAgent;
pub use server::Mesos;
pub use shell::{Collection, supervise};
pub use start::StartError;
