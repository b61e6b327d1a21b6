//! The task that owns the agent's core: it hands it inputs, and does what it wants done.
//!
//! Rooms: `containers` (those that the agent's API asks for). Knows: files, processes, who is subscribed. Never: what a
//! message means.

mod containers;

pub(crate) use containers::ContainerError;

use super::{
    Collection, INPUTS_MAX, Isolation, Look, TICK,
    fetch::Cache,
    keep::Keep,
    master::CallError,
    now,
    nursery::Nursery,
    probe::Prober,
    process::{self, Found, LaunchError, Place, Process},
    read,
    record::Record,
    waits::Waits,
    way::{News, Way, Whereabouts},
};
use crate::config::Upkeep;
use crate::core::agent::{Agent, Effect, Input, Probe, Refused, Run, Share, Signal, StreamId};
use mesos_proto::v1::{
    AgentInfo, Resource,
    executor::{Call, Event},
};
use server_kit::{Clock, Random};
use std::{collections::HashMap, io, net::SocketAddr, path::PathBuf, sync::Arc};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
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
    /// Whatever needs more than a look.
    Does(Box<dyn FnOnce(&mut Owner) + Send>),
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
    /// The program that those are who watch over containers.
    pub(crate) supervisor: PathBuf,
    pub(crate) upkeep: Upkeep,
    pub(crate) isolation: Isolation,
}

