//! The CQL native protocol (v3, v4, v5) over the storage seam: one node that is the whole cluster.
//!
//! Rooms: `wire` (bytes to types), `handlers` (one file per opcode, THE TABLE), `core` (types, functions, schema, rows:
//! pure), `syntax` and `statements` (one file or folder per statement), `state` (core to storage and back), `engine`
//! (prepares and executes statements on schema and store). Top files accept, frame and configure.
//! Never: a storage backend by name, or another server.

mod acceptor;
mod compatibility;
mod config;
mod connection;
mod core;
mod engine;
mod error;
mod handlers;
#[cfg(any(test, feature = "internals"))]
#[doc(hidden)]
pub mod internals;
mod lately;
mod metrics;
mod server;
mod state;
mod statements;
mod syntax;
mod wire;

pub use compatibility::{Answered, Bound, answered, bounds};
pub use config::{Authenticator, Authorizer, Config, Limits, Listener, Timeouts};
pub use core::guardrails::{Guardrails, Setting, SettingError};
pub use server::{Cql, StartError};

/// Folds versions of a row, or of what was deleted of a partition: what a store must do with this server's operands.
pub fn merge() -> storage::MergeFn {
    std::sync::Arc::new(|_, existing, operands| core::rows::merge(existing, operands))
}
