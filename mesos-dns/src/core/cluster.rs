//! What runs in the cluster, as far as names tell of it.

use mesos_proto::v1::{
    AgentId, FrameworkId, Task as TaskMessage, TaskState, TaskStatus, master::Event, master::event,
    master::response,
};
use std::{collections::BTreeMap, net::IpAddr};

/// Ports of a task that have a name each. An agent has not many more to give.
const PORTS_MAX: usize = 4096;
/// Labels by which containerizers of old told a task's address.
const DOCKER_LABEL: &str = "Docker.NetworkSettings.IPAddress";
const MESOS_LABEL: &str = "MesosContainerizer.NetworkSettings.IPAddress";

/// What an event means for who listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Nothing that has a name changed.
    Nothing,
    /// Names may have changed.
    Changed,
    /// It tells of a task that is not known: all has to be asked for.
    Missed,
}

/// Everything that has a name.
#[derive(Debug, Default)]
pub(crate) struct Cluster {
    pub(crate) agents: BTreeMap<String, Agent>,
    pub(crate) frameworks: BTreeMap<String, Framework>,
}

/// Where an agent listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Agent {
    pub(crate) host: String,
    pub(crate) port: String,
}

/// A framework and its tasks that have not ended.
#[derive(Debug, Default)]
pub(crate) struct Framework {
    pub(crate) name: String,
    pub(crate) host: String,
    pub(crate) tasks: BTreeMap<String, Task>,
}

/// A task.
#[derive(Debug, Default)]
pub(crate) struct Task {
    pub(crate) name: String,
    pub(crate) agent: String,
    pub(crate) runs: bool,
    pub(crate) ports: Vec<u16>,
    pub(crate) discovery: Option<Discovery>,
    pub(crate) addresses: Addresses,
}

/// By what a task wants to be found.
#[derive(Debug, Default)]
pub(crate) struct Discovery {
    pub(crate) name: String,
    pub(crate) ports: Vec<Port>,
}

/// A port that a task tells of.
#[derive(Debug, Default)]
pub(crate) struct Port {
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) protocol: String,
    /// Its labels `network-scope` and `network-name`.
    pub(crate) scope: String,
    pub(crate) network: String,
}

/// The addresses that a task had when it was last heard to run.
#[derive(Debug, Default)]
pub(crate) struct Addresses {
    heard: Option<f64>,
    /// Of its container, with the name of the network.
    pub(crate) networks: Vec<(String, IpAddr)>,
    pub(crate) docker: Vec<IpAddr>,
    pub(crate) mesos: Vec<IpAddr>,
}

impl Cluster {
    /// All that there is, in place of what was known.
    pub(crate) fn of(state: &response::GetState) -> Self {
        let mut cluster = Cluster::default();
        for agent in state.get_agents.iter().flat_map(|all| &all.agents) {
            cluster.add_agent(agent);
        }
        for framework in state.get_frameworks.iter().flat_map(|all| &all.frameworks) {
            cluster.add_framework(framework);
        }
        let tasks = state.get_tasks.iter();
        for task in tasks.flat_map(|all| all.tasks.iter().chain(&all.unreachable_tasks)) {
            cluster.add_task(task);
        }
        cluster
    }

