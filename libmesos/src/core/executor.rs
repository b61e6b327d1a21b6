//! The rules of `MesosExecutorDriver`.

use super::{Core, Received, Status};
use mesos_proto::v1::{
    AgentInfo, ExecutorId, ExecutorInfo, FrameworkId, FrameworkInfo, TaskId, TaskInfo, TaskState, TaskStatus,
    executor::{
        Call, Event,
        call::{self, Type},
        event,
    },
    task_status::Source,
};
use prost::{DecodeError, Message};
use std::time::Duration;

/// What the executor is told, one at a time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Callback {
    Registered(Box<(ExecutorInfo, FrameworkInfo, AgentInfo)>),
    Reregistered(Box<AgentInfo>),
    Disconnected,
    Launch(Box<TaskInfo>),
    Kill(TaskId),
    Message(Vec<u8>),
    Shutdown,
    Error(String),
}

/// What an agent starts an executor with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Started {
    pub(crate) framework: FrameworkId,
    pub(crate) executor: ExecutorId,
    /// Whether the executor outlives its agent, and for how long.
    pub(crate) recovery: Option<Duration>,
}

/// A driver of an executor.
#[derive(Debug)]
pub(crate) struct Executor {
    status: Status,
    started: Started,
    connected: bool,
    registered: bool,
    /// Whether the executor was told to end.
    ending: bool,
    /// For how long there was no agent.
    alone: Duration,
    /// What the agent may not know of: tasks until their first status is acknowledged, and statuses until they are.
    tasks: Vec<TaskInfo>,
    updates: Vec<call::Update>,
}

impl Executor {
    pub(crate) fn new(started: Started) -> Self {
        Executor {
            status: Status::NotStarted,
            started,
            connected: false,
            registered: false,
            ending: false,
            alone: Duration::ZERO,
            tasks: Vec::new(),
            updates: Vec::new(),
        }
    }

    /// The executor tells how a task is; what becomes of it is sent, and kept until it is acknowledged.
    pub(crate) fn update(
        &mut self,
        status: TaskStatus,
        uuid: [u8; 16],
        seconds: f64,
    ) -> Result<Option<Call>, String> {
        if !self.runs() {
            return Ok(None);
        }
        if status.state == TaskState::TaskStaging as i32 {
            return Err("Attempted to send TASK_STAGING status update".to_owned());
        }
        let update = call::Update {
            status: TaskStatus {
                executor_id: Some(self.started.executor.clone()),
                source: Some(Source::Executor as i32),
                uuid: Some(uuid.to_vec()),
                timestamp: Some(seconds),
                ..status
            },
        };
        self.updates.push(update.clone());
        Ok(self.connected.then(|| Call {
            update: Some(update),
            ..self.call(Type::Update)
        }))
    }

    /// The executor has something for its framework's scheduler.
    pub(crate) fn message(&self, data: Vec<u8>) -> Option<Call> {
        (self.runs() && self.connected).then(|| Call {
            message: Some(call::Message { data }),
            ..self.call(Type::Message)
        })
    }

    fn call(&self, kind: Type) -> Call {
        Call {
            executor_id: self.started.executor.clone(),
            framework_id: self.started.framework.clone(),
            r#type: Some(kind as i32),
            ..Call::default()
        }
    }

    pub(super) fn happened(&mut self, event: Event) -> Vec<Callback> {
        if !self.runs() || self.ending {
            return Vec::new();
        }
        let one = match event::Type::try_from(event.r#type.unwrap_or_default()).ok() {
            Some(event::Type::Subscribed) => event.subscribed.map(|subscribed| self.subscribed(subscribed)),
            Some(event::Type::Launch) => event.launch.map(|launch| self.launch(launch.task)),
            Some(event::Type::LaunchGroup) => {
                let tasks = event.launch_group.map(|group| group.task_group.tasks);
                return tasks
                    .into_iter()
                    .flatten()
                    .map(|task| self.launch(task))
                    .collect();
            }
            Some(event::Type::Kill) => event.kill.map(|kill| Callback::Kill(kill.task_id)),
            Some(event::Type::Acknowledged) => {
                if let Some(one) = event.acknowledged {
                    self.tasks.retain(|task| task.task_id != one.task_id);
                    self.updates
                        .retain(|update| update.status.uuid.as_deref() != Some(&one.uuid[..]));
                }
                None
            }
            Some(event::Type::Message) => event.message.map(|message| Callback::Message(message.data)),
            Some(event::Type::Error) => event.error.and_then(|error| self.failed(error.message)),
            Some(event::Type::Shutdown) => Some(self.shut_down()),
            Some(event::Type::Heartbeat | event::Type::Unknown) | None => None,
        };
        one.into_iter().collect()
    }

    fn subscribed(&mut self, subscribed: event::Subscribed) -> Callback {
        self.connected = true;
        self.alone = Duration::ZERO;
        match std::mem::replace(&mut self.registered, true) {
            true => Callback::Reregistered(Box::new(subscribed.agent_info)),
            false => Callback::Registered(Box::new((
                subscribed.executor_info,
                subscribed.framework_info,
                subscribed.agent_info,
            ))),
        }
    }

    fn launch(&mut self, task: TaskInfo) -> Callback {
        self.tasks.push(task.clone());
        Callback::Launch(Box::new(task))
    }

    fn shut_down(&mut self) -> Callback {
        self.ending = true;
        Callback::Shutdown
    }
}

impl Core for Executor {
    type Callback = Callback;
    const PATH: &'static str = "/slave(1)/api/v1/executor";
    const NAME: &'static str = "mesos-executor";
    const QUIET_MAX: Option<Duration> = None;

    fn status(&self) -> Status {
        self.status
    }

    fn set_status(&mut self, status: Status) {
        self.status = status;
    }

    fn error(why: String) -> Callback {
        Callback::Error(why)
    }

    fn subscribe(&self) -> Option<Vec<u8>> {
        let call = Call {
            subscribe: Some(call::Subscribe {
                unacknowledged_tasks: self.tasks.clone(),
                unacknowledged_updates: self.updates.clone(),
            }),
            ..self.call(Type::Subscribe)
        };
        Some(call.encode_to_vec())
    }

    fn received(&mut self, record: &[u8], _server: &str) -> Result<Received<Callback>, DecodeError> {
        Ok(Received {
            callbacks: self.happened(Event::decode(record)?),
            heartbeat_seconds: None,
        })
    }

    /// An executor that does not outlive its agent ends with it.
    fn disconnected(&mut self) -> Option<Callback> {
        let was = std::mem::take(&mut self.connected);
        if !was || !self.runs() || self.ending {
            return None;
        }
        Some(match self.started.recovery {
            Some(_) => Callback::Disconnected,
            None => self.shut_down(),
        })
    }

    fn waited(&mut self, time: Duration) -> Option<Callback> {
        if !self.runs() || self.ending || self.connected {
            return None;
        }
        self.alone = self.alone.saturating_add(time);
        let patience = self.started.recovery.unwrap_or_default();
        (self.registered && self.alone >= patience).then(|| self.shut_down())
    }
}
