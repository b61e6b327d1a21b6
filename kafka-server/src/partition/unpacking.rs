use crate::{
    error::ApiError,
    wire::{ResponseError, records::Budget},
};
use std::sync::Arc;
use tokio::{sync::Semaphore, task::spawn_blocking};

/// What one request's batches are unpacked to on the worker that serves its connection, and others beside it.
const HERE_BYTES_MAX: usize = 128 << 10;
/// What one request's batches may grow to together.
const REQUEST_BYTES_MAX: usize = 256 << 20;

/// The threads on which large batches are unpacked: some of the processors, so that the network has the others.
#[derive(Debug, Clone)]
pub(crate) struct UnpackingThreads(Arc<Semaphore>);

impl Default for UnpackingThreads {
    fn default() -> Self {
        UnpackingThreads(Arc::new(Semaphore::new(server_kit::half_of_processors())))
    }
}

/// What one request may still unpack, and where. Little is unpacked where it is asked for. What turns out to be more is
/// begun again on a thread of its own; who comes next waits for that thread and not for the network's.
pub(crate) struct Unpacking<'a> {
    threads: &'a UnpackingThreads,
    here: usize,
    left: usize,
}

impl<'a> Unpacking<'a> {
    pub(crate) fn new(threads: &'a UnpackingThreads) -> Self {
        Unpacking {
            threads,
            here: HERE_BYTES_MAX,
            left: REQUEST_BYTES_MAX,
        }
    }

    /// What may be unpacked on this thread.
    pub(crate) fn here(&self) -> Budget {
        Budget::new(self.here)
    }

    /// Counts what was unpacked here. Whether it is to be done again, elsewhere: it was too much here only.
    pub(crate) fn is_too_much(&mut self, here: &Budget) -> bool {
        self.here -= here.spent();
        self.left -= here.spent().min(self.left);
        here.is_exceeded() && self.left > 0
    }

    /// Does `work` on a thread for it.
    pub(crate) async fn elsewhere<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Budget) -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let _thread = self.threads.0.acquire().await;
        let mut budget = Budget::new(self.left);
        let done = spawn_blocking(move || (work(&mut budget), budget.spent())).await;
        let (done, spent) = done.map_err(|_| ResponseError::UnknownServerError)?;
        self.left -= spent;
        Ok(done)
    }
}

#[cfg(test)]
mod tests;
