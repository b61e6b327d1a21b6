//! A master, an agent and frameworks on a manual clock: messages are lost, late, repeated and overtake each other, the
//! network parts, streams are cut and not read, executors say nothing, and masters follow one another, as a seed says.
//! A failing seed is printed by proptest, and replays.
//!
//! Rooms: `frameworks` (what they ask and read). Knows: the cores' inputs and effects. Never: a socket, a clock.

mod frameworks;

use super::{
    Now,
    agent::{self, Agent, Ended, Signal},
    link::{ToAgent, ToMaster, is_terminal},
    master::{self, Change, Master, Policy, Registered},
    resources::{Resources, scalar},
};
use frameworks::Seen;
use mesos_proto::v1::{AgentInfo, MasterInfo, scheduler::Call};
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

const NAMES: [&str; 2] = ["f0", "f1"];

/// Chance from a seed: xorshift.
struct Dice(u64);

impl Dice {
    fn below(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }

    /// A place in a list that has some.
    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap()
    }
}

struct World {
    dice: Dice,
    now: Now,
    master: Master,
    agent: Agent,
    to_agent: VecDeque<ToAgent>,
    to_master: VecDeque<ToMaster>,
    frameworks: BTreeMap<String, Seen>,
    /// What frameworks have called, each with its stream, and the master has not heard yet.
    calls: Vec<(Option<String>, Call)>,
    /// Containers whose process runs, or is about to.
    running: Vec<String>,
    pids: BTreeMap<String, u32>,
    /// Containers that were given up before they began.
    cancelled: Vec<String>,
    /// Pids that were told by a signal that nobody can ignore.
    killed: BTreeSet<u32>,
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
    /// Nothing arrives at either end of it, and neither knows.
    parted: bool,
    /// The master has closed it.
    unlinked: bool,
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
            calls: Vec::new(),
            running: Vec::new(),
            pids: BTreeMap::new(),
            cancelled: Vec::new(),
            killed: BTreeSet::new(),
            launched: BTreeMap::new(),
            kept_agent: None,
            kept: BTreeMap::new(),
            uuids: 0,
            tasks: 0,
            registered: Registered::default(),
            link: 1,
            parted: false,
            unlinked: false,
            masters: 0,
        };
        world.agent_step(agent::Input::Connected);
        for name in NAMES {
            let mute = world.dice.below(4) == 0;
            world.frameworks.insert(name.to_owned(), Seen::new(mute));
            world.subscribe(name);
        }
        world
    }

    fn master_step(&mut self, input: master::Input) {
        let effects = self.master.step(self.now, input).unwrap_or_default();
        let mut behind = Vec::new();
        for effect in effects {
            match effect {
                master::Effect::Event { stream, event } => {
                    if self.event(&stream, *event) {
                        behind.push(stream);
                    }
                }
                master::Effect::Agent { link, message } if link == self.link && !self.unlinked => {
                    self.to_agent.push_back(message);
                }
                master::Effect::Store(change) => self.keep(change),
                master::Effect::Close { stream } => {
                    let mut all = self.frameworks.values_mut();
                    all.by_ref().for_each(|seen| seen.turned_away(&stream));
                }
                master::Effect::Unlink { link } => self.unlinked |= link == self.link,
                master::Effect::Agent { .. } | master::Effect::Told(_) => {}
            }
        }
        for stream in behind {
            self.master_step(master::Input::Closed { stream });
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
                agent::Effect::Cancel { container } => {
                    if let Some(at) = self.running.iter().position(|one| *one == container)
                        && !self.pids.contains_key(&container)
                    {
                        self.running.remove(at);
                        self.cancelled.push(container);
                    }
                }
                agent::Effect::Signal { pid, signal } => {
                    if signal == Signal::Kill {
                        self.killed.insert(pid);
                    }
                }
                // Sockets and files are not simulated. What is new is not forgotten here.
                agent::Effect::KeepAsked { .. }
                | agent::Effect::Begun { .. }
                | agent::Effect::Over { .. }
                | agent::Effect::Limit { .. }
                | agent::Effect::Ended { .. }
                | agent::Effect::RemoveSandbox { .. }
                | agent::Effect::Probe(_)
                | agent::Effect::EndProbes { .. }
                | agent::Effect::Event { .. }
                | agent::Effect::Close { .. } => {}
            }
        }
    }

    /// Delivers one message to the master: updates may get lost on the way or come twice, registrations do not.
    fn deliver_to_master(&mut self, surely: bool) {
        if self.parted {
            return;
        }
        let Some(message) = self.to_master.pop_front() else {
            return;
        };
        let chance = !surely && matches!(message, ToMaster::Update { .. });
        let (lost, twice) = (
            chance && self.dice.below(4) == 0,
            chance && self.dice.below(8) == 0,
        );
        if twice {
            self.to_master.push_back(message.clone());
        }
        if !lost {
            let link = self.link;
            self.master_step(master::Input::Agent { link, message });
        }
    }

    fn deliver_to_agent(&mut self) {
        if self.parted {
            return;
        }
        if let Some(message) = self.to_agent.pop_front() {
            self.agent_step(agent::Input::Master(message));
        }
    }

    fn process(&mut self) {
        if let Some(container) = self.cancelled.pop() {
            let why = "Container destroyed during launch".to_owned();
            return self.agent_step(agent::Input::Failed { container, why });
        }
        if self.running.is_empty() {
            return;
        }
        let at = self.dice.index(self.running.len());
        let container = self.running[at].clone();
        let unknown = self
            .agent
            .processes()
            .any(|(_, id, process)| id == container && process.alive().is_none());
        if unknown {
            return self.begun(container);
        }
        let killed = self
            .pids
            .get(&container)
            .is_some_and(|pid| self.killed.contains(pid));
        if self.is_silent(&container) && !killed {
            return;
        }
        self.running.remove(at);
        let ended = match self.dice.below(3) {
            _ if killed => Ended::Signalled(9),
            0 => Ended::Exited(0),
            1 => Ended::Exited(3),
            _ => Ended::Signalled(15),
        };
        self.agent_step(agent::Input::Exited { container, ended });
    }

    /// The agent learns of a process that it has started, or finds again.
    fn begun(&mut self, container: String) {
        let next = u32::try_from(self.pids.len()).unwrap() + 1;
        let pid = *self.pids.entry(container.clone()).or_insert(next);
        self.agent_step(agent::Input::Started { container, pid });
    }

    /// Whether a container is that of an executor which never says anything, and ends only when it is killed.
    fn is_silent(&self, container: &str) -> bool {
        let executor = self.agent.executors.get(container);
        executor.is_some_and(|executor| is_custom(executor.id()))
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
        (self.parted, self.unlinked) = (false, false);
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
        self.agent
            .restore(self.now, kept.collect(), Vec::new(), Vec::new());
        self.cancelled.clear();
        let known: Vec<String> = self.agent.processes().map(|(_, id, _)| id.to_owned()).collect();
        self.running.retain(|container| known.contains(container));
        for container in known {
            if !self.running.contains(&container) {
                self.agent_step(agent::Input::Lost { container });
            } else if self.dice.below(2) == 0 {
                self.begun(container);
            }
        }
        self.break_link();
    }

    /// The master is killed; another one takes its place, and everybody comes to it.
    fn next_master(&mut self) {
        self.masters += 1;
        self.cut_all();
        (self.parted, self.unlinked) = (false, false);
        self.master = new_master(self.masters, self.now, self.registered.clone());
        self.to_agent.clear();
        self.to_master.clear();
        self.link += 1;
        self.agent_step(agent::Input::Connected);
        NAMES.iter().for_each(|name| self.subscribe(name));
    }

    fn act(&mut self) {
        if self.unlinked {
            return self.break_link();
        }
        match self.dice.below(90) {
            0 => return self.next_master(),
            1 => return self.break_link(),
            2 | 3 => return self.crash_agent(),
            4 => self.parted = true,
            _ if self.parted && self.dice.below(30) == 0 => return self.break_link(),
            _ => {}
        }
        let name = NAMES[self.dice.index(NAMES.len())];
        match self.dice.below(16) {
            0 | 1 => self.launch(name),
            2 => self.acknowledge(name),
            3 => self.kill_one(name),
            4 | 5 => self.deliver_to_master(false),
            6 | 7 => self.deliver_to_agent(),
            8 => self.process(),
            9 | 10 => self.deliver_call(),
            11 if self.dice.below(8) == 0 => self.cut(name),
            11 | 12 => self.subscribe(name),
            13 | 14 if !self.frameworks[name].mute => self.read(name),
            // A master gives up an agent that it does not hear for a minute and a half.
            15 if self.parted => self.pass(Duration::from_secs(20)),
            _ => self.pass(Duration::from_secs(1)),
        }
    }

    /// Nothing is lost any more: everything comes to its end.
    fn settle(&mut self) {
        self.break_link();
        for round in 0..2000 {
            for name in NAMES {
                self.subscribe(name);
                if round % 200 == 100 {
                    self.reconcile(name);
                }
                (0..4).for_each(|_| self.read(name));
                self.acknowledge(name);
            }
            if self.unlinked {
                self.break_link();
            }
            (0..4).for_each(|_| self.deliver_call());
            self.deliver_to_master(true);
            self.deliver_to_agent();
            self.process();
            let waits = self.running.iter().all(|container| self.is_silent(container));
            if self.to_master.is_empty() && self.to_agent.is_empty() && waits {
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

/// Whether a task has an executor of its own, by its id.
fn is_custom(id: &str) -> bool {
    id.starts_with("silent")
}

/// A master after others: what it gives out is named by its own id.
fn new_master(number: u64, now: Now, registered: Registered) -> Master {
    let info = MasterInfo {
        id: format!("m{number}"),
        ..MasterInfo::default()
    };
    Master::new(now, info, Policy::default(), registered)
}

/// How many there are: `SMACK_SEEDS`, or few enough for every change.
fn worlds() -> ProptestConfig {
    let named = std::env::var("SMACK_SEEDS").ok();
    ProptestConfig::with_cases(named.and_then(|text| text.parse().ok()).unwrap_or(64))
}

proptest! {
    #![proptest_config(worlds())]

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
