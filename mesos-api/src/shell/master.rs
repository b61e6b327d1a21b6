use super::{INPUTS_MAX, Look, TICK, now, read};
use crate::{
    core::{
        link::{ToAgent, ToMaster},
        master::{Command, Effect, Input, Link, Master, Policy, Refused, Registered, StreamId},
    },
    state::Registry,
};
use mesos_proto::{
    masters::Address,
    v1::{
        MasterInfo,
        master::Event as Told,
        scheduler::{Call, Event},
    },
};
use server_kit::{Clock, Random};
use std::{collections::HashMap, sync::Arc};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::MissedTickBehavior,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Messages that may wait for an agent before the way to it is given up: it connects again.
const MESSAGES_MAX: usize = 16_384;
/// Operators that may watch at the same time, as the original has it.
const WATCHERS_MAX: usize = 1000;

/// What the master's task is asked for.
pub(super) enum Ask {
    Call {
        stream: Option<StreamId>,
        call: Box<Call>,
        answer: oneshot::Sender<Result<(), Refused>>,
    },
    Subscribe {
        stream: StreamId,
        call: Box<Call>,
        events: mpsc::Sender<Event>,
        answer: oneshot::Sender<Result<(), Refused>>,
    },
    Operator {
        command: Box<Command>,
        answer: oneshot::Sender<Result<(), Refused>>,
    },
    Watch {
        look: Look<Master>,
        events: mpsc::Sender<Told>,
    },
    Join {
        messages: mpsc::Sender<ToAgent>,
        answer: oneshot::Sender<Link>,
    },
    Agent {
        link: Link,
        message: ToMaster,
    },
    Unlinked(Link),
    Closed(StreamId),
    Read(Look<Master>),
}

/// Why a call had no effect.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The server stops, or this master no longer leads.
    #[error("The master is stopping")]
    Stopping,
    /// Another master leads, or none.
    #[error("No leader elected")]
    NotLeading,
}

/// Whether a master leads.
#[derive(Clone)]
pub(super) enum Standing {
    /// It does, and is asked here.
    Leads(mpsc::Sender<Ask>),
    /// Another one does, where that is known.
    Follows(Option<Address>),
}

/// The way to a master.
#[derive(Clone)]
pub(crate) struct MasterHandle {
    standing: watch::Receiver<Standing>,
    random: Arc<Random>,
    events_max: usize,
}

/// A framework's events. Dropping it tells the master.
pub(crate) struct Subscription {
    pub(crate) stream: StreamId,
    pub(crate) events: mpsc::Receiver<Event>,
    asks: mpsc::Sender<Ask>,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        // Where there is no room, the next tick notices.
        let _ = self.asks.try_send(Ask::Closed(self.stream.clone()));
    }
}

/// An agent's way to a master. Dropping it tells the master.
pub(crate) struct Joined {
    pub(crate) messages: mpsc::Receiver<ToAgent>,
    to: To,
}

/// Where what an agent says goes.
enum To {
    /// A master in this process, which knows the way by its number.
    Here(Link, mpsc::Sender<Ask>),
    /// A connection.
    There(mpsc::Sender<ToMaster>),
}

impl Joined {
    /// Passes on what the agent says, and answers whether the master takes it.
    pub(crate) fn say(&self, message: ToMaster) -> bool {
        match &self.to {
            To::Here(link, asks) => {
                let link = *link;
                asks.try_send(Ask::Agent { link, message }).is_ok()
            }
            To::There(connection) => connection.try_send(message).is_ok(),
        }
    }

    /// A way over a connection.
    pub(super) fn remote(connection: mpsc::Sender<ToMaster>, messages: mpsc::Receiver<ToAgent>) -> Self {
        let to = To::There(connection);
        Joined { messages, to }
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        if let To::Here(link, asks) = &self.to {
            // Where there is no room, the next tick notices.
            let _ = asks.try_send(Ask::Unlinked(*link));
        }
    }
}

/// What a master is started with.
pub(crate) struct MasterStart {
    pub(crate) info: MasterInfo,
    pub(crate) registry: Registry,
    pub(crate) registered: Registered,
    pub(crate) events_max: usize,
}

