use super::{Link, StreamId, drain::Drain, filters::Filters, waits::Waits};
use crate::core::{
    Now,
    link::is_terminal,
    resources::{ResourceError, Resources, Scalars},
};
use indexmap::IndexMap;
use mesos_proto::v1::{
    AgentInfo, ExecutorInfo, FrameworkInfo, MachineId, Task, TaskState, framework_info::capability,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    time::Duration,
};

/// A framework, subscribed or not.
#[derive(Debug, Clone)]
pub(crate) struct Framework {
    pub(crate) info: FrameworkInfo,
    /// Where its events go; none while it is disconnected.
    pub(crate) stream: Option<StreamId>,
    /// Known from agents that came back; it has not subscribed to this master yet.
    pub(crate) recovered: bool,
    pub(crate) suppressed: BTreeSet<String>,
    /// What it refused a while ago.
    pub(super) filters: Filters,
    /// Agents whose unavailability it was told of: asked again at this time.
    pub(crate) inverse_filters: HashMap<String, Duration>,
    pub(crate) tasks: IndexMap<String, Task>,
    /// Tasks on agents that are out of reach.
    pub(crate) unreachable_tasks: IndexMap<String, Task>,
    pub(crate) completed_tasks: VecDeque<Task>,
    /// What it has under each role, used and offered.
    pub(crate) allocated: BTreeMap<String, Scalars>,
    /// Why it waits, under each role.
    pub(crate) waits: BTreeMap<String, Waits>,
    pub(crate) registered: Duration,
    pub(crate) reregistered: Duration,
    pub(crate) unregistered: Option<Duration>,
    /// When it is given up unless it comes back, in elapsed time.
    pub(crate) gone_at: Option<Duration>,
}

impl Framework {
    pub(super) fn new(now: Now, info: FrameworkInfo) -> Self {
        Framework {
            info,
            stream: None,
            recovered: false,
            suppressed: BTreeSet::new(),
            filters: Filters::default(),
            inverse_filters: HashMap::new(),
            tasks: IndexMap::new(),
            unreachable_tasks: IndexMap::new(),
            completed_tasks: VecDeque::new(),
            allocated: BTreeMap::new(),
            waits: BTreeMap::new(),
            registered: now.wall,
            reregistered: now.wall,
            unregistered: None,
            gone_at: None,
        }
    }

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

    /// It has these, too.
    pub(super) fn count(&mut self, resources: &Resources) {
        for (role, scalars) in resources.by_role() {
            self.allocated.entry(role).or_default().add_all(&scalars);
        }
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
    pub(crate) reregistered: Option<Duration>,
    /// The way to it; none while there is none.
    pub(crate) link: Option<Link>,
    /// When it was last asked for a sign of life, in elapsed time.
    pub(super) pinged: Duration,
    /// Pings without an answer, one after the other.
    pub(super) missed: u32,
    /// By an operator: nothing of it is offered.
    pub(crate) deactivated: bool,
    pub(crate) drain: Option<Drain>,
    /// Executors of frameworks' own: by framework and id.
    pub(crate) executors: IndexMap<(String, String), ExecutorInfo>,
}

impl Agent {
    pub(super) fn new(
        mut info: AgentInfo,
        total: &[mesos_proto::v1::Resource],
        now: Now,
    ) -> Result<Self, ResourceError> {
        info.resources
            .iter_mut()
            .for_each(crate::core::resources::upgrade);
        let total = Resources::of(total)?;
        Ok(Agent {
            info,
            available: total.clone(),
            total,
            registered: now.wall,
            reregistered: None,
            link: None,
            pinged: now.elapsed,
            missed: 0,
            deactivated: false,
            drain: None,
            executors: IndexMap::new(),
        })
    }

    pub(crate) fn id(&self) -> &str {
        self.info.id.as_ref().map_or("", |id| &id.value)
    }

    /// Whether what it has may be offered.
    pub(crate) fn is_active(&self) -> bool {
        self.link.is_some() && !self.deactivated && self.drain.is_none()
    }

    /// Whether it runs on a machine; what is not named of it may be anything.
    pub(crate) fn is_on(&self, machine: &MachineId) -> bool {
        let named = |name: &Option<String>| {
            name.as_deref()
                .is_none_or(|name| name.is_empty() || name.eq_ignore_ascii_case(&self.info.hostname))
        };
        (machine.hostname.is_some() || machine.ip.is_some()) && named(&machine.hostname) && named(&machine.ip)
    }

    /// What executors of a framework use.
    pub(crate) fn executors_use(&self, framework: &str) -> Resources {
        let mut used = Resources::default();
        let own = self.executors.iter().filter(|((of, _), _)| of == framework);
        own.for_each(|(_, info)| used.add(&Resources::of(&info.resources).unwrap_or_default()));
        used
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

/// A framework is asked to leave an agent for a while.
#[derive(Debug, Clone)]
pub(crate) struct InverseOffer {
    pub(crate) framework: String,
    pub(crate) agent: String,
    pub(crate) shown: mesos_proto::v1::InverseOffer,
}

/// A task's state, whatever number a peer sent.
pub(crate) fn state_of(number: i32) -> TaskState {
    TaskState::try_from(number).unwrap_or(TaskState::TaskUnknown)
}
