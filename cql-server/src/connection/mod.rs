//! One client connection: requests in, answers out in whatever order they are ready.
//!
//! Knows: framing, streams, backpressure, when to give up on a peer. Never: what a request means.
//!
//! The connection is one hand-polled state machine without timers or locks of its own: a small request costs one read
//! and one write. A request that is not answered at once goes on as a task of its own, so that a slow one holds up
//! nobody. [`server_kit::Connections`] is the clock that looks at all connections from outside.

mod answers;
mod events;
mod input;
mod output;

pub(crate) use input::Framing;

use crate::{
    handlers::{Client, Done, Then},
    metrics::Metrics,
    wire::{
        envelope::{Envelope, Refused},
        version::Version,
    },
};
use answers::{Answers, Look, Measure};
use events::Events;
use input::{Incoming, Input};
use output::Output;
use server_kit::{Phase, Place, Stream, Told, Watched};
use std::{
    future::poll_fn,
    io,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

/// Answers that wait to be written before no further request is started.
pub(crate) const OUTPUT_BYTES_MAX: usize = 1 << 20;
/// Requests that are started before what is ready is written, and others have their turn.
const STARTED_MAX: usize = 128;
/// As so many counts a request that is not answered at once: it may have taken all the time it was given.
const UNANSWERED_COST: usize = 16;

/// Why a connection was closed by this side.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Closed {
    /// The socket failed, or the peer left within a request.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The peer was told why.
    #[error("{0}")]
    Refused(crate::error::CqlError),
}

/// What a connection is given.
pub(crate) struct Parts {
    pub(crate) stream: Stream,
    pub(crate) client: Arc<Client>,
    pub(crate) metrics: Arc<Metrics>,
    /// Its seat among all connections.
    pub(crate) place: Place,
    /// Bytes of large requests that all connections may hold together.
    pub(crate) in_flight: Arc<Semaphore>,
    /// Where requests go on that are not answered at once.
    pub(crate) tasks: TaskTracker,
}

/// Serves a connection until the client leaves, breaks the protocol, or the server stops. Requests that go on as tasks
/// are finished even when nobody is left to be told.
pub(crate) async fn serve(parts: Parts) {
    let limits = &parts.client.service.config.limits;
    let name = u32::from(parts.client.session.peer.port());
    let measure = Measure {
        metrics: parts.metrics.clone(),
        clock: parts.client.service.clock.clone(),
    };
    let mut connection = Connection {
        input: Input::new(limits.request_bytes_max, parts.in_flight, name),
        stream: parts.stream,
        answers: Answers::new(limits.requests_in_flight_max, measure, parts.tasks),
        output: Output::new(),
        events: Events::default(),
        watched: parts.place.watched().clone(),
        client: parts.client,
        metrics: parts.metrics,
        ending: None,
    };
    if let Err(why) = poll_fn(|task| connection.poll(task)).await {
        connection.metrics.traffic.broken.inc();
        tracing::debug!(peer = %connection.client.session.peer, %why, "connection closed");
    }
    connection.client.session.leave();
    connection.stream.close().await;
}

struct Connection {
    stream: Stream,
    client: Arc<Client>,
    watched: Arc<Watched>,
    input: Input,
    answers: Answers,
    events: Events,
    output: Output,
    metrics: Arc<Metrics>,
    /// Set where no further request is taken; what was taken is still answered.
    ending: Option<Result<(), Closed>>,
}

