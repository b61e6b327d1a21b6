//! The agent: which executors and tasks run in which container, and which of their updates are not yet acknowledged.
//!
//! Rooms: `model` (executors, tasks, their processes), `run` (what a process is started with), `share` (what
//! a container may use), `launch` (what the master
//! wants run), `processes` (how they start and end), `kill` (how they are ended), `executors` (those that call by
//! themselves), `updates` (one at a time, again until acknowledged), `checks` (whether tasks are well) and `probes` (how
//! that is asked), `containers` (those that the agent's API asks for), `rejoin` (what a master that is new to the agent is told), `operations` (what the agent has become by
//! them).
//! Never: processes, files, sockets, a clock. Chance comes in as an argument.

mod checks;
mod containers;
mod executors;
mod kill;
mod launch;
mod model;
mod operations;
mod probes;
mod processes;
mod rejoin;
mod run;
mod share;
#[cfg(test)]
mod tests;
mod updates;

pub(crate) use containers::{Asked, End, Standing, Unable};
pub(crate) use executors::{Refused, event_of};
pub(crate) use model::{Ended, Executor, Framework, Kind, Process, Task, container_id};
pub(crate) use probes::{Asks, Probe, Probed, Which};
pub(crate) use run::Run;
pub(crate) use share::Share;

use super::{
    Now,
    link::{ToAgent, ToMaster},
};
use indexmap::IndexMap;
use mesos_proto::v1::{AgentInfo, Operation, TaskState, executor, framework_info::capability};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

/// Executors that ended and are still told of.
const COMPLETED_MAX: usize = 1000;
/// Tasks of one executor that ended and are still told of: the original's.
const FINISHED_MAX: usize = 200;

/// Which event stream of an executor.
pub(crate) type StreamId = String;

/// Makes a new one with each call.
pub(crate) type Uuids<'a> = &'a mut dyn FnMut() -> uuid::Uuid;

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
    /// Nobody knows what became of a container's process.
    Lost { container: String },
    /// A look at a task has found something.
    Probed {
        container: String,
        which: Which,
        found: Probed,
    },
    /// An executor's event stream ended.
    Closed { stream: StreamId },
    /// Time went by.
    Tick,
}

/// How hard a process is asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    Terminate,
    Kill,
    /// One of the system's.
    Number(i32),
}

impl Signal {
    pub(crate) const KILL: i32 = 9;
}

/// What an agent wants done, in order.
#[derive(Debug)]
pub(crate) enum Effect {
    /// Keep what is known of an executor, or forget it where it is no more: before anything that follows.
    Keep { container: String },
    /// Keep what is known of a container that was asked for, in the same way.
    KeepAsked { container: String },
    /// Keep who the agent is, in the same way.
    KeepAgent,
    /// Tell the master.
    Master(ToMaster),
    /// Start a process.
    Launch(Box<Run>),
    /// What is to be launched is not wanted any more, if it has not begun.
    Cancel { container: String },
    /// Signal every process of a group.
    Signal { pid: u32, signal: Signal },
    /// A container that was asked for has begun, or could not.
    Begun {
        container: String,
        failed: Option<String>,
    },
    /// A container has ended: whoever waits for it is told.
    Over { container: String, end: End },
    /// What a container may use has changed.
    Limit { container: String, share: Share },
    /// An executor has left its sandbox for good.
    Ended { sandbox: String },
    /// Nobody wants what was written here any more.
    RemoveSandbox { sandbox: String },
    /// Look at a task, and tell what is found.
    Probe(Box<Probe>),
    /// Look at it no more.
    EndProbes { container: String },
    /// Send an executor an event.
    Event {
        stream: StreamId,
        event: Box<executor::Event>,
    },
    /// End an executor's event stream.
    Close { stream: StreamId },
}

/// What outlives an agent of one of its executors.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) framework: mesos_proto::v1::FrameworkInfo,
    pub(crate) executor: Executor,
}

