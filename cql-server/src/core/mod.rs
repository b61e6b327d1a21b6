//! What CQL means, without input, output or clock.
//!
//! Knows: types and their values, functions, the schema and how it changes, rows and how their versions merge, what
//! indexes find them by, which guardrails there are.
//! Never: async, storage, the wall clock, chance.

pub(crate) mod functions;
pub(crate) mod guardrails;
pub(crate) mod indexes;
mod repeated;
pub(crate) mod roles;
pub(crate) mod rows;
pub(crate) mod schema;
pub(crate) mod types;

pub(crate) use repeated::repeated;
