use super::{
    INPUTS_MAX, Look, TICK,
    fetch::Cache,
    keep::Keep,
    master::CallError,
    now,
    process::{self, Found, Place, Process},
    read,
    record::Record,
    way::{News, Way, Whereabouts},
};
use crate::core::agent::{Agent, Effect, Input, Refused, Run, Signal, StreamId};
use mesos_proto::v1::{
    AgentInfo, Resource,
    executor::{Call, Event},
};
use server_kit::{Clock, Random};
use std::{collections::HashMap, io, net::SocketAddr, path::PathBuf, sync::Arc};
use tokio::{
    sync::{mpsc, oneshot},
    time::MissedTickBehavior,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

enum Ask {
    Input(Input),
    Call {
        call: Box<Call>,
        /// Where events go, for one that subscribes.
        events: Option<(StreamId, mpsc::Sender<Event>)>,
        answer: oneshot::Sender<Result<(), Refused>>,
    },
    Read(Look<Agent>),
}

/// Why an executor's call had no effect.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExecutorError {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("The agent is stopping")]
    Stopping,
}

/// What an agent is started with.
#[derive(Debug)]
pub(crate) struct AgentStart {
    pub(crate) info: AgentInfo,
    pub(crate) work_dir: PathBuf,
    pub(crate) endpoint: SocketAddr,
    /// Events that an executor may be behind before its stream is closed.
    pub(crate) events_max: usize,
    /// The program that watches over each container.
    pub(crate) supervisor: PathBuf,
}

/// The way to an agent.
#[derive(Clone)]
pub(crate) struct AgentHandle {
    asks: mpsc::Sender<Ask>,
    random: Arc<Random>,
    events_max: usize,
    pub(crate) work_dir: PathBuf,
}

/// An executor's events. Dropping it tells the agent.
pub(crate) struct Attached {
    stream: StreamId,
    pub(crate) events: mpsc::Receiver<Event>,
    asks: mpsc::Sender<Ask>,
}

impl Drop for Attached {
    fn drop(&mut self) {
        let stream = self.stream.clone();
        // Where there is no room, sending to it fails, which tells the same.
        let _ = self.asks.try_send(Ask::Input(Input::Closed { stream }));
    }
}

impl AgentHandle {
    /// Starts an agent, which takes back what an earlier run of it left, and registers with the master.
    pub(crate) fn start(
        start: AgentStart,
        master: Whereabouts,
        clock: Arc<dyn Clock>,
        random: Arc<Random>,
        tasks: &TaskTracker,
        stop: CancellationToken,
    ) -> io::Result<Self> {
        let (asks, inbox) = mpsc::channel(INPUTS_MAX);
        let handle = AgentHandle {
            asks: asks.clone(),
            random: random.clone(),
            events_max: start.events_max,
            work_dir: start.work_dir.clone(),
        };
        let keep = Keep::open(&start.work_dir)?;
        let (mut info, configured) = (start.info.clone(), start.info.resources);
        let mut operations = Vec::new();
        if let Some((before, open)) = keep.agent(&configured)? {
            info.id = before.id;
            info.resources = before.resources;
            operations = open;
        }
        let mut core = Agent::new(info);
        core.restore(now(&*clock), keep.executors()?, operations);
        let owner = Owner {
            core,
            configured,
            keep,
            place: Arc::new(Place {
                cache: Cache::new(&start.work_dir),
                work_dir: start.work_dir,
                endpoint: start.endpoint,
                supervisor: start.supervisor,
            }),
            way: Way::to(master),
            clock,
            random,
            asks,
            streams: HashMap::new(),
            tasks: tasks.clone(),
        };
        tasks.spawn(owner.run(inbox, stop));
        Ok(handle)
    }

