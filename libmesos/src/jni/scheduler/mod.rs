//! `org.apache.mesos.MesosSchedulerDriver`: its natives, and the callbacks of `org.apache.mesos.Scheduler`.
//!
//! Knows: their signatures. Never: what a call means to the master.

mod callbacks;
mod natives;
mod start;
