//! What a Mesos master and agent decide: state machines whose inputs carry the time and whose outputs are effects.
//!
//! Rooms: `resources` (amounts), `master` (frameworks, agents, offers, tasks, allocation), `agent` (containers, status
//! updates), `link` (what the two tell each other).
//! Never: async, tokio, sockets, storage, a clock or chance of its own.

pub(crate) mod agent;
pub(crate) mod link;
pub(crate) mod master;
pub(crate) mod resources;
#[cfg(test)]
mod simulation;

use std::time::Duration;

/// The time at which an input arrived.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Now {
    /// Since 1970: what is told to people.
    pub(crate) wall: Duration,
    /// Since the process began: what deadlines are measured by.
    pub(crate) elapsed: Duration,
}
