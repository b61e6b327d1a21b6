//! What drivers decide, as pure state: what happens goes in, calls and callbacks come out.
//!
//! Knows: the rules of Mesos' drivers. Never: sockets, threads, time, chance, Java.

pub(crate) mod executor;
pub(crate) mod library;
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

/// What all kinds of drivers have in common.
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

    fn set_status(&mut self, status: Status);

    /// The callback that tells of an error.
    fn error(why: String) -> Self::Callback;

    fn runs(&self) -> bool {
        self.status() == Status::Running
    }

    /// Answers whether the driver is to be started now.
    fn start(&mut self) -> bool {
        let starts = self.status() == Status::NotStarted;
        if starts {
            self.set_status(Status::Running);
        }
        starts
    }

    /// Ends the driver, but not what it drives.
    fn abort(&mut self) -> Status {
        if self.runs() {
            self.set_status(Status::Aborted);
        }
        self.status()
    }

    /// Ends the driver for good. One that was aborted stays so in the answer.
    fn end(&mut self) -> Status {
        let was = self.status();
        if was != Status::NotStarted {
            self.set_status(Status::Stopped);
        }
        match was {
            Status::Running => Status::Stopped,
            was => was,
        }
    }

    /// There is a connection to the other end.
    fn connected(&mut self) -> Option<Self::Callback> {
        None
    }

    /// The call that opens a stream, once it is to be sent.
    fn subscribe(&self) -> Option<Vec<u8>>;

    /// One record of the stream that `server` sends.
    fn received(&mut self, record: &[u8], server: &str) -> Result<Received<Self::Callback>, DecodeError>;

    /// The stream ended.
    fn disconnected(&mut self) -> Option<Self::Callback>;

    /// So much time went by without a stream.
    fn waited(&mut self, _time: Duration) -> Option<Self::Callback> {
        None
    }

    /// The driver cannot go on.
    fn failed(&mut self, why: String) -> Option<Self::Callback> {
        let told = self.runs().then(|| Self::error(why));
        self.abort();
        told
    }

    /// The other end refuses the subscription, and not for now alone.
    fn subscription_refused(&mut self, why: Refusal) -> Option<Self::Callback> {
        self.failed(why.text)
    }

    /// The other end refuses another call.
    fn call_refused(&mut self, _call: &[u8], _why: Refusal) -> Option<Self::Callback> {
        None
    }

    /// The callback is done; what is to be sent now.
    fn told(&mut self, _callback: &Self::Callback) -> Option<Vec<u8>> {
        None
    }
}

/// Why the other end says no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The status of HTTP, such as `400 Bad Request`.
    pub(crate) status: String,
    pub(crate) text: String,
}
