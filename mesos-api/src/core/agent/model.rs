use crate::core::Now;
use mesos_proto::v1::{
    self, AgentId, ContainerId, ContainerStatus, ExecutorId, FrameworkInfo, TaskInfo, TaskState, TaskStatus,
    command_info::Uri, framework_info::capability,
};
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Exited(i32),
    Signalled(i32),
}

/// When an update is sent again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resend {
    pub(super) at: Duration,
    pub(super) after: Duration,
}

/// A task and the processes that it is.
#[derive(Debug, Clone)]
pub(crate) struct Container {
    pub(crate) id: String,
    pub(crate) framework: String,
    pub(crate) task: TaskInfo,
    pub(crate) state: TaskState,
    pub(crate) pid: Option<u32>,
    pub(crate) ended: Option<Ended>,
    /// When it is killed for good, in elapsed time.
    pub(super) kill_at: Option<Duration>,
    pub(super) killed: bool,
    /// Its framework is gone: nobody wants its updates.
    pub(super) forgotten: bool,
    pub(crate) statuses: Vec<TaskStatus>,
    pub(super) unacknowledged: VecDeque<TaskStatus>,
    pub(super) resend: Option<Resend>,
}

impl Container {
    /// Where its files are, below the agent's work directory.
    pub(crate) fn sandbox(&self, agent: &str) -> String {
        let (framework, task) = (&self.framework, &self.task.task_id.value);
        format!(
            "slaves/{agent}/frameworks/{framework}/executors/{task}/runs/{}",
            self.id
        )
    }

    /// A status of its present state.
    pub(super) fn status(&self, agent: &str, now: Now, uuid: uuid::Uuid) -> TaskStatus {
        let container_status = self.pid.map(|pid| ContainerStatus {
            container_id: Some(ContainerId {
                value: self.id.clone(),
                ..ContainerId::default()
            }),
            network_infos: vec![v1::NetworkInfo {
                ip_addresses: vec![v1::network_info::IpAddress {
                    protocol: Some(v1::network_info::Protocol::IPv4 as i32),
                    ip_address: Some("127.0.0.1".to_owned()),
                }],
                ..v1::NetworkInfo::default()
            }],
            executor_pid: Some(pid),
            ..ContainerStatus::default()
        });
        TaskStatus {
            task_id: self.task.task_id.clone(),
            state: self.state as i32,
            agent_id: Some(AgentId {
                value: agent.to_owned(),
            }),
            executor_id: Some(ExecutorId {
                value: self.task.task_id.value.clone(),
            }),
            timestamp: Some(now.wall.as_secs_f64()),
            uuid: Some(uuid.as_bytes().to_vec()),
            container_status,
            ..TaskStatus::default()
        }
    }
}

/// A process to be started.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) container: String,
    /// Below the agent's work directory.
    pub(crate) sandbox: String,
    pub(crate) argv: Vec<String>,
    /// Of the task, then of the agent: later ones win.
    pub(crate) environment: Vec<(String, String)>,
    /// The task's, else the framework's.
    pub(crate) user: String,
    /// What must be brought into the sandbox first.
    pub(crate) uris: Vec<Uri>,
}

impl Run {
    pub(super) fn new(agent: &str, framework: &FrameworkInfo, container: &Container) -> Self {
        let command = container.task.command.clone().unwrap_or_default();
        let value = command.value().to_owned();
        let argv = match command.shell() {
            true => vec!["sh".to_owned(), "-c".to_owned(), value],
            // The first argument is what the program is told to be called; the value is what is run.
            false => std::iter::once(value)
                .chain(command.arguments.iter().skip(1).cloned())
                .collect(),
        };
        let task = &container.task.task_id.value;
        let sandbox = container.sandbox(agent);
        let role = container
            .task
            .resources
            .first()
            .and_then(|one| one.allocation_info.as_ref());
        let mut environment = vec![
            ("LIBPROCESS_PORT", "0".to_owned()),
            (
                "MESOS_ALLOCATION_ROLE",
                role.map_or("*", |info| info.role()).to_owned(),
            ),
            ("MESOS_CHECKPOINT", u8::from(framework.checkpoint()).to_string()),
            ("MESOS_EXECUTOR_ID", task.clone()),
            ("MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", "5secs".to_owned()),
            ("MESOS_FRAMEWORK_ID", container.framework.clone()),
            ("MESOS_HTTP_COMMAND_EXECUTOR", "1".to_owned()),
            ("MESOS_SLAVE_ID", agent.to_owned()),
        ];
        let own = command.environment.unwrap_or_default().variables;
        environment.extend(own.iter().map(|one| (one.name.as_str(), one.value().to_owned())));
        Run {
            container: container.id.clone(),
            sandbox,
            argv,
            environment: environment
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            uris: command.uris,
            user: command.user.unwrap_or_else(|| framework.user.clone()),
        }
    }
}

/// How the original words an end.
pub(super) fn describe(ended: Ended) -> String {
    match ended {
        Ended::Exited(code) => format!("Command exited with status {code}"),
        Ended::Signalled(signal) => format!("Command terminated with signal {}", signal_name(signal)),
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
