//! The agent: which tasks run in which container, and which of their updates are not yet acknowledged.
//!
//! Rooms: `model` (a task and its container), `updates` (one at a time, again until acknowledged), `rejoin` (what a
//! master that is new to the agent is told), `operations` (what the agent has become by them).
//! Never: processes, files, sockets, a clock. Chance comes in as an argument.

mod model;
mod operations;
mod rejoin;
mod updates;

pub(crate) use model::{Container, Ended, Framework, Run};

use super::{
    Now,
    link::{ToAgent, ToMaster, is_terminal},
};
use indexmap::IndexMap;
use mesos_proto::v1::{
    AgentInfo, FrameworkInfo, KillPolicy, Operation, TaskInfo, TaskState, framework_info::capability,
    task_status::Source,
};
use model::describe;
use std::{collections::VecDeque, time::Duration};

/// How long a task may take to end by itself once it was asked to.
const GRACE_PERIOD: Duration = Duration::from_secs(3);
/// Tasks that ended and are still told of.
const COMPLETED_MAX: usize = 1000;

/// What happens to an agent.
#[derive(Debug)]
pub(crate) enum Input {
    /// A master can be told something: it has not heard of the agent yet.
    Connected,
    /// The master says something.
    Master(ToAgent),
    /// A container's process runs.
    Started { container: String, pid: u32 },
    /// A container could not be made.
    Failed { container: String, why: String },
    /// A container's process ended.
    Exited { container: String, ended: Ended },
    /// Time went by.
    Tick,
}

/// How hard a process is asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    Terminate,
    Kill,
}

/// What an agent wants done, in order.
#[derive(Debug)]
pub(crate) enum Effect {
    /// Tell the master.
    Master(ToMaster),
    /// Start a process.
    Launch(Box<Run>),
    /// Signal every process of a container.
    Signal { container: String, signal: Signal },
}

/// An agent.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) info: AgentInfo,
    pub(crate) frameworks: IndexMap<String, Framework>,
    /// Containers whose tasks are not yet over, by id.
    pub(crate) containers: IndexMap<String, Container>,
    pub(crate) completed: VecDeque<Container>,
    /// Operations whose end no master has acknowledged yet, by their uuid.
    pub(crate) operations: IndexMap<Vec<u8>, Operation>,
    /// When it introduces itself again, in elapsed time, as the master has not answered yet.
    introduce_at: Option<Duration>,
    /// When unacknowledged operations were last told, in elapsed time.
    operations_told: Duration,
    effects: Vec<Effect>,
}

impl Agent {
    /// An agent that runs nothing.
    pub(crate) fn new(info: AgentInfo) -> Self {
        Agent {
            info,
            frameworks: IndexMap::new(),
            containers: IndexMap::new(),
            completed: VecDeque::new(),
            operations: IndexMap::new(),
            introduce_at: None,
            operations_told: Duration::ZERO,
            effects: Vec::new(),
        }
    }

    /// What it is known by, once it is registered.
    pub(crate) fn id(&self) -> &str {
        self.info.id.as_ref().map_or("", |id| &id.value)
    }

    /// Takes one input, and answers what is to be done. `uuid` makes a new one with each call.
    pub(crate) fn step(
        &mut self,
        now: Now,
        input: Input,
        uuid: &mut dyn FnMut() -> uuid::Uuid,
    ) -> Vec<Effect> {
        match input {
            Input::Connected => self.introduce(now),
            Input::Master(message) => self.master_says(now, message, uuid),
            Input::Started { container, pid } => {
                if let Some(one) = self.containers.get_mut(&container) {
                    one.pid = Some(pid);
                    if one.killed {
                        // It was killed before there was a process to signal.
                        self.effects.push(Effect::Signal {
                            container: container.clone(),
                            signal: Signal::Terminate,
                        });
                    }
                }
                self.update(now, &container, TaskState::TaskStarting, None, uuid);
                self.update(now, &container, TaskState::TaskRunning, None, uuid);
            }
            Input::Failed { container, why } => {
                self.update(now, &container, TaskState::TaskFailed, Some(why), uuid);
            }
            Input::Exited { container, ended } => self.exited(now, &container, ended, uuid),
            Input::Tick => self.tick(now),
        }
        std::mem::take(&mut self.effects)
    }

    fn master_says(&mut self, now: Now, message: ToAgent, uuid: &mut dyn FnMut() -> uuid::Uuid) {
        match message {
            ToAgent::Registered { agent } => {
                self.info.id = Some(mesos_proto::v1::AgentId { value: agent });
                self.introduce_at = None;
            }
            ToAgent::Refused { why } => self.refused(now, &why, uuid),
            ToAgent::Ping => self.effects.push(Effect::Master(ToMaster::Pong)),
            ToAgent::Apply { operation, total } => self.apply(*operation, total, uuid),
            ToAgent::AcknowledgeOperation { operation, uuid } => {
                self.operation_acknowledged(&operation, &uuid);
            }
            ToAgent::RunGroup { framework, tasks, .. } => {
                tasks.iter().for_each(|task| self.refuse(now, &framework, task));
            }
            ToAgent::Run { framework, task } if task.executor.is_some() => {
                self.refuse(now, &framework, &task);
            }
            // There is no executor that could be told.
            ToAgent::ShutdownExecutor { .. } | ToAgent::Message { .. } => {}
            ToAgent::Run { framework, task } => self.run(*framework, *task, uuid),
            ToAgent::Kill {
                framework,
                task,
                policy,
            } => {
                let of = |one: &&Container| one.framework == framework && one.task.task_id.value == task;
                let found = self.containers.values().find(of).map(|one| one.id.clone());
                if let Some(container) = found {
                    self.kill(now, &container, policy, uuid);
                }
            }
            ToAgent::Acknowledge {
                framework,
                task,
                uuid,
            } => self.acknowledged(now, &framework, &task, &uuid),
            ToAgent::Shutdown { framework } => self.shut_down(now, &framework, uuid),
        }
    }

