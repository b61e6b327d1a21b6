//! Bytes to types and back: frames, segments, compression, requests, answers, rows.
//!
//! Knows: byte layouts of the native protocol v3, v4 and v5. Never: storage, sockets, time, what a statement means.

pub(crate) mod compression;
pub(crate) mod envelope;
mod failure;
pub(crate) mod ids;
pub(crate) mod opcode;
pub(crate) mod read;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod rows;
pub(crate) mod segment;
mod types;
pub(crate) mod version;
pub(crate) mod write;
