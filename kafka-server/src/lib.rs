//! The Kafka protocol over the storage seam: one broker that is the whole cluster.
//!
//! Rooms: `wire` (bytes to types), `handlers` (one file per API key, THE TABLE), `core` (pure state machines),
//! `state` (core to storage and back). Top files accept, frame and configure.
//! Never: a storage backend by name, or another server.

mod acceptor;
mod broker;
mod compatibility;
mod config;
mod configs;
mod connection;
mod core;
mod creation;
mod error;
#[cfg(test)]
mod failing;
mod groups;
mod handlers;
#[cfg(any(test, feature = "internals"))]
#[doc(hidden)]
pub mod internals;
mod listeners;
mod metrics;
mod partition;
mod producer_ids;
mod server;
mod state;
mod topics;
mod transactions;
mod wire;

pub use compatibility::{
    Compatible, ConfigurationKey, StandardMetric, WithoutEffect, compatibility, configuration_keys,
    keys_without_effect, standard_metrics,
};
pub use config::{Config, Limits, Listener, PropertiesError, parse_properties};
pub use server::{Kafka, StartError};
