//! `org.apache.mesos.MesosExecutorDriver`: its natives, and the callbacks of `org.apache.mesos.Executor`.
//!
//! Knows: their signatures, and the variables that an agent sets. Never: what a call means to the agent.

mod callbacks;
mod natives;
mod start;
