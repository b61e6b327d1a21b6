//! Pure state machines: `step(now, event) -> effects`.
//!
//! Knows: the rules of Kafka.
//! Never: async, tokio, a wall clock, randomness, storage, sockets.

pub(crate) mod compaction;
pub(crate) mod epochs;
pub(crate) mod features;
pub(crate) mod fetch_sessions;
pub(crate) mod groups;
pub(crate) mod producers;
pub(crate) mod retention;
pub(crate) mod topics;
pub(crate) mod transactions;
