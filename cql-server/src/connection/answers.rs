//! Requests under way.

use super::input::Taken;
use crate::{
    handlers::{self, Answer, Client, Done, Operation},
    metrics::Metrics,
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use server_kit::Clock;
use std::{
    collections::VecDeque,
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};
use tokio::{sync::OwnedSemaphorePermit, task::JoinHandle};
use tokio_util::task::TaskTracker;

/// Requests that were not answered at once.
pub(super) struct Answers {
    /// Those that only let the others of this turn go first.
    gave_way: VecDeque<Begun>,
    /// The others, each a task.
    waiting: FuturesUnordered<JoinHandle<Done>>,
    waiting_max: usize,
    /// Whether the last request must be answered before the next is looked at.
    alone: bool,
    /// Whether a request asked to go on while it was looked at.
    asked: Arc<Asked>,
    waker: Waker,
    measure: Measure,
    tasks: TaskTracker,
}

/// What it takes to measure how long an answer takes.
#[derive(Clone)]
pub(super) struct Measure {
    pub(super) metrics: Arc<Metrics>,
    pub(super) clock: Arc<dyn Clock>,
}

/// A request that was begun.
struct Begun {
    operation: &'static Operation,
    answer: Answer,
    since: Duration,
    /// Its share of the bytes in flight.
    _permit: Option<OwnedSemaphorePermit>,
}

/// What became of a request that was looked at.
pub(super) enum Look {
    Done(Done),
    /// It lets others go first, and is looked at again when the turn ends.
    GaveWay,
    /// It goes on as a task.
    Waits,
}

/// Notes that somebody was woken.
#[derive(Default)]
struct Asked(AtomicBool);

impl Wake for Asked {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Begun {
    fn poll(&mut self, task: &mut Context<'_>, measure: &Measure) -> Poll<Done> {
        let done = self.answer.as_mut().poll(task);
        if done.is_ready() {
            let took = measure.clock.elapsed().saturating_sub(self.since);
            measure.metrics.operation(self.operation).answered(took);
        }
        done
    }
}

impl Answers {
    pub(super) fn new(waiting_max: usize, measure: Measure, tasks: TaskTracker) -> Self {
        let asked = Arc::<Asked>::default();
        Answers {
            gave_way: VecDeque::new(),
            waiting: FuturesUnordered::new(),
            waiting_max,
            alone: false,
            waker: asked.clone().into(),
            asked,
            measure,
            tasks,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether the next request may be looked at.
    pub(super) fn have_room(&self) -> bool {
        self.waiting.len() + self.gave_way.len() < self.waiting_max && !self.alone
    }

    /// Starts the answer to a request.
    ///
    /// It is not the connection that is woken by it: what asks to go on while it is looked at is looked at again when the
    /// turn ends, and anything else goes on as a task, which has a waker of its own.
    pub(super) fn begin(&mut self, client: &Arc<Client>, taken: Taken) -> Look {
        let since = self.measure.clock.elapsed();
        let (operation, answer) = handlers::dispatch(client, taken.request);
        let mut begun = Begun {
            operation,
            answer,
            since,
            _permit: taken.permit,
        };
        self.asked.0.store(false, Ordering::Relaxed);
        if let Poll::Ready(done) = begun.poll(&mut Context::from_waker(&self.waker), &self.measure) {
            return Look::Done(done);
        }
        if self.asked.0.load(Ordering::Relaxed) && !operation.is_alone() {
            self.gave_way.push_back(begun);
            return Look::GaveWay;
        }
        self.go_on(begun);
        Look::Waits
    }

    /// Looks again at what gave way: the next answer that is there.
    pub(super) fn next_that_gave_way(&mut self) -> Option<Done> {
        while let Some(mut begun) = self.gave_way.pop_front() {
            match begun.poll(&mut Context::from_waker(&self.waker), &self.measure) {
                Poll::Ready(done) => return Some(done),
                Poll::Pending => self.go_on(begun),
            }
        }
        None
    }

    /// Gives memory back that only a busy connection needs.
    pub(super) fn release(&mut self) {
        self.gave_way.shrink_to_fit();
    }

    /// Lets a request go on as a task.
    fn go_on(&mut self, mut begun: Begun) {
        self.alone |= begun.operation.is_alone();
        let measure = self.measure.clone();
        let answer = async move { poll_fn(|task| begun.poll(task, &measure)).await };
        self.waiting.push(self.tasks.spawn(answer));
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