/// The way to an agent.
#[derive(Clone)]
pub(crate) struct AgentHandle {
    asks: mpsc::Sender<Ask>,
    random: Arc<Random>,
    events_max: usize,
    pub(crate) work_dir: PathBuf,
    /// What keeps its containers to themselves, and counts what they use.
    pub(crate) isolation: Arc<Isolation>,
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
    /// The agent of a process that has none.
    pub(crate) fn none(random: Arc<Random>) -> Self {
        let (asks, _) = mpsc::channel(1);
        AgentHandle {
            asks,
            random,
            events_max: 1,
            work_dir: PathBuf::new(),
            isolation: Arc::default(),
        }
    }

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
            isolation: Arc::new(start.isolation),
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
        core.restore(now(&*clock), keep.executors()?, keep.asked()?, operations);
        let place = Arc::new(Place {
            cache: Cache::new(&start.work_dir),
            work_dir: start.work_dir,
            isolation: handle.isolation.clone(),
            endpoint: start.endpoint,
            nursery: Nursery::new(start.supervisor),
            max_stdout_size: start.upkeep.max_stdout_size,
            max_stderr_size: start.upkeep.max_stderr_size,
        });
        let owner = Owner {
            core,
            configured,
            keep,
            collection: start.upkeep.collection,
            collecting: None,
            prober: Prober::new(place.clone()),
            place,
            probes: HashMap::new(),
            waits: Waits::default(),
            launching: HashMap::new(),
            stop: stop.clone(),
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
    collection: Collection,
    /// The last look for old sandboxes, which may still go on.
    collecting: Option<JoinHandle<()>>,
    prober: Prober,
    /// What ends the looks at a container.
    probes: HashMap<String, CancellationToken>,
    waits: Waits,
    /// What cancels those that have not begun.
    launching: HashMap<String, CancellationToken>,
    stop: CancellationToken,
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
        let mut collects = tokio::time::interval(self.collection.disk_watch_interval.max(TICK));
        collects.set_missed_tick_behavior(MissedTickBehavior::Delay);
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
                _ = collects.tick() => self.collect(),
                _ = ticks.tick() => drop(self.step(Input::Tick)),
            }
        }
    }

    fn take(&mut self, ask: Ask) {
        match ask {
            Ask::Input(input) => {
                let over = match &input {
                    Input::Exited { container, .. } | Input::Lost { container } => {
                        Some(self.record(container))
                    }
                    _ => None,
                };
                match &input {
                    Input::Closed { stream } => drop(self.streams.remove(stream)),
                    Input::Started { container, .. } | Input::Failed { container, .. } => {
                        self.launching.remove(container);
                    }
                    _ => {}
                }
                let kept = self.step(input);
                // By now it is kept by the agent itself, unless it could not.
                if let Some(record) = over.filter(|_| kept) {
                    record.remove();
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
            Ask::Does(does) => does(self),
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
                Effect::KeepAsked { container } => {
                    let kept = self.core.kept_asked(&container);
                    all_kept &= kept_or_said(self.keep.keep_asked(&container, kept));
                }
                Effect::KeepAgent => {
                    let operations = self.core.operations.values().cloned().collect();
                    let kept = self
                        .keep
                        .keep_agent(&self.configured, &self.core.info, operations);
                    all_kept &= kept_or_said(kept);
                }
                Effect::Event { stream, event } => {
                    let events = self.streams.get(&stream);
                    if events.is_some_and(|events| events.try_send(*event).is_err()) {
                        behind.push(stream);
                    }
                }
                other => self.perform_one(other),
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

    /// Removes what is left of executors that ended, beside everything else.
    fn collect(&mut self) {
        if self.collecting.as_ref().is_some_and(|one| !one.is_finished()) {
            return;
        }
        let open = self.core.executors.values();
        let in_use = open
            .map(|one| PathBuf::from(one.sandbox(self.core.id())))
            .collect();
        let (rules, work_dir, now) = (
            self.collection,
            self.place.work_dir.clone(),
            now(&*self.clock).wall,
        );
        let collecting = self
            .tasks
            .spawn_blocking(move || match rules.collect(&work_dir, &in_use, now) {
                Ok(0) => {}
                Ok(removed) => tracing::info!(removed, "old sandboxes are removed"),
                Err(error) => tracing::warn!(%error, "the disk cannot be looked at"),
            });
        self.collecting = Some(collecting);
    }

    fn sandbox_ended(&self, sandbox: &str) {
        let (place, sandbox, now) = (self.place.clone(), sandbox.to_owned(), now(&*self.clock).wall);
        self.tasks.spawn_blocking(move || {
            if let Err(error) = super::collect::ended(&place.work_dir, &sandbox, now) {
                tracing::debug!(sandbox, %error, "when a sandbox was left cannot be noted");
            }
        });
    }

    /// What is written of a container's process.
    fn record(&self, container: &str) -> Record {
        match self.core.asked.get(container) {
            Some(asked) => self.keep.record_of_asked(asked),
            None => self.keep.record(container),
        }
    }

    /// Does what needs nobody's answer.
    fn perform_one(&mut self, effect: Effect) {
        match effect {
            Effect::Master(message) => self.way.say(message),
            Effect::Launch(run) if run.session => {
                let (place, asks) = (self.place.clone(), self.asks.clone());
                let opened = containers::open(*run, place, asks, self.stop.clone());
                self.tasks.spawn(opened);
            }
            Effect::Launch(run) => {
                let record = self.record(&run.container);
                let stop = CancellationToken::new();
                self.launching.insert(run.container.clone(), stop.clone());
                let launched = launch(*run, self.place.clone(), record, self.asks.clone(), stop);
                self.tasks.spawn(launched);
            }
            Effect::Cancel { container } => {
                let launching = self.launching.get(&container);
                launching.into_iter().for_each(CancellationToken::cancel);
            }
            Effect::Signal { pid, signal } => process::signal(pid, signal),
            Effect::Limit { container, share } => self.limit(&container, &share),
            Effect::Ended { sandbox } => self.sandbox_ended(&sandbox),
            Effect::Begun { container, failed } => self.waits.begun(&container, failed),
            Effect::Over { container, end } => self.waits.over(&container, &end),
            Effect::RemoveSandbox { sandbox } => self.remove_sandbox(&sandbox),
            Effect::Probe(probe) => self.probe(*probe),
            Effect::EndProbes { container } => {
                let probes = self.probes.remove(&container);
                probes.into_iter().for_each(|stop| stop.cancel());
            }
            Effect::Close { stream } => drop(self.streams.remove(&stream)),
            // These are done where what becomes of them counts.
            Effect::Keep { .. } | Effect::KeepAsked { .. } | Effect::KeepAgent | Effect::Event { .. } => {}
        }
    }

    fn limit(&self, container: &str, share: &Share) {
        let cgroups = &self.place.isolation.cgroups;
        if !cgroups.there(container).is_none()
            && let Err(error) = cgroups.limit(container, share)
        {
            tracing::warn!(container, %error, "a container cannot be kept to what it may use");
        }
    }

    /// Takes a look at a task when its time has come, unless nobody wants to know by then.
    fn probe(&mut self, probe: Probe) {
        let stop = self.probes.entry(probe.container.clone());
        let stop = stop.or_insert_with(|| self.stop.child_token()).clone();
        let (prober, asks) = (self.prober.clone(), self.asks.clone());
        self.tasks.spawn(async move {
            let (container, which) = (probe.container.clone(), probe.which);
            let waited = stop.run_until_cancelled(tokio::time::sleep(probe.after)).await;
            if waited.is_none() {
                return;
            }
            let found = prober.look(probe, &stop).await;
            let found = Input::Probed {
                container,
                which,
                found,
            };
            let _ = stop.run_until_cancelled(asks.send(Ask::Input(found))).await;
        });
    }

    /// Learns what became of the processes that an earlier run of the agent left.
    fn find_again(&self) {
        let own = self.core.processes().map(|(_, container, _)| container);
        let asked = self.core.asked_processes().map(|(container, _)| container);
        for container in own.chain(asked) {
            let (container, asks) = (container.to_owned(), self.asks.clone());
            let record = self.record(&container);
            let group = self.place.isolation.cgroups.there(&container);
            self.tasks.spawn(async move {
                let found = tokio::task::spawn_blocking(move || process::find(&record, group)).await;
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
            if let Some(pid) = process.alive().filter(|_| !outlives) {
                process::signal(pid, Signal::Kill);
            }
        }
        self.place.isolation.cgroups.leave();
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
async fn launch(
    run: Run,
    place: Arc<Place>,
    record: Record,
    asks: mpsc::Sender<Ask>,
    stop: CancellationToken,
) {
    let container = run.container.clone();
    let cancelled = stop.clone();
    let mut starts = tokio::task::spawn_blocking(move || process::start(&run, &place, &record, &stop));
    let started = tokio::select! {
        biased;
        started = &mut starts => started,
        () = cancelled.cancelled() => {
            // A server that it is fetched from may let it wait for hours.
            let why = LaunchError::Killed.to_string();
            let _ = asks.send(Ask::Input(Input::Failed { container, why })).await;
            if let Ok(Ok(process)) = starts.await {
                process::signal(process.pid(), Signal::Kill);
                process.ended().await;
            }
            return;
        }
    };
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