impl MasterHandle {
    pub(super) fn new(standing: watch::Receiver<Standing>, random: Arc<Random>, events_max: usize) -> Self {
        MasterHandle {
            standing,
            random,
            events_max,
        }
    }

    /// The master of a process that has none.
    pub(crate) fn none(random: Arc<Random>) -> Self {
        let (_, standing) = watch::channel(Standing::Follows(None));
        Self::new(standing, random, 1)
    }

    /// Starts a master that has no others beside it: it leads.
    pub(crate) fn start(
        start: MasterStart,
        clock: Arc<dyn Clock>,
        random: Arc<Random>,
        tasks: &TaskTracker,
        stop: CancellationToken,
    ) -> Self {
        let (asks, inbox) = mpsc::channel(INPUTS_MAX);
        let owner = Owner::new(start.info, start.registry, start.registered, clock);
        tasks.spawn(owner.run(inbox, stop));
        let (_, standing) = watch::channel(Standing::Leads(asks));
        Self::new(standing, random, start.events_max)
    }

    /// Where the leading master is, if this one does not lead.
    pub(crate) fn elsewhere(&self) -> Option<Option<Address>> {
        match &*self.standing.borrow() {
            Standing::Leads(_) => None,
            Standing::Follows(leader) => Some(leader.clone()),
        }
    }

    /// Answers when it may stand otherwise than when it was last looked at.
    pub(super) async fn moved(&mut self) {
        if self.standing.changed().await.is_err() {
            // It stands for good.
            std::future::pending::<()>().await;
        }
    }

    /// Looks how it stands now.
    pub(super) fn looked_at(&mut self) {
        self.standing.mark_unchanged();
    }

    fn asks(&self) -> Result<mpsc::Sender<Ask>, CallError> {
        match &*self.standing.borrow() {
            Standing::Leads(asks) => Ok(asks.clone()),
            Standing::Follows(_) => Err(CallError::NotLeading),
        }
    }

    /// Subscribes a scheduler.
    pub(crate) async fn subscribe(&self, call: Call) -> Result<Subscription, CallError> {
        let stream = self.random.uuid().to_string();
        let (events, received) = mpsc::channel(self.events_max);
        let (asks, call) = (self.asks()?, Box::new(call));
        let subscribe = |answer| Ask::Subscribe {
            stream: stream.clone(),
            call,
            events,
            answer,
        };
        ask(&asks, subscribe).await??;
        Ok(Subscription {
            stream,
            events: received,
            asks,
        })
    }

    /// Takes any other call.
    pub(crate) async fn call(&self, stream: Option<StreamId>, call: Call) -> Result<(), CallError> {
        let call = Box::new(call);
        let asks = self.asks()?;
        Ok(ask(&asks, |answer| Ask::Call { stream, call, answer }).await??)
    }

    /// Does what an operator wants.
    pub(crate) async fn operate(&self, command: Command) -> Result<(), CallError> {
        let command = Box::new(command);
        let asks = self.asks()?;
        Ok(ask(&asks, |answer| Ask::Operator { command, answer }).await??)
    }

    /// Answers what `look` sees of the master, and every change from then on.
    pub(crate) async fn watch<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Master) -> T + Send + 'static,
    ) -> Result<(T, mpsc::Receiver<Told>), CallError> {
        let (events, received) = mpsc::channel(self.events_max);
        let seen = read(&self.asks()?, |look| Ask::Watch { look, events }, look).await?;
        Ok((seen, received))
    }

    /// Answers what `look` sees of the master.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Master) -> T + Send + 'static,
    ) -> Result<T, CallError> {
        read(&self.asks()?, Ask::Read, look).await
    }

    /// Connects an agent, which says who it is next.
    pub(crate) async fn join(&self) -> Result<Joined, CallError> {
        let (messages, received) = mpsc::channel(MESSAGES_MAX);
        let asks = self.asks()?;
        let link = ask(&asks, |answer| Ask::Join { messages, answer }).await?;
        Ok(Joined {
            messages: received,
            to: To::Here(link, asks),
        })
    }
}

