//! The task that owns the core.

use super::{calls::Calls, messages};
use crate::{
    config::Config,
    core::{Command, Core, Input, Policy, Refused, Step},
    state::Store,
};
use mesos_client::{Framework, Happened, Master};
use mesos_proto::v1::{FrameworkId, FrameworkInfo, framework_info::Capability, framework_info::capability};
use server_kit::Clock;
use std::{sync::Arc, time::Duration};
use storage::StorageError;
use tokio::{
    sync::{mpsc, oneshot},
    time::sleep,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Asks that may wait for the owner.
const ASKS_MAX: usize = 1024;
/// How often the core is told at least that time went by: the machine's clock may have been set.
const TICK_MS: i64 = 1000;
/// How long nothing is tried after storage has failed.
const STORAGE_PAUSE: Duration = Duration::from_secs(1);
/// How long it stays away from a master that does not want it.
const REFUSED_PAUSE: Duration = Duration::from_secs(5);

/// A look at the core, which its task lets others have.
type Look = Box<dyn FnOnce(&Core) + Send>;

enum Ask {
    Command {
        command: Box<Command>,
        answer: oneshot::Sender<Result<(), Refused>>,
    },
    Look(Look),
}

/// The server stops, or what was asked for cannot be stored.
#[derive(Debug, thiserror::Error)]
#[error("the scheduler does not answer: it stops, or its storage has failed")]
pub(crate) struct Closed;

/// The way to the owner.
#[derive(Clone)]
pub(crate) struct Handle(mpsc::Sender<Ask>);

impl Handle {
    /// Does what a client wants. It is stored once this answers well.
    pub(crate) async fn command(&self, command: Command) -> Result<Result<(), Refused>, Closed> {
        let (answer, answered) = oneshot::channel();
        let command = Box::new(command);
        let ask = Ask::Command { command, answer };
        self.0.send(ask).await.map_err(|_| Closed)?;
        answered.await.map_err(|_| Closed)
    }

    /// Answers what `look` sees of the core.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Core) -> T + Send + 'static,
    ) -> Result<T, Closed> {
        let (answer, answered) = oneshot::channel();
        let look: Look = Box::new(move |core| {
            // Who asked may have left.
            let _ = answer.send(look(core));
        });
        self.0.send(Ask::Look(look)).await.map_err(|_| Closed)?;
        answered.await.map_err(|_| Closed)
    }
}

/// What the owner is started with.
pub(crate) struct Start {
    pub(crate) config: Config,
    pub(crate) store: Store,
    pub(crate) master: Master,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) stop: CancellationToken,
}

impl Start {
    /// Starts it: it goes on from what is stored, and subscribes.
    pub(crate) async fn start(self, tasks: &TaskTracker) -> Result<Handle, StorageError> {
        let core = load(&self.store, &self.config, self.clock.now_ms()).await?;
        let (asks, inbox) = mpsc::channel(ASKS_MAX);
        let stop = self.stop.clone();
        let owner = Owner { start: self, core };
        tasks.spawn(async move {
            let running = owner.run(inbox);
            stop.run_until_cancelled(running).await;
        });
        Ok(Handle(asks))
    }
}

async fn load(store: &Store, config: &Config, now: i64) -> Result<Core, StorageError> {
    let left = store.load().await?;
    let policy = Policy {
        failure_retry_ms: i64::try_from(config.defaults.failure_retry.as_millis()).unwrap_or(i64::MAX),
        disable_after_failures: config.defaults.disable_after_failures,
        jobs_max: config.limits.jobs_max,
    };
    Ok(Core::new(now, policy, left.framework, left.jobs, left.runs))
}

struct Owner {
    start: Start,
    core: Core,
}

/// What a master says of a framework that it has forgotten for good, with all of its tasks.
const FORGOTTEN: &str = "removed";

/// Why a subscription is over.
enum Over {
    /// The master does not want the framework, and perhaps never will.
    Refused { for_good: bool },
    /// Storage has failed: what the core knows is perhaps not what is stored.
    Unstored,
    /// Nobody is left who could ask.
    Unheard,
}

impl Owner {
    async fn run(mut self, mut inbox: mpsc::Receiver<Ask>) {
        loop {
            let subscription = CancellationToken::new();
            // It ends with this task, which the stop may end anywhere.
            let _ended = subscription.clone().drop_guard();
            let info = framework_info(&self.start.config, self.core.framework());
            let (framework, happened) =
                Framework::start(self.start.master.clone(), info, subscription.clone());
            let calls = Calls::start(framework, subscription);
            let over = self.follow(&mut inbox, happened, &calls).await;
            match over {
                Over::Unheard => return,
                Over::Refused { for_good } => {
                    let input = if for_good {
                        Input::Banished
                    } else {
                        Input::Disconnected
                    };
                    if self.decide(input, &calls).await.is_err() {
                        self.reload().await;
                    }
                    self.answer_for(REFUSED_PAUSE, &mut inbox, &calls).await;
                }
                Over::Unstored => self.reload().await,
            }
        }
    }

