//! The task that owns the core: it hands it inputs one at a time, and does what it wants done.
//!
//! Knows: channels, timers, the framework's subscription. Never: routes, or what a message means.

use crate::{
    core::{Change, Command, Core, Done, Effect, Input, Now, Refused, time::Timestamp},
    state::Store,
    wire::events::Sent,
};
use mesos_client::{Framework, Happened, Master};
use mesos_proto::v1::{FrameworkInfo, scheduler::Call};
use server_kit::{Clock, Random};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{broadcast, mpsc, oneshot},
    time::MissedTickBehavior,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How often the core is told that time went by.
const TICK: Duration = Duration::from_millis(100);
/// Requests that may wait for the core.
const ASKS_MAX: usize = 1024;
/// Calls that may wait for Mesos. Those beyond are not made: reconciliation finds what is missing.
const CALLS_MAX: usize = 16_384;
/// Events that are taken before what follows from them is stored and said.
const EVENTS_AT_ONCE_MAX: usize = 256;

/// Events that a watcher may be behind before it is left.
const WATCHED_MAX: usize = 4096;

type Look = Box<dyn FnOnce(&Core, Now) + Send>;

/// What the owner of the core is asked for.
enum Ask {
    Look(Look),
    Change {
        command: Box<Command>,
        answer: oneshot::Sender<Result<Done, Refused>>,
    },
}

/// The way to the core.
#[derive(Clone)]
pub(crate) struct Handle {
    asks: mpsc::Sender<Ask>,
    events: broadcast::Sender<Arc<Sent>>,
}

impl Handle {
    /// Answers what `look` sees; nothing when the server stops.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Core, Now) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        let look = Box::new(move |core: &Core, now: Now| {
            let _ = answer.send(look(core, now));
        });
        self.asks.send(Ask::Look(look)).await.ok()?;
        answered.await.ok()
    }

    /// What happens from now on.
    pub(crate) fn watch(&self) -> broadcast::Receiver<Arc<Sent>> {
        self.events.subscribe()
    }

    /// Tells those who watch.
    pub(crate) fn announce(&self, sent: Sent) {
        // Nobody need watch.
        let _ = self.events.send(Arc::new(sent));
    }

    /// Changes what is, and answers once that is durable; nothing when the server stops.
    pub(crate) async fn change(&self, command: Command) -> Option<Result<Done, Refused>> {
        let (answer, answered) = oneshot::channel();
        let command = Box::new(command);
        self.asks.send(Ask::Change { command, answer }).await.ok()?;
        answered.await.ok()
    }
}

/// What the owner works with.
pub(crate) struct Owner {
    pub(crate) core: Core,
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<Random>,
}

/// The way to Mesos. It is taken once there is an app: who has nothing to run is no framework.
pub(crate) struct Way {
    pub(crate) master: Master,
    pub(crate) info: FrameworkInfo,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
}

/// What is heard from Mesos, and said to it.
struct Talk {
    happened: mpsc::Receiver<Happened>,
    calls: mpsc::Sender<Call>,
}

impl Way {
    fn take(&self) -> Talk {
        let (framework, happened) =
            Framework::start(self.master.clone(), self.info.clone(), self.stop.clone());
        let (calls, outbox) = mpsc::channel(CALLS_MAX);
        self.tasks.spawn(speak(framework, outbox));
        Talk { happened, calls }
    }
}

/// What must be kept cannot be: this process knows what nobody after it would.
struct Amnesia;

pub(crate) fn now(clock: &dyn Clock) -> Now {
    Now {
        wall: Timestamp(clock.now_ms()),
        elapsed: clock.elapsed(),
    }
}

impl Owner {
    /// Starts the task that owns the core.
    pub(crate) fn start(self, way: Way) -> Handle {
        let (asks, inbox) = mpsc::channel(ASKS_MAX);
        let (events, _) = broadcast::channel(WATCHED_MAX);
        let handle = Handle { asks, events };
        let told = handle.events.clone();
        let (tasks, stop) = (way.tasks.clone(), way.stop.clone());
        tasks.spawn(async move {
            let _ = stop.run_until_cancelled(self.run(inbox, way, told)).await;
        });
        handle
    }