/// Asks a master, and answers what is answered.
async fn ask<T>(
    asks: &mpsc::Sender<Ask>,
    ask: impl FnOnce(oneshot::Sender<T>) -> Ask,
) -> Result<T, CallError> {
    let (answer, answered) = oneshot::channel();
    asks.send(ask(answer)).await.map_err(|_| CallError::Stopping)?;
    answered.await.map_err(|_| CallError::Stopping)
}

/// The time that a master leads. Dropping it ends it.
pub(super) struct Term {
    asks: mpsc::Sender<Ask>,
    stop: CancellationToken,
}

impl Term {
    pub(super) fn begin(owner: Owner, tasks: &TaskTracker, stop: &CancellationToken) -> Self {
        let (asks, inbox) = mpsc::channel(INPUTS_MAX);
        let stop = stop.child_token();
        tasks.spawn(owner.run(inbox, stop.clone()));
        Term { asks, stop }
    }

    /// The way to the master.
    pub(super) fn asks(&self) -> mpsc::Sender<Ask> {
        self.asks.clone()
    }

    /// Answers when the master gave up.
    pub(super) async fn over(&self) {
        self.asks.closed().await;
    }
}

impl Drop for Term {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The task that owns the core.
pub(super) struct Owner {
    core: Master,
    registry: Registry,
    clock: Arc<dyn Clock>,
    streams: HashMap<StreamId, mpsc::Sender<Event>>,
    agents: HashMap<Link, mpsc::Sender<ToAgent>>,
    watchers: Vec<mpsc::Sender<Told>>,
    next_link: Link,
}

/// The registry cannot be written: this master knows what nobody after it would.
struct Amnesia;

impl Owner {
    pub(super) fn new(
        info: MasterInfo,
        registry: Registry,
        registered: Registered,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Owner {
            core: Master::new(now(&*clock), info, Policy::default(), registered),
            registry,
            clock,
            streams: HashMap::new(),
            agents: HashMap::new(),
            watchers: Vec::new(),
            next_link: 0,
        }
    }

    async fn run(mut self, mut inbox: mpsc::Receiver<Ask>, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let asked = tokio::select! {
                // What is asked of a master that no longer leads is not done, and under load time goes by, too.
                biased;
                () = stop.cancelled() => return,
                _ = ticks.tick() => None,
                ask = inbox.recv() => match ask {
                    Some(ask) => Some(ask),
                    None => return,
                },
            };
            // A process that stood still hears of what it missed only after what it had received before.
            if !self.registry.is_held(self.clock.elapsed()) {
                tracing::warn!("another master may lead by now: this one does nothing more");
                return;
            }
            let done = match asked {
                Some(ask) => self.take(ask).await,
                None => self.tick().await,
            };
            if let Err(Amnesia) = done {
                return;
            }
        }
    }

    async fn take(&mut self, ask: Ask) -> Result<(), Amnesia> {
        match ask {
            Ask::Call { stream, call, answer } => {
                let done = self.step(Input::Call { stream, call }).await?;
                let _ = answer.send(done);
            }
            Ask::Subscribe {
                stream,
                call,
                events,
                answer,
            } => {
                self.streams.insert(stream.clone(), events);
                let input = Input::Subscribe {
                    stream: stream.clone(),
                    call,
                };
                let done = self.step(input).await?;
                if done.is_err() {
                    self.streams.remove(&stream);
                }
                let _ = answer.send(done);
            }
            Ask::Operator { command, answer } => {
                let done = self.step(Input::Operator(*command)).await?;
                let _ = answer.send(done);
            }
            Ask::Watch { look, events } => {
                look(&self.core);
                if self.watchers.len() < WATCHERS_MAX {
                    self.watchers.push(events);
                }
                let _ = self.step(Input::Watched(true)).await?;
            }
            Ask::Join { messages, answer } => {
                self.next_link += 1;
                self.agents.insert(self.next_link, messages);
                let _ = answer.send(self.next_link);
            }
            Ask::Agent { link, message } => {
                let _ = self.step(Input::Agent { link, message }).await?;
            }
            Ask::Unlinked(link) => self.unlinked(link).await?,
            Ask::Closed(stream) => self.closed(stream).await?,
            Ask::Read(look) => look(&self.core),
        }
        Ok(())
    }

