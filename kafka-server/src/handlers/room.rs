use super::Context;
use crate::{
    error::ApiError,
    wire::{Encodable, ResponseError},
};
use std::sync::Arc;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::yield_now,
};

/// What an answer takes on the wire at the most. While it is made, it takes several times as much memory.
pub(crate) const ANSWER_BYTES_MAX: usize = 32 << 20;
/// What takes more is a large answer.
const LARGE_BYTES: usize = 1 << 20;
/// Large answers that are made at the same time; others wait.
pub(crate) const LARGE_ANSWERS_MAX: usize = 2;
/// What is made of an answer before the connection's worker looks at others.
const TURN_BYTES: usize = 64 << 10;
/// What a part takes at the least, in work.
const PART_BYTES_MIN: usize = 256;

/// The room that one answer has: a small request may ask for much, by naming what is large, or the same again and again.
///
/// Made part by part: each one is asked for by [`Room::next`] and counted by [`Room::add`].
pub(crate) struct Room {
    version: i16,
    /// Bytes of the parts so far.
    bytes: usize,
    /// Of these, since others had their turn.
    since_turn: usize,
    seats: Arc<Semaphore>,
    /// Held by a large answer.
    seat: Option<OwnedSemaphorePermit>,
}

impl Room {
    pub(crate) fn new(cx: &Context) -> Self {
        Room {
            version: cx.version(),
            bytes: 0,
            since_turn: 0,
            seats: cx.broker.large_answers.clone(),
            seat: None,
        }
    }

    /// Answers when the next part may be made, or that there is no room for it.
    pub(crate) async fn next(&mut self) -> Result<(), ApiError> {
        self.since_turn += PART_BYTES_MIN;
        if self.since_turn >= TURN_BYTES {
            self.since_turn = 0;
            yield_now().await;
        }
        if self.bytes > ANSWER_BYTES_MAX {
            let why = format!("The answer would be larger than {ANSWER_BYTES_MAX} bytes.");
            return Err(ApiError::new(ResponseError::InvalidRequest, why));
        }
        if self.bytes > LARGE_BYTES && self.seat.is_none() {
            self.seat = self.seats.clone().acquire_owned().await.ok();
        }
        Ok(())
    }

    /// Counts a part that was made.
    pub(crate) fn add(&mut self, part: &impl Encodable) {
        self.add_bytes(part.compute_size(self.version).unwrap_or(0));
    }

    /// Counts a part that takes so many bytes.
    pub(crate) fn add_bytes(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.since_turn += bytes;
    }
}

#[cfg(test)]
mod tests;
