//! A master, an agent and frameworks on a manual clock: messages are lost, late and repeated, connections break and
//! masters follow one another, as a seed says.
//! A failing seed is printed by proptest, and replays.

use super::{
    Now,
    agent::{self, Agent, Ended},
    link::{ToAgent, ToMaster, is_terminal},
    master::{self, Change, Master, Policy, Registered},
    resources::{Resources, scalar},
};
use mesos_proto::v1::{
    AgentInfo, CommandInfo, Filters, FrameworkId, FrameworkInfo, MasterInfo, TaskId, TaskInfo, TaskState,
    TaskStatus,
    framework_info::{Capability, capability},
    offer::{Operation, operation},
    scheduler::{Call, Event, call},
};
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// Chance from a seed: xorshift.
struct Dice(u64);

impl Dice {
    fn below(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

#[derive(Default)]
struct Seen {
    id: String,
    /// What became of each task that was accepted, by the states the framework was told.
    states: BTreeMap<String, Vec<TaskState>>,
    acknowledge: VecDeque<TaskStatus>,
    offers: VecDeque<mesos_proto::v1::Offer>,
}

struct World {
    dice: Dice,
    now: Now,
    master: Master,
    agent: Agent,
    to_agent: VecDeque<ToAgent>,
    to_master: VecDeque<ToMaster>,
    frameworks: BTreeMap<String, Seen>,
    /// Containers whose process runs.
    running: Vec<String>,
    launched: BTreeMap<String, u32>,
    /// What the agent keeps: who it is, and its executors.
    kept_agent: Option<AgentInfo>,
    kept: BTreeMap<String, String>,
    uuids: u128,
    tasks: u64,
    /// What the master made durable.
    registered: Registered,
    /// The way between agent and master: a new one after each break.
    link: u64,
    masters: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let info = AgentInfo {
            hostname: "a".to_owned(),
            resources: vec![scalar("cpus", 2.0), scalar("mem", 1024.0)],
            ..AgentInfo::default()
        };
        let mut world = World {
            dice: Dice(seed | 1),
            now: Now::default(),
            master: new_master(0, Now::default(), Registered::default()),
            agent: Agent::new(info),
            to_agent: VecDeque::new(),
            to_master: VecDeque::new(),
            frameworks: BTreeMap::new(),
            running: Vec::new(),
            launched: BTreeMap::new(),
            kept_agent: None,
            kept: BTreeMap::new(),
            uuids: 0,
            tasks: 0,
            registered: Registered::default(),
            link: 1,
            masters: 0,
        };
        world.agent_step(agent::Input::Connected);
        for stream in ["s0", "s1"] {
            world.frameworks.insert(stream.to_owned(), Seen::default());
            world.subscribe(stream);
        }
        world
    }

    fn subscribe(&mut self, stream: &str) {
        let info = FrameworkInfo {
            user: "root".to_owned(),
            id: Some(self.frameworks[stream].id.clone())
                .filter(|id| !id.is_empty())
                .map(|value| FrameworkId { value }),
            failover_timeout: Some(1e6),
            name: stream.to_owned(),
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
        self.master_step(master::Input::Subscribe {
            stream: stream.to_owned(),
            call: Box::new(call),
        });
    }

    fn master_step(&mut self, input: master::Input) {
        let effects = self.master.step(self.now, input).unwrap_or_default();
        for effect in effects {
            match effect {
                master::Effect::Event { stream, event } => self.event(&stream, *event),
                master::Effect::Agent { message, .. } => self.to_agent.push_back(message),
                master::Effect::Store(change) => self.keep(change),
                master::Effect::Close { .. } | master::Effect::Unlink { .. } | master::Effect::Told(_) => {}
            }
        }
        self.check();
    }

    fn agent_step(&mut self, input: agent::Input) {
        self.agent_step_until(input, usize::MAX);
    }

    /// A step of which the agent does only so much of what it wants.
    fn agent_step_until(&mut self, input: agent::Input, most: usize) {
        let uuids = &mut self.uuids;
        let mut uuid = || {
            *uuids += 1;
            uuid::Uuid::from_u128(*uuids)
        };
        for effect in self.agent.step(self.now, input, &mut uuid).into_iter().take(most) {
            match effect {
                agent::Effect::Keep { container } => {
                    match self.agent.kept(&container) {
                        Some(kept) => self.kept.insert(container, serde_json::to_string(&kept).unwrap()),
                        None => self.kept.remove(&container),
                    };
                }
                agent::Effect::KeepAgent => self.kept_agent = Some(self.agent.info.clone()),
                agent::Effect::Master(message) => self.to_master.push_back(message),
                agent::Effect::Launch(run) => {
                    let task = self.agent.executors[&run.container].id().to_owned();
                    *self.launched.entry(task).or_default() += 1;
                    self.running.push(run.container);
                }
                agent::Effect::Signal { .. } | agent::Effect::Event { .. } | agent::Effect::Close { .. } => {}
            }
        }
    }

    fn event(&mut self, stream: &str, event: Event) {
        let Some(seen) = self.frameworks.get_mut(stream) else {
            return;
        };
        if let Some(subscribed) = event.subscribed {
            seen.id = subscribed.framework_id.value;
        }
        seen.offers.extend(event.offers.unwrap_or_default().offers);
        if let Some(update) = event.update {
            let states = seen
                .states
                .entry(update.status.task_id.value.clone())
                .or_default();
            states.push(update.status.state());
            if update.status.uuid.is_some() {
                seen.acknowledge.push_back(update.status);
            }
        }
    }

    fn call(&mut self, stream: &str, fill: impl FnOnce(&mut Call)) {
        let mut call = Call {
            framework_id: Some(FrameworkId {
                value: self.frameworks[stream].id.clone(),
            }),
            ..Call::default()
        };
        fill(&mut call);
        self.master_step(master::Input::Call {
            stream: Some(stream.to_owned()),
            call: Box::new(call),
        });
    }

    fn launch(&mut self, stream: &str) {
        let Some(offer) = self
            .frameworks
            .get_mut(stream)
            .and_then(|seen| seen.offers.pop_front())
        else {
            return;
        };
        self.tasks += 1;
        let id = format!("t{}", self.tasks);
        let cpus = f64::from(u32::try_from(self.dice.below(25)).unwrap_or(0)) / 10.0;
        let task = TaskInfo {
            name: id.clone(),
            task_id: TaskId { value: id.clone() },
            agent_id: offer.agent_id.clone(),
            resources: vec![scalar("cpus", cpus), scalar("mem", 32.0)],
            command: Some(CommandInfo::default()),
            ..TaskInfo::default()
        };
        self.frameworks
            .get_mut(stream)
            .unwrap()
            .states
            .insert(id, Vec::new());
        let operation = Operation {
            r#type: Some(operation::Type::Launch as i32),
            launch: Some(operation::Launch {
                task_infos: vec![task],
            }),
            ..Operation::default()
        };
        self.call(stream, |call| {
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

    fn acknowledge(&mut self, stream: &str) {
        let Some(status) = self
            .frameworks
            .get_mut(stream)
            .and_then(|seen| seen.acknowledge.pop_front())
        else {
            return;
        };
        self.call(stream, |call| {
            call.r#type = Some(call::Type::Acknowledge as i32);
            call.acknowledge = Some(call::Acknowledge {
                agent_id: status.agent_id.unwrap_or_default(),
                task_id: status.task_id,
                uuid: status.uuid.unwrap_or_default(),
            });
        });
    }

    fn kill_one(&mut self, stream: &str) {
        let Some(task) = self.frameworks[stream].states.keys().next_back().cloned() else {
            return;
        };
        self.call(stream, |call| {
            call.r#type = Some(call::Type::Kill as i32);
            call.kill = Some(call::Kill {
                task_id: TaskId { value: task },
                ..call::Kill::default()
            });
        });
    }

    /// Delivers one message to the master: updates may get lost on the way, registrations do not.
    fn deliver_to_master(&mut self, may_lose: bool) {
        let Some(message) = self.to_master.pop_front() else {
            return;
        };
        let lost = may_lose && matches!(message, ToMaster::Update { .. }) && self.dice.below(4) == 0;
        if !lost {
            let link = self.link;
            self.master_step(master::Input::Agent { link, message });
        }
    }

    fn deliver_to_agent(&mut self) {
        if let Some(message) = self.to_agent.pop_front() {
            self.agent_step(agent::Input::Master(message));
        }
    }

    fn process(&mut self) {
        if self.running.is_empty() {
            return;
        }
        let at = usize::try_from(self.dice.below(self.running.len() as u64)).unwrap_or(0);
        let container = self.running[at].clone();
        let started = self
            .agent
            .executors
            .get(&container)
            .is_some_and(|one| one.tasks.values().any(|task| task.process.pid.is_some()));
        if !started {
            return self.agent_step(agent::Input::Started { container, pid: 7 });
        }
        self.running.remove(at);
        let ended = match self.dice.below(3) {
            0 => Ended::Exited(0),
            1 => Ended::Exited(3),
            _ => Ended::Signalled(15),
        };
        self.agent_step(agent::Input::Exited { container, ended });
    }

    fn pass(&mut self, time: Duration) {
        self.now.elapsed += time;
        self.now.wall += time;
        self.master_step(master::Input::Tick);
        self.agent_step(agent::Input::Tick);
    }

    /// What the next master will know.
    fn keep(&mut self, change: Change) {
        match change {
            Change::Admitted { info, kept } => {
                self.registered.admitted.retain(|(known, _)| known.id != info.id);
                self.registered
                    .unreachable
                    .retain(|(id, ..)| Some(id) != info.id.as_ref().map(|id| &id.value));
                self.registered.admitted.push((*info, kept));
            }
            Change::Unreachable { agent, since, kept } => {
                let other = |info: &AgentInfo| info.id.as_ref().is_none_or(|id| id.value != agent);
                self.registered.admitted.retain(|(info, _)| other(info));
                self.registered.unreachable.push((agent, since, kept));
            }
            other => panic!("nobody asked for {other:?}"),
        }
    }

    /// The connection of the agent breaks: what is under way is lost, and another one is made.
    fn break_link(&mut self) {
        self.to_agent.clear();
        self.to_master.clear();
        self.master_step(master::Input::Unlinked { link: self.link });
        self.link += 1;
        self.agent_step(agent::Input::Connected);
    }

    /// The agent is killed in the middle of a step, and started again: its processes went on.
    fn crash_agent(&mut self) {
        let most = usize::try_from(self.dice.below(4)).unwrap_or(0);
        match self.to_agent.pop_front() {
            Some(message) => self.agent_step_until(agent::Input::Master(message), most),
            None => self.agent_step_until(agent::Input::Tick, most),
        }
        let mut info = self.agent.info.clone();
        info.id = self.kept_agent.clone().and_then(|kept| kept.id);
        self.agent = Agent::new(info);
        let kept = self.kept.values().map(|kept| serde_json::from_str(kept).unwrap());
        self.agent.restore(self.now, kept.collect(), Vec::new());
        let known: Vec<String> = self.agent.processes().map(|(_, id, _)| id.to_owned()).collect();
        self.running.retain(|container| known.contains(container));
        for container in known {
            if !self.running.contains(&container) {
                self.agent_step(agent::Input::Lost { container });
            } else if self.dice.below(2) == 0 {
                self.agent_step(agent::Input::Started { container, pid: 7 });
            }
        }
        self.break_link();
    }

    /// The master is killed; another one takes its place, and everybody comes to it.
    fn next_master(&mut self) {
        self.masters += 1;
        self.master = new_master(self.masters, self.now, self.registered.clone());
        self.to_agent.clear();
        self.to_master.clear();
        self.link += 1;
        self.agent_step(agent::Input::Connected);
        for stream in ["s0", "s1"] {
            let seen = self.frameworks.get_mut(stream).unwrap();
            seen.offers.clear();
            self.subscribe(stream);
        }
    }

    /// A framework asks for its tasks whose end it does not know.
    fn reconcile(&mut self, stream: &str) {
        let agent_id = self.agent.info.id.clone();
        let open = self.frameworks[stream].states.iter();
        let open = open.filter(|(_, states)| states.last().is_none_or(|state| !is_terminal(*state)));
        let tasks: Vec<call::reconcile::Task> = open
            .map(|(task, _)| call::reconcile::Task {
                task_id: TaskId { value: task.clone() },
                agent_id: agent_id.clone(),
            })
            .collect();
        if !tasks.is_empty() {
            self.call(stream, |call| {
                call.r#type = Some(call::Type::Reconcile as i32);
                call.reconcile = Some(call::Reconcile { tasks });
            });
        }
    }

    fn act(&mut self) {
        match self.dice.below(60) {
            0 => return self.next_master(),
            1 => return self.break_link(),
            2 => return self.crash_agent(),
            _ => {}
        }
        let stream = if self.dice.below(2) == 0 { "s0" } else { "s1" };
        match self.dice.below(10) {
            0 | 1 => self.launch(stream),
            2 => self.acknowledge(stream),
            3 => self.kill_one(stream),
            4 | 5 => self.deliver_to_master(true),
            6 | 7 => self.deliver_to_agent(),
            8 => self.process(),
            _ => self.pass(Duration::from_secs(1)),
        }
    }

    /// Nothing is lost any more: everything comes to its end.
    fn settle(&mut self) {
        for round in 0..2000 {
            if round % 200 == 100 {
                self.reconcile("s0");
                self.reconcile("s1");
            }
            self.deliver_to_master(false);
            self.deliver_to_agent();
            self.process();
            self.acknowledge("s0");
            self.acknowledge("s1");
            if self.to_master.is_empty() && self.to_agent.is_empty() && self.running.is_empty() {
                self.pass(Duration::from_secs(30));
            }
        }
    }

    /// What an agent has is available, offered or used, and never more than there is.
    fn check(&self) {
        for agent in self.master.agents.values() {
            let mut all = agent.available.clone();
            for offer in self
                .master
                .offers
                .values()
                .filter(|offer| offer.agent == agent.id())
            {
                all.add(&offer.resources.unallocated());
            }
            for framework in self.master.frameworks.values() {
                all.add(&framework.used(Some(agent.id())).unallocated());
            }
            for name in ["cpus", "mem"] {
                assert_eq!(all.scalar(name), agent.total.scalar(name), "{name} of {all:?}");
            }
        }
    }
}

/// A master after others: what it gives out is named by its own id.
fn new_master(number: u64, now: Now, registered: Registered) -> Master {
    let info = MasterInfo {
        id: format!("m{number}"),
        ..MasterInfo::default()
    };
    Master::new(now, info, Policy::default(), registered)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_task_runs_once_and_its_end_is_told(seed in any::<u64>()) {
        let mut world = World::new(seed);
        for _ in 0..400 {
            world.act();
        }
        world.settle();
        for count in world.launched.values() {
            prop_assert_eq!(*count, 1);
        }
        for (id, states) in world.frameworks.values().flat_map(|seen| &seen.states) {
            let last = states.last().copied();
            prop_assert!(last.is_some_and(is_terminal), "{}: {:?}", id, states);
        }
        prop_assert!(world.agent.executors.is_empty());
        prop_assert!(world.kept.is_empty());
        prop_assert!(world.master.frameworks.values().all(|one| one.tasks.is_empty()));
        prop_assert_eq!(
            Resources::default(),
            world.master.frameworks.values().fold(Resources::default(), |mut sum, one| {
                sum.add(&one.used(None));
                sum
            })
        );
    }
}
