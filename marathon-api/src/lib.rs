//! Marathon's v2 REST API: a framework that keeps applications running on a Mesos master, smack's or an original's, to
//! which it speaks HTTP alone.
//!
//! Rooms: `wire` (JSON to types and back), `handlers` (what each route does; THE TABLE), `core` (what is launched and killed,
//! and when: pure), `state` (what outlives a process, to storage and back), `shell` (the task that owns the core). Top files
//! accept and configure.
//! Never: a storage backend by name, another server, or anything of a master but its HTTP API.

mod config;
mod console;
mod core;
mod error;
mod handlers;
mod server;
mod shell;
mod state;
mod wire;

pub use config::{Config, Limits};
pub use server::{Marathon, StartError};