/// An agent.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) info: AgentInfo,
    pub(crate) frameworks: IndexMap<String, Framework>,
    /// Executors that are not yet over, by container.
    pub(crate) executors: IndexMap<String, Executor>,
    pub(crate) completed: VecDeque<Executor>,
    /// Containers that were asked for, by their paths.
    pub(crate) asked: IndexMap<String, Asked>,
    /// Operations whose end no master has acknowledged yet, by their uuid.
    pub(crate) operations: IndexMap<Vec<u8>, Operation>,
    /// Containers of executors that are to be kept again.
    changed: BTreeSet<String>,
    /// When it introduces itself again, in elapsed time, as the master has not answered yet.
    introduce_at: Option<Duration>,
    /// A master wants to hear of it no more, and what it runs is to end before it begins anew.
    leaves: bool,
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
            executors: IndexMap::new(),
            completed: VecDeque::new(),
            asked: IndexMap::new(),
            operations: IndexMap::new(),
            changed: BTreeSet::new(),
            introduce_at: None,
            leaves: false,
            operations_told: Duration::ZERO,
            effects: Vec::new(),
        }
    }

    /// Takes back what an earlier run of it left. What became of the processes is told by inputs, as always.
    pub(crate) fn restore(
        &mut self,
        now: Now,
        kept: Vec<Kept>,
        asked: Vec<Asked>,
        operations: Vec<Operation>,
    ) {
        let asked = asked.into_iter().map(|one| (one.container.clone(), one));
        self.asked.extend(asked);
        let named = operations.into_iter().map(|one| (one.uuid.value.clone(), one));
        self.operations.extend(named);
        for Kept {
            framework,
            mut executor,
        } in kept
        {
            for task in executor.tasks.values_mut() {
                task.send_again(now);
            }
            if executor.kind == Kind::Custom && !executor.ended {
                executor.subscribe_by = Some(now.elapsed + executors::RESUBSCRIBE_MAX);
            }
            let info = Framework { info: framework };
            self.frameworks.insert(executor.framework.clone(), info);
            self.executors.insert(executor.container.clone(), executor);
        }
    }

    /// What is to be kept of an executor that is not over.
    pub(crate) fn kept(&self, container: &str) -> Option<Kept> {
        let executor = self.executors.get(container)?.clone();
        let framework = self.frameworks.get(&executor.framework)?.info.clone();
        Some(Kept { framework, executor })
    }

    /// What is to be kept of a container that was asked for: of one that lasts as long as a connection, nothing.
    pub(crate) fn kept_asked(&self, container: &str) -> Option<&Asked> {
        self.asked.get(container).filter(|one| !one.session)
    }

    /// What it is known by, once it is registered.
    pub(crate) fn id(&self) -> &str {
        self.info.id.as_ref().map_or("", |id| &id.value)
    }

    /// Containers whose process began and, as far as is known, has not ended: each with its process.
    pub(crate) fn processes(&self) -> impl Iterator<Item = (&Executor, &str, &Process)> {
        self.executors.values().flat_map(|executor| {
            let own = (executor.kind == Kind::Custom).then_some((
                executor,
                executor.container.as_str(),
                &executor.process,
            ));
            let tasks = executor.tasks.values().filter(|_| executor.kind != Kind::Custom);
            let below = tasks.map(move |task| (executor, task.container.as_str(), &task.process));
            own.into_iter()
                .chain(below)
                .filter(|(_, _, process)| process.ended.is_none())
        })
    }

    /// The same of those that were asked for.
    pub(crate) fn asked_processes(&self) -> impl Iterator<Item = (&str, &Process)> {
        let open = self.asked.values().filter(|one| one.end.is_none());
        open.map(|one| (one.container.as_str(), &one.process))
    }

    /// Takes one input, and answers what is to be done.
    pub(crate) fn step(&mut self, now: Now, input: Input, uuid: Uuids<'_>) -> Vec<Effect> {
        match input {
            Input::Connected => self.introduce(now),
            Input::Master(message) => self.master_says(now, message, uuid),
            Input::Started { container, pid } => self.started(now, &container, pid, uuid),
            Input::Failed { container, why } => self.failed(now, &container, &why, uuid),
            Input::Exited { container, ended } => self.exited(now, &container, ended, uuid),
            Input::Lost { container } => self.lost(now, &container, uuid),
            Input::Probed {
                container,
                which,
                found,
            } => self.probed(now, &container, which, &found, uuid),
            Input::Closed { stream } => self.closed(&stream),
            Input::Tick => self.tick(now),
        }
        self.wanted()
    }

    /// Takes one call of an executor, which has a new stream if it subscribes.
    pub(crate) fn call(
        &mut self,
        now: Now,
        stream: Option<StreamId>,
        call: executor::Call,
        uuid: Uuids<'_>,
    ) -> Result<Vec<Effect>, Refused> {
        self.executor_calls(now, stream, call, uuid)?;
        Ok(self.wanted())
    }

    /// What is kept goes before what it may lead to.
    pub(crate) fn wanted(&mut self) -> Vec<Effect> {
        let changed = std::mem::take(&mut self.changed);
        self.limit(&changed);
        let changed = changed.into_iter();
        let mut wanted: Vec<Effect> = changed.map(|container| Effect::Keep { container }).collect();
        wanted.append(&mut self.effects);
        wanted
    }

    /// An executor may use what its tasks may, as they come and go.
    fn limit(&mut self, changed: &BTreeSet<String>) {
        for container in changed {
            let Some(executor) = self.executors.get_mut(container) else {
                continue;
            };
            let share = executor.share();
            if executor.kind == Kind::Custom
                && executor.process.alive().is_some()
                && executor.limited.replace(share) != Some(share)
            {
                let container = container.clone();
                self.effects.push(Effect::Limit { container, share });
            }
        }
    }

    fn master_says(&mut self, now: Now, message: ToAgent, uuid: Uuids<'_>) {
        match message {
            ToAgent::Registered { agent } => {
                self.introduce_at = None;
                self.info.id = Some(mesos_proto::v1::AgentId { value: agent });
                self.effects.push(Effect::KeepAgent);
            }
            ToAgent::Refused { why } => self.refused(now, &why, uuid),
            ToAgent::Ping => self.effects.push(Effect::Master(ToMaster::Pong)),
            ToAgent::Apply { operation, total } => self.apply(*operation, total, uuid),
            ToAgent::AcknowledgeOperation { operation, uuid } => {
                self.operation_acknowledged(&operation, &uuid);
            }
            ToAgent::Run {
                framework,
                task,
                launch_executor,
            } => self.run(now, *framework, *task, launch_executor, uuid),
            ToAgent::RunGroup {
                framework,
                executor,
                tasks,
                launch_executor,
            } => self.run_group(now, *framework, (*executor, launch_executor), tasks, uuid),
            ToAgent::Kill {
                framework,
                task,
                policy,
            } => self.kill_named(now, &framework, &task, policy, uuid),
            ToAgent::Acknowledge {
                framework,
                task,
                uuid,
            } => self.acknowledged(now, &framework, &task, &uuid),
            ToAgent::SendAgain { framework } => self.send_again(now, &framework),
            ToAgent::Shutdown { framework } => self.shutdown(now, &framework, uuid),
            ToAgent::ShutdownExecutor { framework, executor } => {
                // A command has no other executor than itself.
                let command = self.open(&framework, &executor).next();
                let command = command.map(|one| one.container.clone());
                if let Some(container) = self.running(&framework, &executor).or(command) {
                    self.shutdown_executor(now, &container, uuid);
                }
            }
            ToAgent::Message {
                framework,
                executor,
                data,
            } => self.tell_executor(&framework, &executor, data),
        }
    }

    /// The container of an executor that takes tasks.
    fn running(&self, framework: &str, executor: &str) -> Option<String> {
        let mut open = self.open(framework, executor);
        open.find(|one| one.kind != Kind::Command)
            .map(|one| one.container.clone())
    }

    /// Executors of a name that are not over: that of a command is its task's, which others may have, too.
    fn open<'a>(&'a self, framework: &'a str, executor: &'a str) -> impl Iterator<Item = &'a Executor> {
        let all = self.executors.values();
        all.filter(move |one| one.framework == framework && one.id() == executor && !one.ended)
    }

    /// Whose process a container has: an executor, by its own container, and the task unless it is the executor itself.
    fn whose(&self, container: &str) -> Option<(String, Option<String>)> {
        let own = container.split('.').next().unwrap_or_default();
        let executor = self.executors.get(own)?;
        if executor.kind == Kind::Custom {
            return Some((own.to_owned(), None));
        }
        let task = executor.tasks.values().find(|task| task.container == container)?;
        Some((own.to_owned(), Some(task.id().to_owned())))
    }

    fn task(&mut self, executor: &str, task: &str) -> Option<&mut Task> {
        self.executors.get_mut(executor)?.tasks.get_mut(task)
    }

    fn has(&self, framework: &str, capability: capability::Type) -> bool {
        let framework = self.frameworks.get(framework);
        framework.is_some_and(|one| one.has(capability))
    }

    /// What a task is that never ran, as far as its framework can tell.
    fn never_ran(&self, framework: &str) -> TaskState {
        match self.has(framework, capability::Type::PartitionAware) {
            true => TaskState::TaskDropped,
            false => TaskState::TaskLost,
        }
    }

    /// Tasks and executors whose updates are all known are history.
    fn settle(&mut self, container: &str) {
        let Some(executor) = self.executors.get_mut(container) else {
            return;
        };
        let over: Vec<String> = executor
            .tasks
            .values()
            .filter(|task| task.is_over())
            .map(|task| task.id().to_owned())
            .collect();
        for task in over {
            executor.finished.extend(executor.tasks.shift_remove(&task));
            if executor.finished.len() > FINISHED_MAX {
                executor.finished.pop_front();
            }
        }
        self.changed.insert(container.to_owned());
        if executor.is_over() {
            let sandbox = executor.sandbox(self.info.id.as_ref().map_or("", |id| &id.value));
            self.effects.push(Effect::Ended { sandbox });
            self.forget_below(container);
            self.completed.extend(self.executors.shift_remove(container));
            if self.completed.len() > COMPLETED_MAX {
                let oldest = self.completed.pop_front();
                oldest.into_iter().for_each(|one| self.forget(&one.framework));
            }
        }
    }

    /// Forgets a framework that has nothing here any more.
    fn forget(&mut self, framework: &str) {
        let mut all = self.executors.values().chain(&self.completed);
        if all.all(|one| one.framework != framework) {
            self.frameworks.shift_remove(framework);
        }
    }
}
