use super::{INPUTS_MAX, Look, TICK, now, read};
use crate::{
    core::{
        link::{ToAgent, ToMaster},
        master::{Command, Effect, Input, Link, Master, Policy, Refused, Registered, StreamId},
    },
    state::Registry,
};
use mesos_proto::v1::{
    MasterInfo,
    master::Event as Told,
    scheduler::{Call, Event},
};
use server_kit::{Clock, Random};
use std::{collections::HashMap, sync::Arc};
use tokio::{
    sync::{mpsc, oneshot},
    time::MissedTickBehavior,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Messages that may wait for an agent before the way to it is given up: it connects again.
const MESSAGES_MAX: usize = 16_384;
/// Operators that may watch at the same time, as the original has it.
const WATCHERS_MAX: usize = 1000;

/// What the master's task is asked for.
enum Ask {
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
    /// The server stops.
    #[error("The master is stopping")]
    Stopping,
}

/// The way to a master.
#[derive(Clone)]
pub(crate) struct MasterHandle {
    asks: mpsc::Sender<Ask>,
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
    /// Passes on what the agent says; where the master is behind, what matters comes again later.
    pub(crate) fn say(&self, message: ToMaster) {
        let said = match &self.to {
            To::Here(link, asks) => {
                let link = *link;
                asks.try_send(Ask::Agent { link, message }).is_ok()
            }
            To::There(connection) => connection.try_send(message).is_ok(),
        };
        if !said {
            tracing::warn!("the master is behind; an agent's message comes again later");
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
    /// The master of a process that has none: every call of it is told that it stops.
    pub(crate) fn none(random: Arc<Random>) -> Self {
        let (asks, _) = mpsc::channel(1);
        let events_max = 1;
        MasterHandle {
            asks,
            random,
            events_max,
        }
    }

    /// Starts a master.
    pub(crate) fn start(
        start: MasterStart,
        clock: Arc<dyn Clock>,
        random: Arc<Random>,
        tasks: &TaskTracker,
        stop: CancellationToken,
    ) -> Self {
        let (asks, inbox) = mpsc::channel(INPUTS_MAX);
        let owner = Owner {
            core: Master::new(now(&*clock), start.info, Policy::default(), start.registered),
            registry: start.registry,
            clock,
            streams: HashMap::new(),
            agents: HashMap::new(),
            watchers: Vec::new(),
            next_link: 0,
        };
        tasks.spawn(owner.run(inbox, stop));
        MasterHandle {
            asks,
            random,
            events_max: start.events_max,
        }
    }

    /// Subscribes a scheduler.
    pub(crate) async fn subscribe(&self, call: Call) -> Result<Subscription, CallError> {
        let stream = self.random.uuid().to_string();
        let (events, received) = mpsc::channel(self.events_max);
        let (answer, answered) = oneshot::channel();
        let ask = Ask::Subscribe {
            stream: stream.clone(),
            call: Box::new(call),
            events,
            answer,
        };
        self.asks.send(ask).await.map_err(|_| CallError::Stopping)?;
        answered.await.map_err(|_| CallError::Stopping)??;
        Ok(Subscription {
            stream,
            events: received,
            asks: self.asks.clone(),
        })
    }

    /// Takes any other call.
    pub(crate) async fn call(&self, stream: Option<StreamId>, call: Call) -> Result<(), CallError> {
        let (answer, answered) = oneshot::channel();
        let call = Box::new(call);
        let ask = Ask::Call { stream, call, answer };
        self.asks.send(ask).await.map_err(|_| CallError::Stopping)?;
        Ok(answered.await.map_err(|_| CallError::Stopping)??)
    }

    /// Does what an operator wants.
    pub(crate) async fn operate(&self, command: Command) -> Result<(), CallError> {
        let (answer, answered) = oneshot::channel();
        let command = Box::new(command);
        let ask = Ask::Operator { command, answer };
        self.asks.send(ask).await.map_err(|_| CallError::Stopping)?;
        Ok(answered.await.map_err(|_| CallError::Stopping)??)
    }

    /// Answers what `look` sees of the master, and every change from then on.
    pub(crate) async fn watch<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Master) -> T + Send + 'static,
    ) -> Result<(T, mpsc::Receiver<Told>), CallError> {
        let (events, received) = mpsc::channel(self.events_max);
        let seen = read(&self.asks, |look| Ask::Watch { look, events }, look).await?;
        Ok((seen, received))
    }

    /// Answers what `look` sees of the master.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Master) -> T + Send + 'static,
    ) -> Result<T, CallError> {
        read(&self.asks, Ask::Read, look).await
    }

    /// Connects an agent, which says who it is next.
    pub(crate) async fn join(&self) -> Result<Joined, CallError> {
        let (messages, received) = mpsc::channel(MESSAGES_MAX);
        let (answer, answered) = oneshot::channel();
        let ask = Ask::Join { messages, answer };
        self.asks.send(ask).await.map_err(|_| CallError::Stopping)?;
        let link = answered.await.map_err(|_| CallError::Stopping)?;
        Ok(Joined {
            messages: received,
            to: To::Here(link, self.asks.clone()),
        })
    }
}

/// The task that owns the core.
struct Owner {
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
    async fn run(mut self, mut inbox: mpsc::Receiver<Ask>, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let done = tokio::select! {
                () = stop.cancelled() => return,
                ask = inbox.recv() => match ask {
                    Some(ask) => self.take(ask).await,
                    None => return,
                },
                _ = ticks.tick() => self.tick().await,
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
