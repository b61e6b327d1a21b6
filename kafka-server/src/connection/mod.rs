//! One client connection: frames in, answers out in the order of the requests.
//!
//! Knows: framing, order, backpressure, when to give up on a peer. Never: what a request means.
//!
//! The connection is one hand-polled state machine without timers, locks or channels of its own: a small request
//! costs one read and one write. [`server_kit::Connections`] is the clock that looks at all connections from outside.

mod answers;
mod buffers;
mod door;
mod input;
mod output;

pub(crate) use buffers::Buffers;
pub(crate) use door::Entrance;

use crate::{error::Close, handlers::Session, metrics::Metrics};
use answers::Answers;
use input::Input;
use output::Output;
use server_kit::{Phase, Place, Stream, Told, Watched};
use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::sync::Semaphore;

/// Answers that wait to be written before no further request is started.
const OUTPUT_BYTES_MAX: usize = 1 << 20;

/// What a connection is given.
pub(crate) struct Parts {
    pub(crate) stream: Stream,
    pub(crate) session: Arc<Session>,
    pub(crate) metrics: Arc<Metrics>,
    /// Its seat among all connections.
    pub(crate) place: Place,
    /// Where large requests are received into.
    pub(crate) buffers: Arc<Buffers>,
    /// Bytes of large requests that all connections may hold together.
    pub(crate) in_flight: Arc<Semaphore>,
}

/// Serves a connection until the client leaves, breaks the protocol, or the server stops.
pub(crate) async fn serve(parts: Parts) {
    let peer = parts.session.peer;
    let limits = &parts.session.broker.config.limits;
    let mut connection = Connection {
        input: Input::new(limits.request_bytes_max, parts.buffers, parts.in_flight),
        stream: parts.stream,
        session: parts.session.clone(),
        watched: parts.place.watched().clone(),
        answers: Answers::default(),
        output: Output::default(),
        metrics: parts.metrics,
        number: 0,
        ending: None,
    };
    if let Err(why) = poll_fn(|task| connection.poll(task)).await {
        connection.metrics.traffic.broken.inc();
        tracing::debug!(%peer, %why, "connection closed");
    }
    // What was begun is finished, even when nobody is left to be told: handlers are not cut off half way.
    let Connection { stream, answers, .. } = connection;
    stream.close().await;
    answers.finish().await;
}

struct Connection {
    stream: Stream,
    session: Arc<Session>,
    watched: Arc<Watched>,
    input: Input,
    answers: Answers,
    output: Output,
    metrics: Arc<Metrics>,
    /// Requests so far.
    number: u64,
    /// Set where no further request is taken; what was taken is still answered.
    ending: Option<Result<(), Close>>,
}

impl Connection {
    /// Goes on as far as it goes. Ready once the connection is to be closed.
    fn poll(&mut self, task: &mut Context<'_>) -> Poll<Result<(), Close>> {
        self.watched.register(task.waker());
        loop {
            match self.watched.told() {
                Told::Nothing => {}
                Told::Drain => self.end(Ok(())),
                Told::Close => return Poll::Ready(Ok(())),
            }
            let mut moved = self
                .answers
                .poll(task, &self.session, &self.metrics, &mut self.output)?;
            moved |= self.start(task)?;
            moved |= self.write(task)?;
            moved |= self.read(task);
            if let Some(why) = self.ended() {
                return Poll::Ready(why);
            }
            if !moved {
                self.watched.sleeps(self.phase());
                return Poll::Pending;
            }
        }
    }

    /// Starts answers to the requests that are there, as long as there is room for them.
    fn start(&mut self, task: &mut Context<'_>) -> Result<bool, Close> {
        let mut moved = false;
        while self.ending.is_none() && self.answers.have_room() && self.unsent_bytes() < OUTPUT_BYTES_MAX {
            let frame = match self.input.next_frame() {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                Err(why) => {
                    self.end(Err(why));
                    break;
                }
            };
            moved = true;
            self.number += 1;
            let (session, number) = (&self.session, self.number);
            let begun = self
                .answers
                .begin(task, session, number, frame, &self.metrics, &mut self.output);
            if let Err(why) = begun {
                self.end(Err(why));
            }
        }
        Ok(moved)
    }

    /// Answers that are there and have not left, whether the peer or an earlier answer holds them back.
    fn unsent_bytes(&self) -> usize {
        self.output.bytes() + self.answers.done_bytes()
    }

    /// Writes what is ready. Called after as many requests as possible were started, so that answers share a write.
    fn write(&mut self, task: &mut Context<'_>) -> Result<bool, Close> {
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
                let why = if self.input.is_empty() {
                    Ok(())
                } else {
                    Err(input::cut_short())
                };
                self.end(why);
                true
            }
            Poll::Ready(Ok(bytes)) => {
                self.metrics.traffic.bytes_in.inc_by(bytes as u64);
                // Who sends on and on but takes no answer is no less stuck.
                if self.output.is_empty() {
                    self.watched.touch();
                }
                true
            }
            Poll::Ready(Err(why)) => {
                self.end(Err(why));
                true
            }
            Poll::Pending => {
                if self.watched.is_quiet() {
                    self.input.release();
                }
                false
            }
        }
    }

    fn end(&mut self, why: Result<(), Close>) {
        if self.ending.is_none() {
            self.ending = Some(why);
            self.answers.drop_waiting();
        }
    }

    /// Why the connection is over, once all that was taken is answered.
    fn ended(&mut self) -> Option<Result<(), Close>> {
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

#[cfg(test)]
mod tests;
