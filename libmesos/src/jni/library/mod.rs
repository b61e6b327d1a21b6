//! `org.apache.mesos.v1.scheduler.V0Mesos` and `V1Mesos`.
//!
//! Knows: their natives, fields and callbacks. Never: what a call or an event means.

mod callbacks;
mod natives;
mod start;
