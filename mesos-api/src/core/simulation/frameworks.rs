//! The frameworks of the simulation: they read late or never, their streams break at any event, and their calls overtake
//! each other.

use super::{World, is_custom};
use crate::core::{link::is_terminal, master, resources::scalar};
use mesos_proto::v1::{
    CommandInfo, ExecutorId, ExecutorInfo, Filters, FrameworkId, FrameworkInfo, Offer, TaskId, TaskInfo,
    TaskState, TaskStatus, executor_info,
    framework_info::{Capability, capability},
    offer::{Operation, operation},
    scheduler::{Call, Event, call},
};
use std::collections::{BTreeMap, VecDeque};

/// Events that a framework may be behind before its stream is closed.
const UNREAD_MAX: usize = 8;

/// A framework, and what it has seen.
#[derive(Default)]
pub(super) struct Seen {
    id: String,
    /// Its event stream, while it has one; each has a name of its own.
    stream: Option<String>,
    streams: u32,
    unread: VecDeque<Event>,
    /// It does not read, however long.
    pub(super) mute: bool,
    /// What became of each task that was accepted, by the states the framework was told.
    pub(super) states: BTreeMap<String, Vec<TaskState>>,
    acknowledge: VecDeque<TaskStatus>,
    offers: VecDeque<Offer>,
}

impl World {
    /// Subscribes a framework that is not.
    pub(super) fn subscribe(&mut self, name: &str) {
        let seen = self.frameworks.get_mut(name).unwrap();
        if seen.stream.is_some() {
            return;
        }
        seen.streams += 1;
        let stream = format!("{name}/{}", seen.streams);
        seen.stream = Some(stream.clone());
        let info = FrameworkInfo {
            user: "root".to_owned(),
            id: Some(seen.id.clone())
                .filter(|id| !id.is_empty())
                .map(|value| FrameworkId { value }),
            failover_timeout: Some(1e6),
            name: name.to_owned(),
            roles: vec!["*".to_owned()],
            capabilities: vec![Capability {
                r#type: Some(capability::Type::MultiRole as i32),
            }],
            ..FrameworkInfo::default()
        };
        let call = Call {
            framework_id: info.id.clone(),
            subscribe: Some(call::Subscribe {
                framework_info: info,
                ..call::Subscribe::default()
            }),
            ..Call::default()
        };
        let call = Box::new(call);
        self.master_step(master::Input::Subscribe { stream, call });
        if self.frameworks[name].id.is_empty() {
            // What it is called is the one thing that it must have heard.
            self.read(name);
        }
    }

    /// An event is on its way to a framework. Answers whether its stream is to be closed: it does not read.
    pub(super) fn event(&mut self, stream: &str, event: Event) -> bool {
        let mut all = self.frameworks.values_mut();
        let Some(seen) = all.find(|one| one.stream.as_deref() == Some(stream)) else {
            return false;
        };
        let full = seen.unread.len() >= UNREAD_MAX;
        match full {
            true => seen.closed(),
            false => seen.unread.push_back(event),
        }
        full
    }

    /// The stream of a framework breaks between two events.
    pub(super) fn cut(&mut self, name: &str) {
        let seen = self.frameworks.get_mut(name).unwrap();
        let stream = seen.stream.clone();
        seen.closed();
        if let Some(stream) = stream {
            self.master_step(master::Input::Closed { stream });
        }
    }

    /// The master is gone, and every stream with it.
    pub(super) fn cut_all(&mut self) {
        self.frameworks.values_mut().for_each(Seen::closed);
        self.calls.clear();
    }

    /// A framework reads one event.
    pub(super) fn read(&mut self, name: &str) {
        let seen = self.frameworks.get_mut(name).unwrap();
        let Some(event) = seen.unread.pop_front() else {
            return;
        };
        if let Some(subscribed) = event.subscribed {
            seen.id = subscribed.framework_id.value;
        }
        seen.offers.extend(event.offers.unwrap_or_default().offers);
        if let Some(update) = event.update {
            let task = update.status.task_id.value.clone();
            seen.states.entry(task).or_default().push(update.status.state());
            if update.status.uuid.is_some() {
                seen.acknowledge.push_back(update.status);
            }
        }
    }

    /// Each call has a connection of its own: which one arrives first is chance.
    fn call(&mut self, name: &str, fill: impl FnOnce(&mut Call)) {
        let seen = &self.frameworks[name];
        let value = seen.id.clone();
        let mut call = Call {
            framework_id: Some(FrameworkId { value }),
            ..Call::default()
        };
        fill(&mut call);
        self.calls.push((seen.stream.clone(), call));
    }

