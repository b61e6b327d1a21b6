use super::{INPUTS_MAX, Look, TICK, now, read};
use crate::core::{
    link::{ToAgent, ToMaster},
    master::{Effect, Input, Master, Policy, Refused, StreamId},
};
use mesos_proto::v1::{
    AgentInfo, MasterInfo,
    scheduler::{Call, Event},
};
use server_kit::{Clock, Random};
use std::{collections::HashMap, sync::Arc};
use tokio::{
    sync::{mpsc, oneshot},
    time::MissedTickBehavior,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

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
    Join {
        info: Box<AgentInfo>,
        messages: mpsc::Sender<ToAgent>,
    },
    Agent {
        agent: String,
        message: ToMaster,
    },
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

impl MasterHandle {
    /// Starts a master.
    pub(crate) fn start(
        info: MasterInfo,
        events_max: usize,
        clock: Arc<dyn Clock>,
        random: Arc<Random>,
        tasks: &TaskTracker,
        stop: CancellationToken,
    ) -> Self {
        let (asks, inbox) = mpsc::channel(INPUTS_MAX);
        let owner = Owner {
            core: Master::new(info, Policy::default()),
            clock,
            streams: HashMap::new(),
            agents: HashMap::new(),
        };
        tasks.spawn(owner.run(inbox, stop));
        MasterHandle {
            asks,
            random,
            events_max,
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

    /// Answers what `look` sees of the master.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Master) -> T + Send + 'static,
    ) -> Result<T, CallError> {
        read(&self.asks, Ask::Read, look).await
    }

    /// Registers an agent, which is told by `messages`.
    pub(crate) async fn join(&self, info: AgentInfo, messages: mpsc::Sender<ToAgent>) {
        let info = Box::new(info);
        let _ = self.asks.send(Ask::Join { info, messages }).await;
    }

    /// Takes what an agent says, if there is room. An agent never waits for the master, which may be waiting for it;
    /// what is lost here, it says again.
    pub(crate) fn agent_says(&self, agent: String, message: ToMaster) {
        if self.asks.try_send(Ask::Agent { agent, message }).is_err() {
            tracing::warn!("the master is behind; an agent's message comes again later");
        }
    }
}

/// The task that owns the core.
struct Owner {
    core: Master,
    clock: Arc<dyn Clock>,
    streams: HashMap<StreamId, mpsc::Sender<Event>>,
    agents: HashMap<String, mpsc::Sender<ToAgent>>,
}

impl Owner {
    async fn run(mut self, mut inbox: mpsc::Receiver<Ask>, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                ask = inbox.recv() => match ask {
                    Some(ask) => self.take(ask).await,
                    None => return,
                },
                _ = ticks.tick() => self.tick().await,
            }
        }
    }

    async fn take(&mut self, ask: Ask) {
        match ask {
            Ask::Call { stream, call, answer } => {
                let done = self.step(Input::Call { stream, call }).await;
                let _ = answer.send(done);
            }
            Ask::Subscribe {
                stream,
                call,
                events,
                answer,
            } => {
                self.streams.insert(stream.clone(), events);
                let done = self
                    .step(Input::Subscribe {
                        stream: stream.clone(),
                        call,
                    })
                    .await;
                if done.is_err() {
                    self.streams.remove(&stream);
                }
                let _ = answer.send(done);
            }
            Ask::Join { info, messages } => self.join(info, messages).await,
            Ask::Agent { agent, message } => {
                let agent = Some(agent);
                let _ = self.step(Input::Agent { agent, message }).await;
            }
            Ask::Closed(stream) => self.closed(stream).await,
            Ask::Read(look) => look(&self.core),
        }
    }

    async fn tick(&mut self) {
        let gone = self.streams.iter().filter(|(_, events)| events.is_closed());
        let gone: Vec<StreamId> = gone.map(|(stream, _)| stream.clone()).collect();
        for stream in gone {
            self.closed(stream).await;
        }
        let _ = self.step(Input::Tick).await;
    }

    async fn closed(&mut self, stream: StreamId) {
        if self.streams.remove(&stream).is_some() {
            let _ = self.step(Input::Closed { stream }).await;
        }
    }

    /// An agent's id is known only once the core gave it one.
    async fn join(&mut self, info: Box<AgentInfo>, messages: mpsc::Sender<ToAgent>) {
        let message = ToMaster::Register(info);
        let input = Input::Agent { agent: None, message };
        let Ok(effects) = self.core.step(now(&*self.clock), input) else {
            return;
        };
        let named = effects.iter().find_map(|effect| match effect {
            Effect::Agent {
                agent,
                message: ToAgent::Registered { .. },
            } => Some(agent.clone()),
            _ => None,
        });
        if let Some(agent) = named {
            self.agents.insert(agent, messages);
        }
        self.perform(effects).await;
    }

    async fn step(&mut self, input: Input) -> Result<(), Refused> {
        let effects = self.core.step(now(&*self.clock), input)?;
        self.perform(effects).await;
        Ok(())
    }

    async fn perform(&mut self, mut effects: Vec<Effect>) {
        while !effects.is_empty() {
            let mut behind = Vec::new();
            for effect in effects {
                match effect {
                    Effect::Event { stream, event } => {
                        let events = self.streams.get(&stream);
                        if events.is_some_and(|events| events.try_send(*event).is_err()) {
                            behind.push(stream);
                        }
                    }
                    Effect::Close { stream } => {
                        self.streams.remove(&stream);
                    }
                    Effect::Agent { agent, message } => {
                        if let Some(messages) = self.agents.get(&agent) {
                            let _ = messages.send(message).await;
                        }
                    }
                }
            }
            // Who does not read is disconnected, and comes back by subscribing again.
            effects = Vec::new();
            for stream in behind {
                if self.streams.remove(&stream).is_some() {
                    tracing::warn!(
                        stream,
                        "a framework does not read its events; its stream is closed"
                    );
                    let input = Input::Closed { stream };
                    effects.extend(self.core.step(now(&*self.clock), input).unwrap_or_default());
                }
            }
        }
    }
}
