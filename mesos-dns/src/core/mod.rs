//! What is in the zone, and what is answered: pure.
//!
//! Rooms: `labels` (names of tasks made names of DNS), `cluster` (what runs, from a master's events), `generator` (the records
//! of it), `zone` (records by their names), `answer` (questions to records).
//! Knows: the original's rules. Never: bytes, sockets, time.

pub(crate) mod answer;
pub(crate) mod cluster;
pub(crate) mod generator;
pub(crate) mod labels;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod zone;
