use super::{Share, Signal, StreamId, checks::Checks};
use crate::core::{Now, link::is_terminal};
use indexmap::IndexMap;
use mesos_proto::v1::{
    self, AgentId, ContainerId, ContainerStatus, ExecutorId, ExecutorInfo, FrameworkInfo, TaskInfo,
    TaskState, TaskStatus, framework_info::capability,
};
use serde::{Deserialize, Serialize};
use std::{collections::VecDeque, time::Duration};

/// A framework that has run something here.
#[derive(Debug, Clone)]
pub(crate) struct Framework {
    pub(crate) info: FrameworkInfo,
}

impl Framework {
    pub(super) fn has(&self, capability: capability::Type) -> bool {
        let mut all = self.info.capabilities.iter();
        all.any(|one| one.r#type == Some(capability as i32))
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Ended {
    Exited(i32),
    Signalled(i32),
    /// It was killed, or gave up, as there was no more memory for what ran beside it.
    OutOfMemory,
}

impl Ended {
    /// As `wait` tells it.
    pub(super) fn status(self) -> i32 {
        match self {
            Ended::Exited(code) => (code & 0xff) << 8,
            Ended::Signalled(signal) => signal & 0x7f,
            Ended::OutOfMemory => Signal::KILL,
        }
    }
}

/// When an update is sent again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resend {
    pub(super) at: Duration,
    pub(super) after: Duration,
}

/// A process that runs in a container.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Process {
    pub(crate) pid: Option<u32>,
    pub(crate) ended: Option<Ended>,
    /// It was asked to end.
    pub(super) killed: bool,
    /// When it is killed for good, in elapsed time.
    #[serde(skip)]
    pub(super) kill_at: Option<Duration>,
    /// This run of the agent has seen it. What only an earlier one has may be somebody else's process by now.
    #[serde(skip)]
    pub(super) here: bool,
}

impl Process {
    /// What may be signalled.
    pub(crate) fn alive(&self) -> Option<u32> {
        self.pid.filter(|_| self.here && self.ended.is_none())
    }
}

/// What runs an executor's tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// Nothing: the only task is a process, which is all there is in the container.
    Command,
    /// A process of the framework's, which subscribes here and tells of its tasks.
    Custom,
    /// The agent itself: each task is a process in a container below the executor's.
    Default,
}

/// What runs tasks of a framework, and the container that all of it is in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Executor {
    pub(crate) container: String,
    pub(crate) framework: String,
    pub(crate) kind: Kind,
    /// One of a single command is made up by the agent, as in the original.
    pub(crate) info: ExecutorInfo,
    /// Of a custom executor.
    pub(crate) process: Process,
    /// Those that are not yet history, by id.
    #[serde(with = "as_list")]
    pub(crate) tasks: IndexMap<String, Task>,
    pub(crate) finished: VecDeque<Task>,
    /// It takes no tasks any more.
    pub(crate) ended: bool,
    /// Groups of tasks that were launched.
    pub(super) groups: u64,
    /// Its framework is gone: nobody wants its updates.
    pub(super) forgotten: bool,
    /// Where its events go.
    #[serde(skip)]
    pub(super) stream: Option<StreamId>,
    /// When it must have subscribed, in elapsed time.
    #[serde(skip)]
    pub(super) subscribe_by: Option<Duration>,
    /// It did not.
    pub(super) never_subscribed: bool,
    /// What this run of the agent has last let it use.
    #[serde(skip)]
    pub(super) limited: Option<Share>,
}

/// A task, and the process that it is unless its executor has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) info: TaskInfo,
    state: i32,
    /// The executor's, or one below it.
    pub(crate) container: String,
    pub(crate) process: Process,
    /// Which of the executor's groups it belongs to.
    pub(super) group: u64,
    /// Its executor was told of it.
    pub(super) launched: bool,
    /// It took longer than it may.
    pub(super) overdue: bool,
    /// When it may be running no longer, since 1970.
    pub(super) until: Option<Duration>,
    #[serde(default)]
    pub(super) checks: Checks,
    pub(crate) statuses: Vec<TaskStatus>,
    pub(super) unacknowledged: VecDeque<TaskStatus>,
    #[serde(skip)]
    pub(super) resend: Option<Resend>,
}

