use super::{
    INPUTS_MAX, Look, TICK,
    fetch::Cache,
    master::CallError,
    now,
    process::{self, Place},
    read,
    way::{News, Way, Whereabouts},
};
use crate::core::agent::{Agent, Effect, Input, Run};
use mesos_proto::v1::AgentInfo;
use server_kit::{Clock, Random};
use std::{net::SocketAddr, path::PathBuf, sync::Arc};
use tokio::{sync::mpsc, time::MissedTickBehavior};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

enum Ask {
    Input(Input),
    Read(Look<Agent>),
}

/// What an agent is started with.
#[derive(Debug)]
pub(crate) struct AgentStart {
    pub(crate) info: AgentInfo,
    pub(crate) work_dir: PathBuf,
    pub(crate) endpoint: SocketAddr,
}

/// The way to an agent.
#[derive(Clone)]
pub(crate) struct AgentHandle {
    asks: mpsc::Sender<Ask>,
    pub(crate) work_dir: PathBuf,
}

impl AgentHandle {
    /// Starts an agent, which registers with the master.
    pub(crate) fn start(
        start: AgentStart,
        master: Whereabouts,
        clock: Arc<dyn Clock>,
        random: Arc<Random>,
        tasks: &TaskTracker,
        stop: CancellationToken,
    ) -> Self {
        let (asks, inbox) = mpsc::channel(INPUTS_MAX);
        let handle = AgentHandle {
            asks: asks.clone(),
            work_dir: start.work_dir.clone(),
        };
        let owner = Owner {
            core: Agent::new(start.info),
            place: Arc::new(Place {
                cache: Cache::new(&start.work_dir),
                work_dir: start.work_dir,
                endpoint: start.endpoint,
            }),
            way: Way::to(master),
            clock,
            random,
            asks,
            tasks: tasks.clone(),
        };
        tasks.spawn(owner.run(inbox, stop));
        handle
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
    place: Arc<Place>,
    way: Way,
    clock: Arc<dyn Clock>,
    random: Arc<Random>,
    asks: mpsc::Sender<Ask>,
    tasks: TaskTracker,
}

impl Owner {
    async fn run(mut self, mut inbox: mpsc::Receiver<Ask>, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return self.end(),
                news = self.way.next() => match news {
                    News::Connected => self.step(Input::Connected),
                    News::Message(message) => self.step(Input::Master(message)),
                    News::Lost => tracing::info!("the way to the master is lost"),
                },
                ask = inbox.recv() => match ask {
                    Some(Ask::Input(input)) => self.step(input),
                    Some(Ask::Read(look)) => look(&self.core),
                    None => return,
                },
                _ = ticks.tick() => self.step(Input::Tick),
            }
        }
    }

    fn step(&mut self, input: Input) {
        let random = self.random.clone();
        let effects = self.core.step(now(&*self.clock), input, &mut || random.uuid());
        for effect in effects {
            match effect {
                Effect::Master(message) => self.way.say(message),
                Effect::Launch(run) => {
                    let launched = launch(*run, self.place.clone(), self.asks.clone());
                    self.tasks.spawn(launched);
                }
                Effect::Signal { container, signal } => {
                    if let Some(pid) = self.core.containers.get(&container).and_then(|one| one.pid) {
                        process::signal(pid, signal);
                    }
                }
            }
        }
    }

    /// Tasks do not outlive the agent: nothing could take them back yet.
    fn end(&self) {
        let running = self.core.containers.values().filter(|one| one.ended.is_none());
        for pid in running.filter_map(|one| one.pid) {
            process::signal(pid, crate::core::agent::Signal::Kill);
        }
    }
}

/// Runs a container from its start to its end.
async fn launch(run: Run, place: Arc<Place>, asks: mpsc::Sender<Ask>) {
    let container = run.container.clone();
    let started = tokio::task::spawn_blocking(move || process::start(&run, &place)).await;
    let process = match started {
        Ok(Ok(process)) => process,
        Ok(Err(error)) => {
            let why = error.to_string();
            let _ = asks.send(Ask::Input(Input::Failed { container, why })).await;
            return;
        }
        // The runtime stops.
        Err(_) => return,
    };
    let started = Input::Started {
        container: container.clone(),
        pid: process.pid(),
    };
    let _ = asks.send(Ask::Input(started)).await;
    let ended = process.ended().await;
    let _ = asks.send(Ask::Input(Input::Exited { container, ended })).await;
}