    pub(super) fn deliver_call(&mut self) {
        if self.calls.is_empty() {
            return;
        }
        let at = self.dice.index(self.calls.len());
        let (stream, call) = self.calls.swap_remove(at);
        let call = Box::new(call);
        self.master_step(master::Input::Call { stream, call });
    }

    /// Takes an offer for a task: a command, or one whose executor will never say a word.
    pub(super) fn launch(&mut self, name: &str) {
        let offer = self.frameworks.get_mut(name).unwrap().offers.pop_front();
        let Some(offer) = offer else { return };
        self.tasks += 1;
        let silent = self.dice.below(6) == 0;
        let cpus = f64::from(u32::try_from(self.dice.below(25)).unwrap()) / 10.0;
        let id = format!("{}{}", if silent { "silent" } else { "t" }, self.tasks);
        let executor = ExecutorInfo {
            r#type: Some(executor_info::Type::Custom as i32),
            executor_id: ExecutorId { value: id.clone() },
            command: Some(CommandInfo::default()),
            ..ExecutorInfo::default()
        };
        let custom = is_custom(&id);
        let task = TaskInfo {
            name: id.clone(),
            task_id: TaskId { value: id.clone() },
            agent_id: offer.agent_id.clone(),
            resources: vec![scalar("cpus", cpus), scalar("mem", 32.0)],
            command: (!custom).then(CommandInfo::default),
            executor: custom.then_some(executor),
            ..TaskInfo::default()
        };
        let seen = self.frameworks.get_mut(name).unwrap();
        seen.states.insert(id, Vec::new());
        let operation = Operation {
            r#type: Some(operation::Type::Launch as i32),
            launch: Some(operation::Launch {
                task_infos: vec![task],
            }),
            ..Operation::default()
        };
        self.call(name, |call| {
            call.r#type = Some(call::Type::Accept as i32);
            call.accept = Some(call::Accept {
                offer_ids: vec![offer.id],
                operations: vec![operation],
                filters: Some(Filters {
                    refuse_seconds: Some(0.0),
                }),
            });
        });
    }

    pub(super) fn acknowledge(&mut self, name: &str) {
        let heard = self.frameworks.get_mut(name).unwrap().acknowledge.pop_front();
        let Some(status) = heard else { return };
        self.call(name, |call| {
            call.r#type = Some(call::Type::Acknowledge as i32);
            call.acknowledge = Some(call::Acknowledge {
                agent_id: status.agent_id.unwrap_or_default(),
                task_id: status.task_id,
                uuid: status.uuid.unwrap_or_default(),
            });
        });
    }

    pub(super) fn kill_one(&mut self, name: &str) {
        let Some(task) = self.frameworks[name].states.keys().next_back().cloned() else {
            return;
        };
        self.call(name, |call| {
            call.r#type = Some(call::Type::Kill as i32);
            call.kill = Some(call::Kill {
                task_id: TaskId { value: task },
                ..call::Kill::default()
            });
        });
    }

    /// A framework asks for its tasks whose end it does not know.
    pub(super) fn reconcile(&mut self, name: &str) {
        let agent_id = self.agent.info.id.clone();
        let open = self.frameworks[name].states.iter();
        let open = open.filter(|(_, states)| states.last().is_none_or(|state| !is_terminal(*state)));
        let tasks: Vec<call::reconcile::Task> = open
            .map(|(task, _)| call::reconcile::Task {
                task_id: TaskId { value: task.clone() },
                agent_id: agent_id.clone(),
            })
            .collect();
        if !tasks.is_empty() {
            self.call(name, |call| {
                call.r#type = Some(call::Type::Reconcile as i32);
                call.reconcile = Some(call::Reconcile { tasks });
            });
        }
    }
}

impl Seen {
    /// One that has seen nothing, and reads, unless it is mute.
    pub(super) fn new(mute: bool) -> Self {
        Seen {
            mute,
            ..Seen::default()
        }
    }

    /// What was not read is lost, and what was offered is not any more.
    fn closed(&mut self) {
        self.stream = None;
        self.unread.clear();
        self.offers.clear();
    }

    /// The master closes a stream.
    pub(super) fn turned_away(&mut self, stream: &str) {
        if self.stream.as_deref() == Some(stream) {
            self.closed();
        }
    }
}