    /// Subscribes an executor.
    pub(crate) async fn subscribe(&self, call: Call) -> Result<Attached, ExecutorError> {
        let stream = self.random.uuid().to_string();
        let (events, received) = mpsc::channel(self.events_max);
        self.ask(call, Some((stream.clone(), events))).await?;
        Ok(Attached {
            stream,
            events: received,
            asks: self.asks.clone(),
        })
    }

    /// Takes any other call of an executor.
    pub(crate) async fn call(&self, call: Call) -> Result<(), ExecutorError> {
        self.ask(call, None).await
    }

    async fn ask(
        &self,
        call: Call,
        events: Option<(StreamId, mpsc::Sender<Event>)>,
    ) -> Result<(), ExecutorError> {
        let (answer, answered) = oneshot::channel();
        let call = Box::new(call);
        let ask = Ask::Call { call, events, answer };
        self.asks.send(ask).await.map_err(|_| ExecutorError::Stopping)?;
        Ok(answered.await.map_err(|_| ExecutorError::Stopping)??)
    }

    /// Answers what `look` sees of the agent.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Agent) -> T + Send + 'static,
    ) -> Result<T, CallError> {
        read(&self.asks, Ask::Read, look).await
    }
}

/// The task that owns the core.
struct Owner {
    core: Agent,
    /// What it was told to offer.
    configured: Vec<Resource>,
    keep: Keep,
    place: Arc<Place>,
    way: Way,
    clock: Arc<dyn Clock>,
    random: Arc<Random>,
    asks: mpsc::Sender<Ask>,
    streams: HashMap<StreamId, mpsc::Sender<Event>>,
    tasks: TaskTracker,
}

impl Owner {
    async fn run(mut self, mut inbox: mpsc::Receiver<Ask>, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.find_again();
        loop {
            tokio::select! {
                () = stop.cancelled() => return self.end(),
                news = self.way.next() => match news {
                    News::Connected => drop(self.step(Input::Connected)),
                    News::Message(message) => drop(self.step(Input::Master(message))),
                    News::Lost => tracing::debug!("the way to the master is lost"),
                },
                ask = inbox.recv() => match ask {
                    Some(ask) => self.take(ask),
                    None => return,
                },
                _ = ticks.tick() => drop(self.step(Input::Tick)),
            }
        }
    }

    fn take(&mut self, ask: Ask) {
        match ask {
            Ask::Input(input) => {
                let over = match &input {
                    Input::Exited { container, .. } | Input::Lost { container } => Some(container.clone()),
                    _ => None,
                };
                if let Input::Closed { stream } = &input {
                    self.streams.remove(stream);
                }
                let kept = self.step(input);
                // By now it is kept by the agent itself, unless it could not.
                if let Some(container) = over.filter(|_| kept) {
                    self.keep.record(&container).remove();
                }
            }
            Ask::Call { call, events, answer } => {
                let stream = events.as_ref().map(|(stream, _)| stream.clone());
                self.streams.extend(events);
                let random = self.random.clone();
                let (now, mut uuid) = (now(&*self.clock), || random.uuid());
                let done = match self.core.call(now, stream.clone(), *call, &mut uuid) {
                    Ok(effects) => {
                        self.perform(effects);
                        Ok(())
                    }
                    Err(refused) => {
                        stream.and_then(|stream| self.streams.remove(&stream));
                        Err(refused)
                    }
                };
                let _ = answer.send(done);
            }
            Ask::Read(look) => look(&self.core),
        }
    }

    /// Takes one input, and answers whether what was to be kept was.
    fn step(&mut self, input: Input) -> bool {
        let random = self.random.clone();
        let (now, mut uuid) = (now(&*self.clock), || random.uuid());
        let effects = self.core.step(now, input, &mut uuid);
        self.perform(effects)
    }

