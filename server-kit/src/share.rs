//! Memory that large requests of all connections hold together.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

type Acquire = Pin<Box<dyn Future<Output = Option<OwnedSemaphorePermit>> + Send>>;

/// What one connection holds of the bytes in flight for the request that it receives.
pub struct Share {
    in_flight: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
    /// Set while other connections hold all the bytes in flight.
    acquiring: Option<Acquire>,
}

impl Share {
    /// Nothing yet of the bytes that `in_flight` has as permits.
    pub fn new(in_flight: Arc<Semaphore>) -> Self {
        Share {
            in_flight,
            held: None,
            acquiring: None,
        }
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
    }

    /// What is held, to be dropped once the request is answered.
    pub fn take(&mut self) -> Option<OwnedSemaphorePermit> {
        self.held.take()
    }

    /// Ready once at least `bytes` are held; false where the server stops before.
    pub fn poll(&mut self, task: &mut Context<'_>, bytes: usize) -> Poll<bool> {
        if self.acquiring.is_none() && self.try_hold(bytes) {
            return Poll::Ready(true);
        }
        let more = self.missing(bytes);
        let acquiring = self.acquiring.get_or_insert_with(|| {
            let in_flight = self.in_flight.clone();
            Box::pin(async move { in_flight.acquire_many_owned(more).await.ok() })
        });
        let permit = ready!(acquiring.as_mut().poll(task));
        self.acquiring = None;
        let acquired = permit.is_some();
        self.merge(permit);
        Poll::Ready(acquired)
    }

    /// Holds `bytes` where they are there without waiting.
    pub fn try_hold(&mut self, bytes: usize) -> bool {
        let more = self.missing(bytes);
        if more > 0 {
            let permit = self.in_flight.clone().try_acquire_many_owned(more).ok();
            self.merge(permit);
        }
        self.missing(bytes) == 0
    }

    fn missing(&self, bytes: usize) -> u32 {
        u32::try_from(bytes.saturating_sub(self.bytes())).unwrap_or(u32::MAX)
    }

    fn merge(&mut self, permit: Option<OwnedSemaphorePermit>) {
        match (&mut self.held, permit) {
            (Some(held), Some(permit)) => held.merge(permit),
            (held, Some(permit)) => *held = Some(permit),
            (_, None) => {}
        }
    }
}

#[cfg(test)]
mod tests;
