//! Chronos' REST API: jobs that run at their times, or after others, as tasks of a Mesos cluster.
//!
//! Rooms: `wire` (its JSON to types and back), `handlers` (what each route does; THE TABLE), `core` (when what runs: pure),
//! `state` (what outlives the process, to storage and back), `shell` (the task that owns the core, and the way to Mesos).
//! Top files configure, accept, and say what is refused.
//! Never: a storage backend by name, another server, or the inside of a Mesos master: it is a framework like any other.

mod config;
mod core;
mod error;
mod handlers;
mod server;
mod shell;
mod state;
mod wire;

pub use config::{Config, Defaults, Limits};
pub use server::{Chronos, StartError};