    async fn run(
        mut self,
        mut inbox: mpsc::Receiver<Ask>,
        way: Way,
        told: broadcast::Sender<Arc<Sent>>,
    ) -> Result<(), Amnesia> {
        let mut talk: Option<Talk> = None;
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut events = Vec::new();
        loop {
            if talk.is_none() && self.core.is_needed() {
                talk = Some(way.take());
            }
            tokio::select! {
                _ = ticks.tick() => {
                    self.step(vec![Input::Tick], talk.as_ref(), &told).await?;
                }
                () = hear(talk.as_mut(), &mut events) => {
                    let inputs = events.drain(..).filter_map(input).collect();
                    self.step(inputs, talk.as_ref(), &told).await?;
                }
                ask = inbox.recv() => match ask {
                    None => return Ok(()),
                    Some(Ask::Look(look)) => look(&self.core, now(&*self.clock)),
                    Some(Ask::Change { command, answer }) => {
                        let done = self.step(vec![Input::Command(command)], talk.as_ref(), &told).await?;
                        if let Some(done) = done {
                            let _ = answer.send(done);
                        }
                    }
                },
            }
        }
    }

    /// Takes inputs, stores what must be kept, then says what follows, and answers what came of the last.
    async fn step(
        &mut self,
        inputs: Vec<Input>,
        talk: Option<&Talk>,
        watchers: &broadcast::Sender<Arc<Sent>>,
    ) -> Result<Option<Result<Done, Refused>>, Amnesia> {
        let (mut changes, mut said, mut told, mut last) = (Vec::new(), Vec::new(), Vec::new(), None);
        for input in inputs {
            let (done, effects) = self.core.step(now(&*self.clock), &self.random, input);
            last = Some(done);
            for effect in effects {
                match effect {
                    Effect::Store(change) => changes.push(change),
                    Effect::Call(call) => said.push(*call),
                    Effect::Tell(event) => told.push(event),
                }
            }
        }
        self.keep(&changes).await?;
        if watchers.receiver_count() > 0 {
            let at = Timestamp(self.clock.now_ms());
            for event in told {
                let _ = watchers.send(Arc::new(Sent::of(&event, at)));
            }
        }
        for call in said {
            if talk.is_none_or(|talk| talk.calls.try_send(call).is_err()) {
                tracing::warn!("the master does not take the framework's calls; some are not made");
            }
        }
        Ok(last)
    }

    async fn keep(&self, changes: &[Change]) -> Result<(), Amnesia> {
        if changes.is_empty() {
            return Ok(());
        }
        self.store.store(changes).await.map_err(|error| {
            tracing::error!(%error, "what Marathon must keep cannot be kept: it stops");
            Amnesia
        })
    }
}

/// Waits for what happens. Once nothing more can, this lasts.
async fn hear(talk: Option<&mut Talk>, events: &mut Vec<Happened>) {
    if let Some(talk) = talk
        && talk.happened.recv_many(events, EVENTS_AT_ONCE_MAX).await > 0
    {
        return;
    }
    std::future::pending().await
}

fn input(happened: Happened) -> Option<Input> {
    match happened {
        Happened::Subscribed { framework_id, .. } => Some(Input::Subscribed {
            framework_id: framework_id.value,
        }),
        Happened::Event(event) => Some(Input::Event(Box::new(event))),
        Happened::Disconnected => Some(Input::Disconnected),
        Happened::Refused(why) => {
            tracing::error!(why, "the master refuses Marathon");
            Some(Input::Disconnected)
        }
    }
}

/// Makes calls one after the other. What does not arrive ends the subscription, and the next one finds what is missing.
async fn speak(framework: Framework, mut outbox: mpsc::Receiver<Call>) {
    while let Some(call) = outbox.recv().await {
        if let Err(error) = framework.call(call).await {
            tracing::debug!(%error, "a call did not arrive");
        }
    }
}