    /// Kills whatever a framework runs; nobody is told.
    fn shut_down(&mut self, now: Now, framework: &str, uuid: &mut dyn FnMut() -> uuid::Uuid) {
        let of = |one: &&Container| one.framework == framework;
        let all = self.containers.values().filter(of);
        let all: Vec<String> = all.map(|one| one.id.clone()).collect();
        for container in all {
            self.forget_updates(&container);
            self.kill(now, &container, None, uuid);
            self.over(&container);
        }
    }

    /// The master never wants to hear of this agent again: what it runs is killed, and it begins anew.
    fn refused(&mut self, now: Now, why: &str, uuid: &mut dyn FnMut() -> uuid::Uuid) {
        tracing::error!(why, "the master refuses this agent");
        let frameworks: Vec<String> = self.frameworks.keys().cloned().collect();
        for framework in frameworks {
            self.shut_down(now, &framework, uuid);
        }
        self.operations.clear();
        self.info.id = None;
        self.introduce_at = None;
    }

    fn run(&mut self, framework: FrameworkInfo, task: TaskInfo, uuid: &mut dyn FnMut() -> uuid::Uuid) {
        let id = uuid().to_string();
        let framework_id = framework
            .id
            .as_ref()
            .map(|id| id.value.clone())
            .unwrap_or_default();
        let container = Container {
            id: id.clone(),
            framework: framework_id.clone(),
            task,
            state: TaskState::TaskStaging,
            pid: None,
            ended: None,
            kill_at: None,
            killed: false,
            forgotten: false,
            statuses: Vec::new(),
            unacknowledged: VecDeque::new(),
            resend: None,
        };
        let run = Run::new(self.id(), &framework, &container);
        self.containers.insert(id, container);
        self.frameworks
            .insert(framework_id, Framework { info: framework });
        self.effects.push(Effect::Launch(Box::new(run)));
    }

    fn kill(&mut self, now: Now, id: &str, policy: Option<KillPolicy>, uuid: &mut dyn FnMut() -> uuid::Uuid) {
        let Some(container) = self.containers.get_mut(id) else {
            return;
        };
        let policy = policy.or(container.task.kill_policy);
        let grace = policy
            .and_then(|policy| policy.grace_period)
            .map_or(GRACE_PERIOD, |period| {
                Duration::from_nanos(u64::try_from(period.nanoseconds).unwrap_or(0))
            });
        let first = !container.killed;
        let at = now.elapsed.saturating_add(grace);
        container.killed = true;
        // A second kill may shorten the time, never lengthen it.
        container.kill_at = Some(container.kill_at.map_or(at, |before| before.min(at)));
        if !first {
            return;
        }
        let framework = self.frameworks.get(&container.framework);
        let shown = framework.is_some_and(|one| one.has(capability::Type::TaskKillingState));
        self.effects.push(Effect::Signal {
            container: id.to_owned(),
            signal: Signal::Terminate,
        });
        if shown {
            self.update(now, id, TaskState::TaskKilling, None, uuid);
        }
    }

    fn exited(&mut self, now: Now, id: &str, ended: Ended, uuid: &mut dyn FnMut() -> uuid::Uuid) {
        let Some(container) = self.containers.get_mut(id) else {
            return;
        };
        container.ended = Some(ended);
        container.kill_at = None;
        let state = match ended {
            _ if container.killed => TaskState::TaskKilled,
            Ended::Exited(0) => TaskState::TaskFinished,
            _ => TaskState::TaskFailed,
        };
        self.update(now, id, state, Some(describe(ended)), uuid);
        self.over(id);
    }

    /// Sends again what was not acknowledged, and ends what had its grace period.
    fn tick(&mut self, now: Now) {
        for container in self.containers.values_mut() {
            if container.kill_at.is_some_and(|at| at <= now.elapsed) {
                container.kill_at = None;
                self.effects.push(Effect::Signal {
                    container: container.id.clone(),
                    signal: Signal::Kill,
                });
            }
        }
        if self.introduce_at.is_some_and(|at| at <= now.elapsed) {
            self.introduce(now);
        }
        self.resend(now);
        self.resend_operations(now);
    }

    /// A new state of a task: it is told once those before it were acknowledged.
    fn update(
        &mut self,
        now: Now,
        id: &str,
        state: TaskState,
        message: Option<String>,
        uuid: &mut dyn FnMut() -> uuid::Uuid,
    ) {
        let agent = self.id().to_owned();
        let Some(container) = self.containers.get_mut(id) else {
            return;
        };
        if is_terminal(container.state) {
            return;
        }
        container.state = state;
        if container.forgotten {
            return;
        }
        let mut status = container.status(&agent, now, uuid());
        status.message = message;
        status.source = Some(Source::Executor as i32);
        container.statuses.push(status.clone());
        self.queue(now, id, status);
    }

    /// A container whose process ended and whose updates are all known is history.
    fn over(&mut self, id: &str) {
        let over = |one: &Container| {
            one.unacknowledged.is_empty() && (one.ended.is_some() || is_terminal(one.state))
        };
        if self.containers.get(id).is_some_and(over) {
            self.completed.extend(self.containers.shift_remove(id));
            if self.completed.len() > COMPLETED_MAX {
                self.completed.pop_front();
            }
        }
    }
}
