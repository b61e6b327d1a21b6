//! The CQL side of the proof: a connection of our own, values as text, and the corpus of statements.
//!
//! Knows: the native protocol, as little of it as the tests need. Never: code of the server under test.

pub mod corpus;
pub mod gaps;
pub mod raw;
pub mod text;
pub mod value;
pub mod wire;
