use super::StreamId;
use crate::core::{
    Now,
    link::is_terminal,
    resources::{ResourceError, Resources},
};
use indexmap::IndexMap;
use mesos_proto::v1::{AgentInfo, FrameworkInfo, Task, TaskState, framework_info::capability};
use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

/// What a framework does not want for a while.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    pub(crate) role: String,
    pub(crate) agent: String,
    pub(crate) resources: Resources,
    /// In elapsed time.
    pub(crate) until: Duration,
}

/// A framework, subscribed or not.
#[derive(Debug, Clone)]
pub(crate) struct Framework {
    pub(crate) info: FrameworkInfo,
    /// Where its events go; none while it is disconnected.
    pub(crate) stream: Option<StreamId>,
    pub(crate) suppressed: BTreeSet<String>,
    pub(crate) filters: Vec<Filter>,
    pub(crate) tasks: IndexMap<String, Task>,
    pub(crate) completed_tasks: VecDeque<Task>,
    pub(crate) registered: Duration,
    pub(crate) reregistered: Duration,
    pub(crate) unregistered: Option<Duration>,
    /// When it is given up unless it comes back, in elapsed time.
    pub(crate) gone_at: Option<Duration>,
}

impl Framework {
    pub(crate) fn id(&self) -> &str {
        self.info.id.as_ref().map_or("", |id| &id.value)
    }

    /// The roles it is subscribed to.
    pub(crate) fn roles(&self) -> Vec<String> {
        match self.has(capability::Type::MultiRole) {
            true => self.info.roles.clone(),
            false => vec![self.info.role().to_owned()],
        }
    }

    pub(crate) fn has(&self, capability: capability::Type) -> bool {
        let mut all = self.info.capabilities.iter();
        all.any(|one| one.r#type == Some(capability as i32))
    }

    /// What its tasks that have not ended use, on one agent or on all.
    pub(crate) fn used(&self, agent: Option<&str>) -> Resources {
        let mut used = Resources::default();
        let running = self.tasks.values().filter(|task| !is_terminal(task.state()));
        for task in running.filter(|task| agent.is_none_or(|agent| task.agent_id.value == agent)) {
            used.add(&Resources::of(&task.resources).unwrap_or_default());
        }
        used
    }
}

/// An agent that is registered.
#[derive(Debug, Clone)]
pub(crate) struct Agent {
    pub(crate) info: AgentInfo,
    pub(crate) total: Resources,
    /// What is neither offered nor used, allocated to nobody.
    pub(crate) available: Resources,
    pub(crate) registered: Duration,
}

impl Agent {
    pub(crate) fn new(info: AgentInfo, now: Now) -> Result<Self, ResourceError> {
        let total = Resources::of(&info.resources)?;
        Ok(Agent {
            info,
            available: total.clone(),
            total,
            registered: now.wall,
        })
    }

    pub(crate) fn id(&self) -> &str {
        self.info.id.as_ref().map_or("", |id| &id.value)
    }
}

/// What is offered to a framework under one of its roles.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    pub(crate) framework: String,
    pub(crate) agent: String,
    pub(crate) role: String,
    /// Allocated to the role.
    pub(crate) resources: Resources,
    pub(crate) shown: mesos_proto::v1::Offer,
}

/// A task's state, whatever number a peer sent.
pub(crate) fn state_of(number: i32) -> TaskState {
    TaskState::try_from(number).unwrap_or(TaskState::TaskUnknown)
}
