//! The shell of the drivers: a thread that holds the stream of events and runs callbacks, one that sends calls.
//!
//! Knows: the cores, the API, when to try again. Never: Java, or what a call means.

mod backoff;
mod executor;
mod library;
mod outbox;
mod run;
mod scheduler;
#[cfg(test)]
mod tests;

pub(crate) use run::{Driver, Listener, Thrown};
