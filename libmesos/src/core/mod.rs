//! What drivers decide, as pure state: what happens goes in, calls and callbacks come out.
//!
//! Knows: the rules of Mesos' drivers. Never: sockets, threads, time, chance, Java.

pub(crate) mod executor;
pub(crate) mod scheduler;
#[cfg(test)]
mod tests;

use prost::DecodeError;
use std::time::Duration;

/// What a driver is, numbered as in `Protos.Status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    NotStarted = 1,
    Running = 2,
    Aborted = 3,
    Stopped = 4,
}

/// What one event comes to.
#[derive(Debug)]
pub(crate) struct Received<Callback> {
    /// What the framework is told, one after the other.
    pub(crate) callbacks: Vec<Callback>,
    /// How often the other end will say something, once it tells.
    pub(crate) heartbeat_seconds: Option<f64>,
}

/// What both kinds of drivers have in common.
pub(crate) trait Core: Send + 'static {
    /// What the framework is told, one at a time.
    type Callback: Clone + Send + 'static;
    /// Where its API is.
    const PATH: &'static str;
    /// What its threads are called.
    const NAME: &'static str;
    /// How long a stream may say nothing, until the other end tells how often it does.
    const QUIET_MAX: Option<Duration>;

    fn status(&self) -> Status;

    fn runs(&self) -> bool {
        self.status() == Status::Running
    }

    /// Answers whether the driver is to be started now.
    fn start(&mut self) -> bool;

    /// Ends the driver, but not what it drives.
    fn abort(&mut self) -> Status;

    /// The call that opens a stream.
    fn subscribe(&self) -> Vec<u8>;

    /// One record of the stream that `server` sends.
    fn received(&mut self, record: &[u8], server: &str) -> Result<Received<Self::Callback>, DecodeError>;

    /// The stream ended.
    fn disconnected(&mut self) -> Option<Self::Callback>;

    /// So much time went by without a stream.
    fn waited(&mut self, time: Duration) -> Option<Self::Callback>;

    /// The other end refuses for good.
    fn refused(&mut self, why: String) -> Option<Self::Callback>;

    /// The callback is done; what is to be sent now.
    fn told(&mut self, callback: &Self::Callback) -> Option<Vec<u8>>;
}
