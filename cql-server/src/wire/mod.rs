//! Bytes to types and back: frames, segments, compression, requests, answers, rows.
//!
//! Knows: byte layouts of the native protocol v3, v4 and v5. Never: storage, sockets, time, what a statement means.

pub(crate) mod rows;
pub(crate) mod write;
