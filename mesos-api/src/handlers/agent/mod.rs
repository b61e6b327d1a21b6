//! What the agent tells of itself, and of what it runs.
//!
//! Rooms: `state` (the older route), `containers` (what each uses), `operator` (the operator API: THE TABLE of its calls).
//! Never: changes the core.

mod containers;
pub(super) mod operator;
mod state;

pub(super) use containers::{containers, statistics};
pub(super) use state::state;
