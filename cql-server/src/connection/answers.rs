//! Requests under way.

use super::input::Taken;
use crate::{
    handlers::{self, Client, Done, Operation},
    metrics::Metrics,
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use std::{
    sync::Arc,
    task::{Context, Poll},
};
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

/// Requests that were not answered at once, each a task.
pub(super) struct Answers {
    waiting: FuturesUnordered<JoinHandle<Done>>,
    waiting_max: usize,
    /// Whether the last request must be answered before the next is looked at.
    alone: bool,
    tasks: TaskTracker,
}

impl Answers {
    pub(super) fn new(waiting_max: usize, tasks: TaskTracker) -> Self {
        Answers {
            waiting: FuturesUnordered::new(),
            waiting_max,
            alone: false,
            tasks,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether the next request may be looked at.
    pub(super) fn have_room(&self) -> bool {
        self.waiting.len() < self.waiting_max && !self.alone
    }

    /// Starts the answer to a request, and gives it where it is there at once.
    pub(super) fn begin(
        &mut self,
        task: &mut Context<'_>,
        client: &Arc<Client>,
        taken: Taken,
        metrics: &Arc<Metrics>,
    ) -> Option<Done> {
        let clock = client.service.clock.clone();
        let since = clock.elapsed();
        let permit = taken.permit;
        let (operation, mut answer) = handlers::dispatch(client, taken.request);
        if let Poll::Ready(done) = answer.as_mut().poll(task) {
            metrics
                .operation(operation)
                .answered(clock.elapsed().saturating_sub(since));
            return Some(done);
        }
        self.alone = operation.is_alone();
        let metrics = metrics.clone();
        self.waiting.push(self.tasks.spawn(async move {
            let done = answer.await;
            metrics
                .operation(operation)
                .answered(clock.elapsed().saturating_sub(since));
            drop(permit);
            done
        }));
        None
    }

    /// The next answer that is ready; `None` inside where its task failed.
    pub(super) fn poll_next(&mut self, task: &mut Context<'_>) -> Poll<Option<Option<Done>>> {
        let next = self
            .waiting
            .poll_next_unpin(task)
            .map(|next| next.map(Result::ok));
        if next.is_ready() {
            self.alone = false;
        }
        next
    }
}

impl Operation {
    /// Whether what follows it depends on its answer: who is not let in yet may ask nothing else.
    fn is_alone(&self) -> bool {
        use crate::wire::opcode::Opcode;
        matches!(self.opcode, Opcode::Startup | Opcode::AuthResponse)
    }
}
