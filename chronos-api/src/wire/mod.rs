//! The original's JSON, to types and back.
//!
//! Rooms: `job` (a job), `container` (what it is kept in), `lenient` (values as the original's library reads them).
//! Knows: names of fields, defaults. Never: HTTP, or whether a job may be.

mod container;
mod job;
mod lenient;
#[cfg(test)]
mod tests;

pub(crate) use job::{Defaults, parse, shown};
