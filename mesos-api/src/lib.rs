//! A Mesos 1.11 master and agent over the v1 HTTP API.
//!
//! Rooms: `wire` (HTTP bodies to types and back, event streams), `handlers` (what each route and call does; THE TABLE),
//! `core` (what master and agent decide: pure), `shell` (the tasks that own a core and do what it wants, processes
//! included), `state` (what outlives a master, to storage). Top files accept and configure.
//! Never: a storage backend by name, or another server.

mod acceptor;
mod config;
mod core;
mod handlers;
mod lone_agent;
mod server;
mod shell;
mod state;
mod wire;

pub use config::{Config, Limits};
pub use lone_agent::{AgentConfig, MesosAgent};
pub use server::{Mesos, StartError};
pub use shell::supervise;
