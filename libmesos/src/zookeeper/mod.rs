//! Just enough of a ZooKeeper client to know which master leads.
//!
//! Knows: one session at a time, the nodes that masters stand by. Never: the protocol's bytes; writes anything.

mod session;
mod watch;

pub(crate) use watch::Watch;