    async fn tick(&mut self) -> Result<(), Amnesia> {
        let gone = self.streams.iter().filter(|(_, events)| events.is_closed());
        let gone: Vec<StreamId> = gone.map(|(stream, _)| stream.clone()).collect();
        for stream in gone {
            self.closed(stream).await?;
        }
        let gone = self.agents.iter().filter(|(_, messages)| messages.is_closed());
        let gone: Vec<Link> = gone.map(|(link, _)| *link).collect();
        for link in gone {
            self.unlinked(link).await?;
        }
        if !self.watchers.is_empty() {
            self.watchers.retain(|events| !events.is_closed());
            let watched = !self.watchers.is_empty();
            let _ = self.step(Input::Watched(watched)).await?;
        }
        let _ = self.step(Input::Tick).await?;
        Ok(())
    }

    async fn closed(&mut self, stream: StreamId) -> Result<(), Amnesia> {
        if self.streams.remove(&stream).is_some() {
            let _ = self.step(Input::Closed { stream }).await?;
        }
        Ok(())
    }

    async fn unlinked(&mut self, link: Link) -> Result<(), Amnesia> {
        if self.agents.remove(&link).is_some() {
            let _ = self.step(Input::Unlinked { link }).await?;
        }
        Ok(())
    }

    async fn step(&mut self, input: Input) -> Result<Result<(), Refused>, Amnesia> {
        match self.core.step(now(&*self.clock), input) {
            Ok(effects) => self.perform(effects).await.map(Ok),
            Err(refused) => Ok(Err(refused)),
        }
    }

    /// Does what the core wants, in order. What must be durable is so before anybody is told what follows from it.
    async fn perform(&mut self, mut effects: Vec<Effect>) -> Result<(), Amnesia> {
        while !effects.is_empty() {
            self.store(&effects).await?;
            let mut behind = Vec::new();
            for effect in effects {
                behind.extend(self.pass_on(effect));
            }
            effects = Vec::new();
            for input in behind {
                effects.extend(self.core.step(now(&*self.clock), input).unwrap_or_default());
            }
        }
        Ok(())
    }

    async fn store(&self, effects: &[Effect]) -> Result<(), Amnesia> {
        let changes = effects.iter().filter_map(|effect| match effect {
            Effect::Store(change) => Some(change.clone()),
            _ => None,
        });
        let changes: Vec<_> = changes.collect();
        if changes.is_empty() {
            return Ok(());
        }
        self.registry.store(&changes).await.map_err(|error| {
            tracing::error!(%error, "the registry cannot be written: the master stops");
            Amnesia
        })
    }

    /// Who does not take what is sent is disconnected, and comes back by itself.
    fn pass_on(&mut self, effect: Effect) -> Option<Input> {
        match effect {
            Effect::Store(_) => {}
            Effect::Event { stream, event } => {
                if self.streams.get(&stream)?.try_send(*event).is_err() {
                    self.streams.remove(&stream);
                    tracing::warn!(
                        stream,
                        "a framework does not read its events; its stream is closed"
                    );
                    return Some(Input::Closed { stream });
                }
            }
            Effect::Close { stream } => {
                self.streams.remove(&stream);
            }
            Effect::Agent { link, message } => {
                if self.agents.get(&link)?.try_send(message).is_err() {
                    self.agents.remove(&link);
                    tracing::warn!(link, "an agent does not take its messages; it is disconnected");
                    return Some(Input::Unlinked { link });
                }
            }
            Effect::Unlink { link } => {
                self.agents.remove(&link);
            }
            Effect::Told(event) => self
                .watchers
                .retain(|events| events.try_send((*event).clone()).is_ok()),
        }
        None
    }
}
