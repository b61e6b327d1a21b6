//! The task that owns the core: it hands it inputs one at a time, stores what it decides, and does what follows.
//!
//! Rooms: `owner` (that task), `calls` (what is said to the master, in order), `messages` (Mesos' messages to types of the
//! core and back), `build` (tasks as Mesos wants them).
//! Knows: channels, timers, Mesos' messages. Never: routes, or when what runs.

mod build;
mod calls;
mod messages;
mod owner;

pub(crate) use owner::{Closed, Handle, Start};