impl Connection {
    /// Goes on as far as it goes. Ready once the connection is to be closed.
    fn poll(&mut self, task: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        self.watched.register(task.waker());
        loop {
            match self.watched.told() {
                Told::Nothing => {}
                Told::Drain => self.end(Ok(())),
                Told::Close => return Poll::Ready(Ok(())),
            }
            let mut moved = self.finish(task);
            moved |= self.tell_events(task);
            let started = self.start();
            moved |= started > 0;
            moved |= self.write(task)?;
            moved |= self.read(task);
            if let Some(why) = self.ended() {
                return Poll::Ready(why);
            }
            if !moved {
                self.watched.sleeps(self.phase());
                return Poll::Pending;
            }
            if started >= STARTED_MAX {
                task.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
    }

    /// Takes the answers of requests that went on as tasks.
    fn finish(&mut self, task: &mut Context<'_>) -> bool {
        let mut moved = false;
        while self.output.bytes() < OUTPUT_BYTES_MAX
            && let Poll::Ready(Some(done)) = self.answers.poll_next(task)
        {
            moved = true;
            match done {
                Some(done) => self.leave(done),
                // A task that panicked: its request has no answer, so its client must not wait for one.
                None => self.end(Err(io::Error::other("a request failed").into())),
            }
        }
        moved
    }

    /// Tells what the client registered for.
    fn tell_events(&mut self, task: &mut Context<'_>) -> bool {
        let mut moved = false;
        while self.output.bytes() < OUTPUT_BYTES_MAX {
            let Some(envelope) = self.events.poll(task, &self.client) else {
                break;
            };
            self.output.push(envelope);
            moved = true;
        }
        moved
    }

    /// Starts answers to the requests that are there, as long as there is room for them. Answers how much that was.
    fn start(&mut self) -> usize {
        let mut started = 0;
        while self.ending.is_none()
            && started < STARTED_MAX
            && self.answers.have_room()
            && self.output.bytes() < OUTPUT_BYTES_MAX
        {
            match self.input.next() {
                Some(Incoming::Request(taken)) => match self.answers.begin(&self.client, taken) {
                    Look::Done(done) => self.leave(done),
                    Look::GaveWay => {}
                    Look::Waits => started += UNANSWERED_COST - 1,
                },
                Some(Incoming::Refused(refused)) => self.output.push(told(&refused)),
                Some(Incoming::Broken(refused)) => {
                    self.output.push(told(&refused));
                    self.end(Err(Closed::Refused(refused.error)));
                }
                None => break,
            }
            started += 1;
        }
        while let Some(done) = self.answers.next_that_gave_way() {
            self.leave(done);
        }
        started
    }

    /// Sends an answer, and does what comes with it.
    fn leave(&mut self, done: Done) {
        self.output.push(done.envelope);
        match done.then {
            Then::Nothing => {}
            Then::Start(version, framing) => {
                self.input.start(version, framing);
                self.output.start(framing);
            }
            Then::Close(error) => self.end(Err(Closed::Refused(error))),
        }
    }

    /// Writes what is ready. Called after as many requests as possible were started, so that answers share a write.
    fn write(&mut self, task: &mut Context<'_>) -> Result<bool, Closed> {
        match self.output.poll(task, &mut self.stream)? {
            Poll::Ready(0) | Poll::Pending => Ok(false),
            Poll::Ready(bytes) => {
                self.metrics.traffic.bytes_out.inc_by(bytes as u64);
                self.watched.touch();
                Ok(true)
            }
        }
    }

    /// Reads ahead of what is being answered, so that a peer that leaves is noticed.
    fn read(&mut self, task: &mut Context<'_>) -> bool {
        if self.ending.is_some() || !self.input.wants_more() {
            return false;
        }
        match self.input.poll_read(task, &mut self.stream) {
            Poll::Ready(Ok(0)) => {
                let why = match self.input.is_empty() {
                    true => Ok(()),
                    false => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                };
                self.client.session.leave();
                self.end(why);
                true
            }
            Poll::Ready(Ok(bytes)) => {
                self.metrics.traffic.bytes_in.inc_by(bytes as u64);
                self.watched.touch();
                true
            }
            Poll::Ready(Err(why)) => {
                self.end(Err(why.into()));
                true
            }
            Poll::Pending => {
                if self.watched.is_quiet() {
                    self.input.release();
                    self.answers.release();
                    self.output.release();
                }
                false
            }
        }
    }

    fn end(&mut self, why: Result<(), Closed>) {
        self.ending.get_or_insert(why);
    }

    /// Why the connection is over, once all that was taken is answered.
    fn ended(&mut self) -> Option<Result<(), Closed>> {
        let over = self.ending.is_some() && self.answers.is_empty() && self.output.is_empty();
        self.ending.take_if(|_| over)
    }

    fn phase(&self) -> Phase {
        if !self.output.is_empty() {
            Phase::Writing
        } else if !self.answers.is_empty() {
            Phase::Answering
        } else if !self.input.is_empty() {
            Phase::Receiving
        } else if self.input.holds_buffer() {
            Phase::Busy
        } else {
            Phase::Idle
        }
    }
}

/// The answer to what was not taken.
fn told(refused: &Refused) -> Envelope {
    let version = Version::of(refused.version).unwrap_or(Version::CURRENT);
    let message = refused.error.message(version);
    Envelope {
        version: refused.version,
        ..message.into_envelope(version, refused.stream)
    }
}

#[cfg(test)]
mod tests;
