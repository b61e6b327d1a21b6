//! What both ends of the Mesos v1 HTTP API share: its messages, in protobuf and in JSON, RecordIO framing, and how the
//! leading master is named and found.
//!
//! Rooms: `recordio`, `masters` (their names, and their nodes in ZooKeeper), `zookeeper` (its protocol, as bytes).
//! Knows: the `.proto` files of Mesos 1.11 (`proto/`, Apache-2.0), the original's JSON mapping, how streams are framed.
//! Never: HTTP, sockets, time, or what a message means. A crate of its own, so that a client needs no server.

mod json;
pub mod masters;
pub mod recordio;
pub mod zookeeper;

#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::unwrap_used,
    rustdoc::all,
    reason = "generated from the .proto files"
)]
mod types {
    include!(concat!(env!("OUT_DIR"), "/types.rs"));
}

#[allow(clippy::all, reason = "generated from the .proto files")]
mod helpers {
    include!(concat!(env!("OUT_DIR"), "/helpers.rs"));
}

pub use types::mesos::v1;

/// Bytes as text, as in the messages: for `serialize_with` and `deserialize_with`.
pub use json::base64::required as base64;

/// A span of time as `google.protobuf` has it.
pub use types::google::protobuf::Duration;