    /// Begins again from what is stored, as after a crash.
    async fn reload(&mut self) {
        loop {
            sleep(STORAGE_PAUSE).await;
            match load(&self.start.store, &self.start.config, self.start.clock.now_ms()).await {
                Ok(core) => {
                    self.core = core;
                    return;
                }
                Err(error) => tracing::error!(%error, "jobs cannot be read"),
            }
        }
    }

    /// Clients are answered while the master is left alone.
    async fn answer_for(&mut self, pause: Duration, inbox: &mut mpsc::Receiver<Ask>, calls: &Calls) {
        let over = sleep(pause);
        tokio::pin!(over);
        loop {
            tokio::select! {
                () = &mut over => return,
                Some(ask) = inbox.recv() => {
                    if self.ask(ask, calls).await.is_err() {
                        self.reload().await;
                    }
                }
            }
        }
    }

    async fn follow(
        &mut self,
        inbox: &mut mpsc::Receiver<Ask>,
        mut happened: mpsc::Receiver<Happened>,
        calls: &Calls,
    ) -> Over {
        loop {
            let now = self.start.clock.now_ms();
            let wake = self.core.wake(now).unwrap_or(i64::MAX);
            let wait = wake.saturating_sub(now).clamp(1, TICK_MS);
            let wait = Duration::from_millis(u64::try_from(wait).unwrap_or(1));
            let stored = tokio::select! {
                ask = inbox.recv() => match ask {
                    Some(ask) => self.ask(ask, calls).await,
                    None => return Over::Unheard,
                },
                one = happened.recv() => match one {
                    Some(Happened::Refused(why)) => {
                        let for_good = why.contains(FORGOTTEN);
                        return Over::Refused { for_good };
                    }
                    Some(one) => self.happened(one, calls).await,
                    None => return Over::Refused { for_good: false },
                },
                () = sleep(wait) => self.decide(Input::Tick, calls).await,
            };
            if stored.is_err() {
                return Over::Unstored;
            }
        }
    }

    async fn ask(&mut self, ask: Ask, calls: &Calls) -> Result<(), StorageError> {
        match ask {
            Ask::Look(look) => look(&self.core),
            Ask::Command { command, answer } => {
                let answered = self.step(Input::Command(command), calls).await?;
                // Who asked may have left.
                let _ = answer.send(answered);
            }
        }
        Ok(())
    }

    async fn happened(&mut self, happened: Happened, calls: &Calls) -> Result<(), StorageError> {
        match happened {
            Happened::Subscribed { framework_id, .. } => {
                let framework = framework_id.value;
                tracing::info!(framework, "jobs run on Mesos");
                self.decide(Input::Subscribed { framework }, calls).await?;
            }
            Happened::Disconnected => {
                self.decide(Input::Disconnected, calls).await?;
            }
            Happened::Event(event) => {
                for input in messages::inputs(event) {
                    self.decide(input, calls).await?;
                }
            }
            Happened::Refused(_) => {}
        }
        Ok(())
    }

    /// Decides of an input that nobody waits for.
    async fn decide(&mut self, input: Input, calls: &Calls) -> Result<(), StorageError> {
        // Only commands are refused.
        let _answer = self.step(input, calls).await?;
        Ok(())
    }

    /// Decides, stores, and only then does what follows.
    async fn step(&mut self, input: Input, calls: &Calls) -> Result<Result<(), Refused>, StorageError> {
        let now = self.start.clock.now_ms();
        let Step {
            changes,
            effects,
            answer,
        } = self.core.step(now, input);
        if !changes.is_empty()
            && let Err(error) = self.start.store.store(&changes).await
        {
            tracing::error!(%error, "what was decided of jobs cannot be stored");
            return Err(error);
        }
        for effect in effects {
            calls.say(messages::call(effect));
        }
        Ok(answer)
    }
}

fn framework_info(config: &Config, id: Option<&str>) -> FrameworkInfo {
    let can = |kind: capability::Type| Capability {
        r#type: Some(kind as i32),
    };
    FrameworkInfo {
        user: config.user.clone(),
        name: config.framework_name.clone(),
        id: id.map(|id| FrameworkId { value: id.to_owned() }),
        failover_timeout: Some(config.failover_timeout.as_secs_f64()),
        checkpoint: Some(true),
        capabilities: vec![
            can(capability::Type::PartitionAware),
            can(capability::Type::GpuResources),
        ],
        ..FrameworkInfo::default()
    }
}
