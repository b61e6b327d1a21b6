//! Names for what runs on Mesos: a name server that answers as Mesos-DNS does, and its REST API.
//!
//! Rooms: `core` (which names there are, and answers to questions: pure), `wire` (messages of DNS), `rest` (the HTTP side),
//! `serve` (sockets), `follow` (keeps the zone as the master tells). Top files configure, start, count and show.
//! Knows: a master by `mesos-client` alone, smack's or an original's.
//! Never: storage, or the inside of a master.

mod config;
mod console;
mod core;
mod follow;
#[cfg(any(test, feature = "internals"))]
#[doc(hidden)]
pub mod internals;
mod metrics;
mod rest;
mod serve;
mod server;
mod wire;

pub use config::{Config, ConfigError};
pub use server::{MesosDns, StartError};
