use mesos_proto::v1::{AgentInfo, FrameworkInfo, KillPolicy, TaskInfo, TaskState, TaskStatus};

/// What a master tells an agent.
#[derive(Debug, Clone)]
pub(crate) enum ToAgent {
    /// It is known by this id from now on.
    Registered { agent: String },
    /// Run a task.
    Run {
        framework: Box<FrameworkInfo>,
        task: Box<TaskInfo>,
    },
    /// Kill one.
    Kill {
        framework: String,
        task: String,
        policy: Option<KillPolicy>,
    },
    /// The framework has an update; the next one may follow.
    Acknowledge {
        framework: String,
        task: String,
        uuid: Vec<u8>,
    },
    /// Kill whatever the framework runs.
    Shutdown { framework: String },
}

/// What an agent tells a master.
#[derive(Debug, Clone)]
pub(crate) enum ToMaster {
    /// It is there, and offers what it has.
    Register(Box<AgentInfo>),
    /// A task's state changed; `latest` is its newest state, which this update may lag behind.
    Update {
        framework: String,
        status: Box<TaskStatus>,
        latest: TaskState,
    },
}

/// Whether nothing follows a state.
pub(crate) fn is_terminal(state: TaskState) -> bool {
    use TaskState::*;
    matches!(
        state,
        TaskFinished
            | TaskFailed
            | TaskKilled
            | TaskError
            | TaskLost
            | TaskDropped
            | TaskGone
            | TaskGoneByOperator
    )
}
