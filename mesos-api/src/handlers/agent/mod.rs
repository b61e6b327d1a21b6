//! What the agent tells of itself, and of what it runs.
//!
//! Rooms: `state` (the older route), `containers` (what each uses), `operator` (the operator API: THE TABLE of its calls),
//! `tells` (flags and metrics), `asked` (containers that its calls ask for).
//! Never: decides what becomes of a container.

mod asked;
mod containers;
pub(super) mod operator;
mod state;
mod tells;

pub(super) use containers::{containers, statistics};
pub(super) use state::state;
