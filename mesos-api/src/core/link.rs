use mesos_proto::base64;
use mesos_proto::v1::{
    AgentInfo, ExecutorInfo, FrameworkInfo, KillPolicy, Operation, OperationStatus, Resource, Task, TaskInfo,
    TaskState, TaskStatus,
};
use serde::{Deserialize, Serialize};

/// What a master tells an agent. The two may be in one process, or each in its own: then this is JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum ToAgent {
    /// It is known by this id from now on; what it said of itself is taken.
    Registered { agent: String },
    /// It is not wanted, ever: it kills what it runs and ends.
    Refused { why: String },
    /// Answer, so that the master sees that the agent is there.
    Ping,
    /// Run a task.
    Run {
        framework: Box<FrameworkInfo>,
        task: Box<TaskInfo>,
        /// What its executor needs is set aside for it: else there must be one.
        #[serde(default = "yes")]
        launch_executor: bool,
    },
    /// Run tasks that share an executor, all of them or none.
    RunGroup {
        framework: Box<FrameworkInfo>,
        executor: Box<ExecutorInfo>,
        tasks: Vec<TaskInfo>,
        /// As of a task.
        #[serde(default = "yes")]
        launch_executor: bool,
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
    /// Kill an executor and what it runs.
    ShutdownExecutor { framework: String, executor: String },
    /// Bytes for an executor, of which the framework alone knows what they mean. They may get lost.
    Message {
        framework: String,
        executor: String,
        #[serde(serialize_with = "base64::write", deserialize_with = "base64::read")]
        data: Vec<u8>,
    },
    /// A framework is there again: what it has not acknowledged is sent anew.
    SendAgain { framework: String },
    /// Keep what the agent has become by an operation: `total` is all that it has from now on.
    Apply {
        operation: Box<Operation>,
        total: Vec<Resource>,
    },
    /// Somebody has the newest status of an operation.
    AcknowledgeOperation { operation: Vec<u8>, uuid: Vec<u8> },
}

/// What an agent tells a master.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum ToMaster {
    /// It is there, and offers what it has.
    Register(Box<AgentInfo>),
    /// It was registered before: by a master that was there before, or it was itself away.
    Reregister(Box<Reregistration>),
    /// It got a ping.
    Pong,
    /// A task's state changed; `latest` is its newest state, which this update may lag behind.
    Update {
        framework: String,
        status: Box<TaskStatus>,
        #[serde(with = "by_number")]
        latest: TaskState,
    },
    /// Bytes of an executor for its framework.
    Message {
        framework: String,
        executor: String,
        #[serde(serialize_with = "base64::write", deserialize_with = "base64::read")]
        data: Vec<u8>,
    },
    /// An executor ended.
    ExecutorExited {
        framework: String,
        executor: String,
        status: i32,
    },
    /// An operation came to an end; told again until it is acknowledged.
    OperationUpdated {
        operation: Vec<u8>,
        status: Box<OperationStatus>,
    },
}

/// What masters of earlier versions mean, who do not say it.
fn yes() -> bool {
    true
}

/// What an agent has and runs, as it comes back. Its id is in `info`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Reregistration {
    pub(crate) info: AgentInfo,
    /// All that it has, reserved and volumes as operations made them.
    pub(crate) total: Vec<Resource>,
    /// What it runs, and what ended without an acknowledgement yet.
    pub(crate) tasks: Vec<Task>,
    /// Executors that run, each with its framework in it. Executors of single commands are not told.
    pub(crate) executors: Vec<ExecutorInfo>,
    /// Whose tasks they are.
    pub(crate) frameworks: Vec<FrameworkInfo>,
    /// Operations whose end is not yet acknowledged.
    pub(crate) operations: Vec<Operation>,
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

/// A state as its number.
mod by_number {
    use super::TaskState;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(state: &TaskState, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_i32(*state as i32)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<TaskState, D::Error> {
        let number = i32::deserialize(from)?;
        Ok(TaskState::try_from(number).unwrap_or(TaskState::TaskUnknown))
    }
}
