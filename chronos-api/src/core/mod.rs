//! When which job runs, and what becomes of it.
//!
//! Rooms: `schedule` (times), `job` (what a client asks for), `constraints` (where it may run), `machine` (what is decided,
//! one input after the other), `simulation` (a cluster that fails in every way, in tests).
//! Knows: jobs, offers, tasks, by types of its own. Never: Mesos' messages, HTTP, what time it is, or storage.

mod constraints;
mod job;
mod machine;
mod schedule;
#[cfg(test)]
mod simulation;

pub(crate) use constraints::{Attribute, Constraint, Operator, Value};
pub(crate) use job::{Container, ContainerKind, ExternalVolume, Fetch, Job, Network, Pair, Trigger, Volume};
pub(crate) use machine::{
    Change, Command, Core, Effect, Entry, Histogram, Input, Kept, Launch, Offer, Past, Policy, Refused, Run,
    Status, Step, TaskState,
};
pub(crate) use schedule::{period_ms, short_time, time_of};
