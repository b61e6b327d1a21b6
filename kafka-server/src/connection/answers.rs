//! Answers under way, in the order of their requests.

use super::{input::Frame, output::Output};
use crate::{
    error::Close,
    handlers::{self, Answer, Api, Reply, Session},
    metrics::Metrics,
};
use std::{
    collections::VecDeque,
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::sync::OwnedSemaphorePermit;

/// Requests of one connection that may await their answers.
const PIPELINED_MAX: usize = 64;

enum State {
    Waiting(Answer),
    Done(Reply),
}

struct Slot {
    api: &'static Api,
    version: i16,
    /// When its request was taken.
    since: Duration,
    state: State,
    /// Its share of the bytes in flight.
    _permit: Option<OwnedSemaphorePermit>,
}

/// Invariant: answers leave in the order of their requests, and a request is looked at only once the ones before it
/// have taken their place in the order.
#[derive(Default)]
pub(super) struct Answers {
    slots: VecDeque<Slot>,
    /// The request whose place in the order is not taken yet; always the last one.
    unordered: Option<u64>,
    /// Bytes of the answers that are done and wait for those before them.
    done_bytes: usize,
}

impl Answers {
    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Whether the next request may be looked at.
    pub(super) fn have_room(&self) -> bool {
        self.unordered.is_none() && self.slots.len() < PIPELINED_MAX
    }

    /// Bytes of answers that are held back by others.
    pub(super) fn done_bytes(&self) -> usize {
        self.done_bytes
    }

    /// Starts the answer to `frame`.
    pub(super) fn begin(
        &mut self,
        task: &mut Context<'_>,
        session: &Arc<Session>,
        number: u64,
        frame: Frame,
        metrics: &Metrics,
        output: &mut Output,
    ) -> Result<(), Close> {
        let since = session.broker.clock.elapsed();
        let started = handlers::dispatch(session, number, frame.bytes)?;
        let (api, version, mut answer) = (started.api, started.version, started.answer);
        let state = match answer.as_mut().poll(task) {
            Poll::Ready(reply) => {
                let reply = reply.inspect_err(|_| metrics.api(api).failed())?;
                metrics
                    .api(api)
                    .answered(version, session.broker.clock.elapsed().saturating_sub(since));
                if self.slots.is_empty() {
                    leave(reply, output);
                    return Ok(());
                }
                self.done_bytes += reply.bytes();
                State::Done(reply)
            }
            Poll::Pending => {
                if !session.is_ordered(number) {
                    self.unordered = Some(number);
                }
                State::Waiting(answer)
            }
        };
        self.slots.push_back(Slot {
            api,
            version,
            since,
            state,
            _permit: frame.permit,
        });
        Ok(())
    }

    /// Goes on with every answer. Whether any left, or a place was taken.
    pub(super) fn poll(
        &mut self,
        task: &mut Context<'_>,
        session: &Session,
        metrics: &Metrics,
        output: &mut Output,
    ) -> Result<bool, Close> {
        let mut moved = false;
        for slot in &mut self.slots {
            let State::Waiting(answer) = &mut slot.state else {
                continue;
            };
            let Poll::Ready(reply) = answer.as_mut().poll(task) else {
                continue;
            };
            slot.state = State::Done(Reply::Nothing);
            let reply = reply.inspect_err(|_| metrics.api(slot.api).failed())?;
            metrics.api(slot.api).answered(
                slot.version,
                session.broker.clock.elapsed().saturating_sub(slot.since),
            );
            self.done_bytes += reply.bytes();
            slot.state = State::Done(reply);
        }
        let last_is_done = self
            .slots
            .back()
            .is_none_or(|slot| matches!(slot.state, State::Done(_)));
        if let Some(number) = self.unordered
            && (last_is_done || session.is_ordered(number))
        {
            self.unordered = None;
            moved = true;
        }
        while let Some(slot) = self.slots.pop_front() {
            match slot.state {
                State::Done(reply) => {
                    self.done_bytes -= reply.bytes();
                    leave(reply, output);
                }
                State::Waiting(_) => {
                    self.slots.push_front(slot);
                    break;
                }
            }
            moved = true;
        }
        Ok(moved)
    }

    /// Drops the last answer where it only waits for something to happen, and nobody is left to be told.
    pub(super) fn drop_waiting(&mut self) {
        let only_waits = self.slots.back().is_some_and(|slot| slot.api.only_waits());
        if self.unordered.is_some() && only_waits {
            self.unordered = None;
            self.slots.pop_back();
        }
    }

    /// Ends what was begun; the answers are for nobody.
    pub(super) async fn finish(mut self) {
        self.drop_waiting();
        for slot in self.slots {
            if let State::Waiting(mut answer) = slot.state {
                let _ = poll_fn(|task| answer.as_mut().poll(task)).await;
            }
        }
    }
}

fn leave(reply: Reply, output: &mut Output) {
    if let Reply::Frame(slices) = reply {
        slices.into_iter().for_each(|slice| output.push(slice));
    }
}
