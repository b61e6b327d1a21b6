//! The threads that may wait for a disk, so that no caller has to: a few for group commits, for openings, for chores.

use parking_lot::{Condvar, Mutex};
use std::{
    collections::VecDeque,
    sync::Arc,
    thread::{self, JoinHandle},
};
use storage::{Result, StorageError};
use tokio::sync::{mpsc, oneshot};

/// Logs synced at the same time: the journal commits what they wait for together.
const SYNC_THREADS: usize = 4;
const STACK_BYTES: usize = 512 << 10;
/// Logs opened, and chores done, at the same time: on a disk they share what waiting for it costs.
const CHORE_THREADS: usize = 4;
/// Chores waiting at the most; who brings more waits.
const CHORES_MAX: usize = 256;

/// A thread with a small stack.
pub(crate) fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    thread::Builder::new()
        .name(name.to_owned())
        .stack_size(STACK_BYTES)
        .spawn(run)
}

/// Something whose writes can be brought to stable storage. It tells those who wait by itself.
pub(crate) trait Syncable: Send + Sync {
    fn sync_now(&self);
}

/// Who asked for a sync. Each asks once until its turn comes, so the queue is as long as there are logs at the most.
/// All that is appended while one sync runs shares the next.
pub(crate) struct SyncQueue {
    state: Arc<SyncState>,
}

#[derive(Default)]
struct SyncState {
    queue: Mutex<Queue>,
    arrived: Condvar,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Arc<dyn Syncable>>,
    closed: bool,
}

impl SyncQueue {
    pub(crate) fn start() -> std::io::Result<Self> {
        let state = Arc::new(SyncState::default());
        for _ in 0..SYNC_THREADS {
            let thread = state.clone();
            spawn("storage-sync", move || thread.run())?;
        }
        Ok(SyncQueue { state })
    }

    pub(crate) fn push(&self, waiting: Arc<dyn Syncable>) {
        self.state.queue.lock().waiting.push_back(waiting);
        self.state.arrived.notify_one();
    }
}

impl Drop for SyncQueue {
    fn drop(&mut self) {
        self.state.queue.lock().closed = true;
        self.state.arrived.notify_all();
    }
}

impl SyncState {
    fn run(&self) {
        loop {
            let next = {
                let mut queue = self.queue.lock();
                loop {
                    if let Some(next) = queue.waiting.pop_front() {
                        break next;
                    }
                    if queue.closed {
                        return;
                    }
                    self.arrived.wait(&mut queue);
                }
            };
            next.sync_now();
        }
    }
}

type Chore = Box<dyn FnOnce() + Send>;

/// Work that is rare and slow, begun in the order it came, a few at a time.
pub(crate) struct Chores {
    sender: mpsc::Sender<Chore>,
}

impl Chores {
    pub(crate) fn start(name: &str) -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::channel::<Chore>(CHORES_MAX);
        let receiver = Arc::new(Mutex::new(receiver));
        for _ in 0..CHORE_THREADS {
            let receiver = receiver.clone();
            spawn(name, move || {
                loop {
                    let next = receiver.lock().blocking_recv();
                    let Some(chore) = next else { return };
                    chore();
                }
            })?;
        }
        Ok(Chores { sender })
    }

    /// Answers what `job` answers, once its turn has come.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> impl Future<Output = Result<T>> + Send + 'static {
        let sender = self.sender.clone();
        async move {
            let (answer, answered) = oneshot::channel();
            let chore: Chore = Box::new(move || {
                let _ = answer.send(job());
            });
            sender.send(chore).await.map_err(|_| stopped())?;
            answered.await.map_err(|_| stopped())?
        }
    }

    /// Has `job` done some time; `false` where too many are waiting.
    pub(crate) fn offer(&self, job: impl FnOnce() + Send + 'static) -> bool {
        self.sender.try_send(Box::new(job)).is_ok()
    }
}

fn stopped() -> StorageError {
    StorageError::Engine("the threads for chores have stopped".to_owned())
}