    /// Does what is wanted, and answers whether what was to be kept was.
    fn perform(&mut self, effects: Vec<Effect>) -> bool {
        let (mut all_kept, mut behind) = (true, Vec::new());
        for effect in effects {
            match effect {
                Effect::Keep { container } => {
                    let kept = self.core.kept(&container);
                    all_kept &= kept_or_said(self.keep.keep(&container, kept));
                }
                Effect::KeepAgent => {
                    let operations = self.core.operations.values().cloned().collect();
                    let kept = self
                        .keep
                        .keep_agent(&self.configured, &self.core.info, operations);
                    all_kept &= kept_or_said(kept);
                }
                Effect::Master(message) => self.way.say(message),
                Effect::Launch(run) => {
                    let record = self.keep.record(&run.container);
                    let launched = launch(*run, self.place.clone(), record, self.asks.clone());
                    self.tasks.spawn(launched);
                }
                Effect::Signal { pid, signal } => process::signal(pid, signal),
                Effect::Event { stream, event } => {
                    let events = self.streams.get(&stream);
                    if events.is_some_and(|events| events.try_send(*event).is_err()) {
                        behind.push(stream);
                    }
                }
                Effect::Close { stream } => {
                    self.streams.remove(&stream);
                }
            }
        }
        // Who does not read is disconnected, and comes back by subscribing again.
        for stream in behind {
            if self.streams.remove(&stream).is_some() {
                tracing::warn!(
                    stream,
                    "an executor does not read its events; its stream is closed"
                );
                all_kept &= self.step(Input::Closed { stream });
            }
        }
        all_kept
    }

    /// Learns what became of the processes that an earlier run of the agent left.
    fn find_again(&self) {
        for (_, container, _) in self.core.processes() {
            let (container, asks) = (container.to_owned(), self.asks.clone());
            let record = self.keep.record(&container);
            self.tasks.spawn(async move {
                let found = tokio::task::spawn_blocking(move || process::find(&record)).await;
                match found {
                    Ok(Ok(Found::Runs(process))) => watch(container, process, asks).await,
                    Ok(Ok(Found::Ended(ended))) => {
                        let _ = asks.send(Ask::Input(Input::Exited { container, ended })).await;
                    }
                    Ok(Ok(Found::Lost)) => {
                        let _ = asks.send(Ask::Input(Input::Lost { container })).await;
                    }
                    Ok(Err(error)) => tracing::error!(container, %error, "cannot learn what became of it"),
                    // The runtime stops.
                    Err(_) => {}
                }
            });
        }
    }

    /// Tasks of frameworks that ask for checkpoints outlive the agent. Of others nobody would expect it.
    fn end(&self) {
        for (executor, _, process) in self.core.processes() {
            let framework = self.core.frameworks.get(&executor.framework);
            let outlives = framework.is_some_and(|one| one.info.checkpoint());
            if let Some(pid) = process.pid.filter(|_| !outlives) {
                process::signal(pid, Signal::Kill);
            }
        }
    }
}

/// What cannot be kept is lost if the agent is; it goes on.
fn kept_or_said(kept: io::Result<()>) -> bool {
    if let Err(error) = &kept {
        tracing::error!(%error, "the agent cannot keep what it knows");
    }
    kept.is_ok()
}

/// Runs a container from its start to its end.
async fn launch(run: Run, place: Arc<Place>, record: Record, asks: mpsc::Sender<Ask>) {
    let container = run.container.clone();
    let started = tokio::task::spawn_blocking(move || process::start(&run, &place, &record)).await;
    match started {
        Ok(Ok(process)) => watch(container, process, asks).await,
        Ok(Err(error)) => {
            let why = error.to_string();
            let _ = asks.send(Ask::Input(Input::Failed { container, why })).await;
        }
        // The runtime stops.
        Err(_) => {}
    }
}

async fn watch(container: String, process: Process, asks: mpsc::Sender<Ask>) {
    let started = Input::Started {
        container: container.clone(),
        pid: process.pid(),
    };
    let _ = asks.send(Ask::Input(started)).await;
    let input = match process.ended().await {
        Some(ended) => Input::Exited { container, ended },
        None => Input::Lost { container },
    };
    let _ = asks.send(Ask::Input(input)).await;
}
