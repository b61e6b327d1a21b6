//! What frameworks and services in Rust ask of a Mesos master over its v1 HTTP API, smack's or an original's.
//!
//! Rooms: `master` (the one that leads: asked once), `framework` and `operator` (streams of events, which come back when they
//! break), `http` (connections, answers of a bounded size), `zookeeper` (sessions with it, and who leads according to it).
//! Knows: sockets, time as waits, protobuf on the wire.
//! Never: what a framework decides, or the inside of a master.

mod backoff;
mod error;
mod framework;
mod http;
mod master;
mod operator;
mod stream;
#[cfg(test)]
mod tests;
pub mod zookeeper;

pub use error::ClientError;
pub use framework::{Framework, Happened};
pub use master::Master;
pub use mesos_proto::masters::NameError;
pub use operator::OperatorEvent;