impl Executor {
    pub(super) fn new(framework: &str, container: String, kind: Kind, info: ExecutorInfo) -> Self {
        Executor {
            container,
            framework: framework.to_owned(),
            kind,
            info,
            process: Process::default(),
            tasks: IndexMap::new(),
            finished: VecDeque::new(),
            ended: false,
            groups: 0,
            forgotten: false,
            stream: None,
            subscribe_by: None,
            never_subscribed: false,
            limited: None,
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.info.executor_id.value
    }

    /// Where its files are, below the agent's work directory.
    pub(crate) fn sandbox(&self, agent: &str) -> String {
        format!(
            "slaves/{agent}/frameworks/{}/executors/{}/runs/{}",
            self.framework,
            self.id(),
            self.container
        )
    }

    /// Where a task's files are: a task in a container of its own has a folder of its own.
    pub(crate) fn sandbox_of(&self, agent: &str, task: &Task) -> String {
        let own = self.sandbox(agent);
        match task.container.split_once('.') {
            Some((_, below)) => format!("{own}/containers/{below}"),
            None => own,
        }
    }

    /// What its container may use: what it has itself, and what its tasks have.
    pub(super) fn share(&self) -> Share {
        let open = self.tasks.values().filter(|task| !task.has_ended());
        let open = open.map(|task| (task.info.resources.as_slice(), Some(&task.info.limits)));
        Share::of(std::iter::once((self.info.resources.as_slice(), None)).chain(open))
    }

    /// Whether nothing of it is left to do.
    pub(super) fn is_over(&self) -> bool {
        self.ended && self.tasks.is_empty()
    }
}

impl Task {
    pub(super) fn new(info: TaskInfo, container: String, group: u64) -> Self {
        Task {
            info,
            state: TaskState::TaskStaging as i32,
            container,
            process: Process::default(),
            group,
            launched: false,
            overdue: false,
            until: None,
            checks: Checks::default(),
            statuses: Vec::new(),
            unacknowledged: VecDeque::new(),
            resend: None,
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.info.task_id.value
    }

    pub(crate) fn state(&self) -> TaskState {
        TaskState::try_from(self.state).unwrap_or(TaskState::TaskUnknown)
    }

    pub(super) fn set_state(&mut self, state: TaskState) {
        self.state = state as i32;
    }

    /// Whether its executor was told of it.
    pub(crate) fn is_launched(&self) -> bool {
        self.launched
    }

    pub(crate) fn has_ended(&self) -> bool {
        is_terminal(self.state())
    }

    /// What it may use, where it has a container to itself.
    pub(super) fn share(&self) -> Share {
        Share::of(std::iter::once((
            self.info.resources.as_slice(),
            Some(&self.info.limits),
        )))
    }

    pub(super) fn is_over(&self) -> bool {
        self.has_ended() && self.unacknowledged.is_empty()
    }

    /// A status of its present state.
    pub(super) fn status(&self, agent: &str, executor: &str, now: Now, uuid: uuid::Uuid) -> TaskStatus {
        TaskStatus {
            task_id: self.info.task_id.clone(),
            state: self.state,
            agent_id: Some(AgentId {
                value: agent.to_owned(),
            }),
            executor_id: Some(ExecutorId {
                value: executor.to_owned(),
            }),
            timestamp: Some(now.wall.as_secs_f64()),
            uuid: Some(uuid.as_bytes().to_vec()),
            ..TaskStatus::default()
        }
    }
}

/// Tasks without the names that they have in them.
mod as_list {
    use super::Task;
    use indexmap::IndexMap;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(tasks: &IndexMap<String, Task>, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(tasks.values())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<IndexMap<String, Task>, D::Error> {
        let tasks = Vec::<Task>::deserialize(from)?;
        Ok(tasks
            .into_iter()
            .map(|task| (task.id().to_owned(), task))
            .collect())
    }
}

/// An id of a container as the API has it: one below another names both.
pub(crate) fn container_id(path: &str) -> ContainerId {
    let (parent, value) = match path.rsplit_once('.') {
        Some((parent, value)) => (Some(Box::new(container_id(parent))), value),
        None => (None, path),
    };
    ContainerId {
        value: value.to_owned(),
        parent,
    }
}

/// Where something runs; every container has the network of its host.
pub(super) fn container_status(container: &str, pid: Option<u32>, ip: &str) -> ContainerStatus {
    ContainerStatus {
        container_id: Some(container_id(container)),
        network_infos: vec![v1::NetworkInfo {
            ip_addresses: vec![v1::network_info::IpAddress {
                protocol: Some(v1::network_info::Protocol::IPv4 as i32),
                ip_address: Some(ip.to_owned()),
            }],
            ..v1::NetworkInfo::default()
        }],
        executor_pid: pid,
        ..ContainerStatus::default()
    }
}

/// How the original words an end.
pub(super) fn describe(ended: Ended) -> String {
    match ended {
        Ended::Exited(code) => format!("Command exited with status {code}"),
        Ended::Signalled(signal) => format!("Command terminated with signal {}", signal_name(signal)),
        Ended::OutOfMemory => "Memory limit exceeded".to_owned(),
    }
}

/// What `strsignal` says of the common ones.
fn signal_name(signal: i32) -> String {
    match signal {
        1 => "Hangup",
        2 => "Interrupt",
        3 => "Quit",
        4 => "Illegal instruction",
        6 => "Aborted",
        7 => "Bus error",
        8 => "Floating point exception",
        9 => "Killed",
        11 => "Segmentation fault",
        13 => "Broken pipe",
        14 => "Alarm clock",
        15 => "Terminated",
        other => return format!("Unknown signal {other}"),
    }
    .to_owned()
}
