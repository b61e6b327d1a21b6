//! Just enough of a ZooKeeper client to know which master leads.
//!
//! Knows: the protocol (`wire`), one session at a time, the nodes that masters stand by. Never: writes anything.

mod session;
mod watch;
pub mod wire;

pub(crate) use watch::Watch;

#[cfg(test)]
mod tests;