    /// Takes what a master tells. All that there is, which comes first, is taken by [`Cluster::of`].
    pub(crate) fn hear(&mut self, event: &Event) -> Meaning {
        match event.r#type() {
            event::Type::TaskAdded => {
                if let Some(added) = &event.task_added {
                    self.add_task(&added.task);
                }
            }
            event::Type::TaskUpdated => {
                return event.task_updated.as_ref().map_or(Meaning::Nothing, |told| {
                    self.update(&told.framework_id, &told.status, told.state())
                });
            }
            event::Type::AgentAdded => {
                if let Some(added) = &event.agent_added {
                    self.add_agent(&added.agent);
                }
            }
            event::Type::AgentRemoved => {
                if let Some(removed) = &event.agent_removed {
                    self.remove_agent(&removed.agent_id);
                }
            }
            event::Type::FrameworkAdded => {
                if let Some(added) = &event.framework_added {
                    self.add_framework(&added.framework);
                }
            }
            event::Type::FrameworkUpdated => {
                if let Some(updated) = &event.framework_updated {
                    self.add_framework(&updated.framework);
                }
            }
            event::Type::FrameworkRemoved => {
                if let Some(removed) = &event.framework_removed {
                    let id = removed.framework_info.id.as_ref();
                    self.frameworks.remove(id.map_or("", |id| &id.value));
                }
            }
            _ => return Meaning::Nothing,
        }
        Meaning::Changed
    }

    /// Tasks that have a name now.
    pub(crate) fn running(&self) -> usize {
        let tasks = self.frameworks.values().flat_map(|one| one.tasks.values());
        tasks.filter(|task| task.runs).count()
    }

    /// Hosts that somebody has to look up before they have an address.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = &str> {
        let agents = self.agents.values().map(|agent| agent.host.as_str());
        let frameworks = self.frameworks.values().map(|framework| framework.host.as_str());
        agents.chain(frameworks)
    }

    fn add_agent(&mut self, told: &response::get_agents::Agent) {
        let Some(id) = &told.agent_info.id else {
            return;
        };
        // The process by which it is reached: `slave(1)@host:port`.
        let place = told.pid.as_deref().and_then(|pid| pid.rsplit('@').next());
        let (host, port) = match place.and_then(|place| place.rsplit_once(':')) {
            Some((host, port)) => (host.trim_matches(['[', ']']).to_owned(), port.to_owned()),
            None => (
                told.agent_info.hostname.clone(),
                told.agent_info.port().to_string(),
            ),
        };
        self.agents.insert(id.value.clone(), Agent { host, port });
    }

    /// Its tasks have no name any more, whatever is said of them later.
    fn remove_agent(&mut self, id: &AgentId) {
        self.agents.remove(&id.value);
        for framework in self.frameworks.values_mut() {
            framework.tasks.retain(|_, task| task.agent != id.value);
        }
    }

    fn add_framework(&mut self, told: &response::get_frameworks::Framework) {
        let info = &told.framework_info;
        let Some(id) = &info.id else {
            return;
        };
        let framework = self.frameworks.entry(id.value.clone()).or_default();
        framework.name.clone_from(&info.name);
        framework.host = info.hostname.clone().unwrap_or_default();
    }

    fn add_task(&mut self, told: &TaskMessage) {
        if ended(told.state()) {
            return;
        }
        let framework = self
            .frameworks
            .entry(told.framework_id.value.clone())
            .or_default();
        let mut task = Task {
            name: told.name.clone(),
            agent: told.agent_id.value.clone(),
            runs: told.state() == TaskState::TaskRunning,
            ports: ports(told),
            discovery: discovery(told),
            addresses: Addresses::default(),
        };
        for status in &told.statuses {
            task.addresses.hear(status);
        }
        framework.tasks.insert(told.task_id.value.clone(), task);
    }

    fn update(&mut self, framework: &FrameworkId, status: &TaskStatus, state: TaskState) -> Meaning {
        let framework = self.frameworks.get_mut(&framework.value);
        let id = &status.task_id.value;
        let task = framework.and_then(|framework| match ended(state) {
            true => framework.tasks.remove(id).map(|_| None),
            false => framework.tasks.get_mut(id).map(Some),
        });
        match task {
            Some(Some(task)) => {
                task.runs = state == TaskState::TaskRunning;
                task.addresses.hear(status);
                Meaning::Changed
            }
            Some(None) => Meaning::Changed,
            None if ended(state) => Meaning::Nothing,
            None => Meaning::Missed,
        }
    }
}

impl Addresses {
    /// Takes the addresses of a status, where it is the newest of those in which the task runs.
    fn hear(&mut self, status: &TaskStatus) {
        let at = status.timestamp.unwrap_or_default();
        if status.state() != TaskState::TaskRunning || self.heard.is_some_and(|heard| heard >= at) {
            return;
        }
        let labels = status.labels.iter().flat_map(|all| &all.labels);
        let labelled = |key: &str| {
            let named = labels.clone().filter(|label| label.key == key);
            named
                .filter_map(|label| label.value.as_deref()?.parse().ok())
                .collect()
        };
        let container = status.container_status.iter();
        let networks = container.flat_map(|one| &one.network_infos).flat_map(|network| {
            let addresses = network.ip_addresses.iter();
            addresses.filter_map(|one| {
                let address = one.ip_address.as_deref()?.parse().ok()?;
                Some((network.name.clone().unwrap_or_default(), address))
            })
        });
        *self = Addresses {
            heard: Some(at),
            networks: networks.collect(),
            docker: labelled(DOCKER_LABEL),
            mesos: labelled(MESOS_LABEL),
        };
    }
}

/// Whether nothing follows. A task that is unreachable may be heard of again.
fn ended(state: TaskState) -> bool {
    use TaskState::{
        TaskDropped, TaskError, TaskFailed, TaskFinished, TaskGone, TaskGoneByOperator, TaskKilled,
    };
    let last = [
        TaskDropped,
        TaskError,
        TaskFailed,
        TaskFinished,
        TaskGone,
        TaskGoneByOperator,
        TaskKilled,
    ];
    last.contains(&state)
}

/// The ports that a task holds of its agent's.
fn ports(task: &TaskMessage) -> Vec<u16> {
    let resources = task.resources.iter().filter(|one| one.name == "ports");
    let ranges =
        resources.flat_map(|one: &mesos_proto::v1::Resource| one.ranges.iter().flat_map(|all| &all.range));
    let ports = ranges.flat_map(|range| {
        let begin = range.begin.min(u64::from(u16::MAX) + 1);
        begin..=range.end.min(u64::from(u16::MAX))
    });
    ports
        .take(PORTS_MAX)
        .filter_map(|port| u16::try_from(port).ok())
        .collect()
}

fn discovery(task: &TaskMessage) -> Option<Discovery> {
    let told = task.discovery.as_ref()?;
    let name = told.name.clone().filter(|name| !name.is_empty())?;
    let ports = told.ports.iter().flat_map(|all| &all.ports).take(PORTS_MAX);
    let ports = ports.map(|port| {
        let labels = port.labels.iter().flat_map(|all| &all.labels);
        let label = |key: &str| {
            let mut named = labels.clone().filter(|label| label.key == key);
            named
                .next_back()
                .and_then(|label| label.value.clone())
                .unwrap_or_default()
        };
        Port {
            number: port.number,
            name: port.name.clone().unwrap_or_default(),
            protocol: port.protocol.clone().unwrap_or_default(),
            scope: label("network-scope"),
            network: label("network-name"),
        }
    });
    Some(Discovery {
        name,
        ports: ports.collect(),
    })
}
