//! A master and its agents, as they treat a framework that knows of partitions.

use crate::core::machine::{Effect, Input, Launch, Offer, Status, TaskState};
use server_kit::Random;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How a task came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Well,
    Badly,
    /// Its agent never came back.
    Gone,
    /// It ended well, and its agent was gone before that was acknowledged: the scheduler may have heard of it, or not.
    WellAndGone,
}

/// A task that really ran.
#[derive(Debug)]
struct Ran {
    task: String,
    job: String,
    due: i64,
    concurrent: bool,
    fate: Option<Fate>,
}

/// What an agent knows of a task, whether or not its process lives.
#[derive(Debug, Clone)]
struct OfAgent {
    state: TaskState,
    /// States that nobody has acknowledged, the oldest first.
    updates: VecDeque<(u64, TaskState)>,
}

#[derive(Debug)]
enum ToAgent {
    Launch(Box<Launch>),
    Acknowledge(String, u64),
    Kill(String),
}

/// The cluster. There is one agent at a time; the ones before it are gone for good.
#[derive(Default)]
pub(super) struct Cluster {
    /// Calls on their way, with the stream that they belong to.
    pub(super) calls: VecDeque<(u64, Effect)>,
    /// Events on their way to the framework.
    pub(super) events: VecDeque<Input>,
    /// The stream that the master listens to; it counts them.
    pub(super) stream: u64,
    pub(super) may_lose_agents: bool,
    /// What the master knows.
    tasks: BTreeMap<String, TaskState>,
    offers: BTreeSet<String>,
    offer_count: u64,
    joined: bool,
    to_agent: VecDeque<ToAgent>,
    agent: u64,
    of_agent: BTreeMap<String, OfAgent>,
    update_count: u64,
    ran: Vec<Ran>,
}

fn is_over(state: TaskState) -> bool {
    !matches!(state, TaskState::Staging | TaskState::Running)
}

fn one_of(tasks: &[String], dice: &Random) -> Option<String> {
    let at = usize::try_from(dice.below(tasks.len() as u64)).ok()?;
    tasks.get(at).cloned()
}

impl Cluster {
    fn agent_id(&self) -> String {
        format!("agent-{}", self.agent)
    }

    /// Another process, or another stream of the same: what was said on the one before is not listened to any more.
    pub(super) fn subscribe(&mut self) {
        self.stream += 1;
        self.events.clear();
        self.offers.clear();
    }

    fn tell(&mut self, task: &str, state: TaskState, uuid: Option<u64>) {
        self.events.push_back(Input::Status(Status {
            task: task.to_owned(),
            agent: Some(self.agent_id()),
            state,
            uuid: uuid.map(|uuid| uuid.to_be_bytes().to_vec()),
            message: String::new(),
        }));
    }

    pub(super) fn offer(&mut self) {
        if !self.joined || !self.offers.is_empty() {
            return;
        }
        self.offer_count += 1;
        let id = format!("offer-{}", self.offer_count);
        self.offers.insert(id.clone());
        self.events.push_back(Input::Offers(vec![Offer {
            id,
            agent: self.agent_id(),
            host: "host".to_owned(),
            cpus: 3.0,
            mem: 100.0,
            disk: 100.0,
            gpus: 0.0,
            attributes: Vec::new(),
        }]));
    }

    /// The next call arrives: calls come in the order in which they were made.
    pub(super) fn deliver_call(&mut self) {
        let Some((stream, call)) = self.calls.pop_front() else {
            return;
        };
        if stream != self.stream {
            return;
        }
        match call {
            Effect::Accept { offer, launches } => {
                let valid = self.offers.remove(&offer.id) && self.joined;
                for launch in launches {
                    if valid {
                        self.tasks.insert(launch.task.clone(), TaskState::Staging);
                        self.to_agent.push_back(ToAgent::Launch(Box::new(launch)));
                    } else {
                        self.tell(&launch.task, TaskState::Dropped, None);
                    }
                }
            }
            Effect::Decline { offers, .. } => self.offers.retain(|own| !offers.contains(own)),
            Effect::Acknowledge { task, uuid, .. } => {
                let uuid = u64::from_be_bytes(uuid.try_into().unwrap());
                // A task is history once the end that the framework was told of is acknowledged.
                let last = self
                    .of_agent
                    .get(&task)
                    .and_then(|own| own.updates.back().copied());
                if last.is_some_and(|(of, state)| of == uuid && is_over(state)) {
                    self.tasks.remove(&task);
                }
                self.to_agent.push_back(ToAgent::Acknowledge(task, uuid));
            }
            Effect::Kill { task, .. } => self.to_agent.push_back(ToAgent::Kill(task)),
            Effect::Reconcile(tasks) if tasks.is_empty() => {
                for (task, state) in self.tasks.clone() {
                    self.tell(&task, state, None);
                }
            }
            Effect::Reconcile(tasks) => tasks.iter().for_each(|(task, agent)| self.reconcile(task, agent)),
            Effect::Revive | Effect::Suppress => {}
        }
    }

    fn reconcile(&mut self, task: &str, agent: &str) {
        match self.tasks.get(task).copied() {
            Some(state) => self.tell(task, state, None),
            None if agent != self.agent_id() => self.tell(task, TaskState::Lost, None),
            // While its agent may come back nothing is said.
            None if !self.joined => {}
            None => self.tell(task, TaskState::Unknown, None),
        }
    }

    pub(super) fn deliver_to_agent(&mut self) {
        match self.to_agent.pop_front() {
            Some(ToAgent::Launch(launch)) => self.begin(*launch),
            Some(ToAgent::Acknowledge(task, uuid)) => {
                if let Some(own) = self.of_agent.get_mut(&task) {
                    if own.updates.front().is_some_and(|(first, _)| *first == uuid) {
                        own.updates.pop_front();
                    }
                    if own.updates.is_empty() && is_over(own.state) {
                        self.of_agent.remove(&task);
                    }
                }
            }
            Some(ToAgent::Kill(task)) => self.end(&task, TaskState::Killed, Fate::Badly),
            None => {}
        }
    }

    fn begin(&mut self, launch: Launch) {
        let known = OfAgent {
            state: TaskState::Running,
            updates: VecDeque::new(),
        };
        self.of_agent.insert(launch.task.clone(), known);
        self.update(&launch.task, TaskState::Running);
        self.ran.push(Ran {
            task: launch.task,
            concurrent: launch.job.concurrent,
            job: launch.job.name,
            due: launch.due,
            fate: None,
        });
    }

    fn end(&mut self, task: &str, state: TaskState, fate: Fate) {
        let lives = self.of_agent.get_mut(task).filter(|own| !is_over(own.state));
        if let Some(own) = lives {
            own.state = state;
            let mut all = self.ran.iter_mut();
            if let Some(ran) = all.find(|ran| ran.task == task && ran.fate.is_none()) {
                ran.fate = Some(fate);
            }
            self.update(task, state);
        }
    }

    fn update(&mut self, task: &str, state: TaskState) {
        self.update_count += 1;
        let uuid = self.update_count;
        if let Some(own) = self.of_agent.get_mut(task) {
            own.updates.push_back((uuid, state));
            if own.updates.len() == 1 {
                self.forward(task);
            }
        }
    }

    /// The oldest update that nobody has acknowledged goes to the framework, by the master.
    fn forward(&mut self, task: &str) {
        let first = self.of_agent.get(task).filter(|_| self.joined);
        let first = first.and_then(|own| Some((own.state, *own.updates.front()?)));
        if let Some((latest, (uuid, state))) = first {
            self.tasks.insert(task.to_owned(), latest);
            self.tell(task, state, Some(uuid));
        }
    }

    pub(super) fn resend(&mut self, dice: &Random) {
        let tasks: Vec<String> = self.of_agent.keys().cloned().collect();
        if let Some(task) = one_of(&tasks, dice) {
            self.forward(&task);
        }
    }

    /// A task comes to its end.
    pub(super) fn progress(&mut self, dice: &Random, calm: bool) {
        let live = self.of_agent.iter().filter(|(_, own)| !is_over(own.state));
        let live: Vec<String> = live.map(|(task, _)| task.clone()).collect();
        let Some(task) = one_of(&live, dice) else {
            return;
        };
        match calm || dice.below(4) > 0 {
            true => self.end(&task, TaskState::Finished, Fate::Well),
            false => self.end(&task, TaskState::Failed, Fate::Badly),
        }
    }

    /// The master dies, and knows of nothing when it is back.
    pub(super) fn master_dies(&mut self) {
        self.stream += 1;
        self.tasks.clear();
        self.offers.clear();
        self.events.clear();
        self.agent_away();
    }

    /// The way between agent and master breaks. What was on it is lost.
    pub(super) fn agent_away(&mut self) {
        self.joined = false;
        self.to_agent.clear();
    }

    /// The agent never comes back; another one takes its place.
    pub(super) fn agent_gone(&mut self) {
        if !self.may_lose_agents {
            return;
        }
        self.agent_away();
        for ran in &mut self.ran {
            ran.fate.get_or_insert(Fate::Gone);
        }
        for task in std::mem::take(&mut self.tasks).into_keys() {
            self.tell(&task, TaskState::Lost, None);
        }
        // Who has not heard of a good end has to run it again; who has must not be told otherwise.
        for task in std::mem::take(&mut self.of_agent).into_keys() {
            let mut all = self.ran.iter_mut();
            if let Some(ran) = all.rfind(|ran| ran.task == task && ran.fate == Some(Fate::Well)) {
                ran.fate = Some(Fate::WellAndGone);
            }
        }
        self.offers.clear();
        self.agent += 1;
    }

    /// The agent is with the master again, and tells all that it runs.
    pub(super) fn join(&mut self) {
        if self.joined {
            return;
        }
        self.joined = true;
        let tasks = std::mem::take(&mut self.tasks);
        for task in tasks
            .into_keys()
            .filter(|task| !self.of_agent.contains_key(task))
            .collect::<Vec<_>>()
        {
            self.tell(&task, TaskState::Dropped, None);
        }
        self.tasks = self
            .of_agent
            .iter()
            .map(|(task, own)| (task.clone(), own.state))
            .collect();
    }

    /// How often a run ended well.
    pub(super) fn ended_well(&self, job: &str, due: i64) -> usize {
        let of = |ran: &&Ran| ran.job == job && ran.due == due;
        let all = self.ran.iter().filter(of);
        all.filter(|ran| matches!(ran.fate, Some(Fate::Well | Fate::WellAndGone)))
            .count()
    }

    /// No run is begun while it still runs, or after it ended well; and a job that is not concurrent has one at a time.
    pub(super) fn judge(&self) {
        let mut runs: BTreeMap<(&str, i64), Vec<Option<Fate>>> = BTreeMap::new();
        let mut live: BTreeMap<&str, u32> = BTreeMap::new();
        for ran in &self.ran {
            let before = runs.entry((&ran.job, ran.due)).or_default();
            let may =
                |fate: &Option<Fate>| matches!(fate, Some(Fate::Badly | Fate::Gone | Fate::WellAndGone));
            assert!(before.iter().all(may), "{ran:?} begins after {before:?}");
            before.push(ran.fate);
            if ran.fate.is_none() && !ran.concurrent {
                *live.entry(&ran.job).or_default() += 1;
            }
        }
        for (job, count) in live {
            assert!(count <= 1, "{count} tasks of {job} run at once");
        }
    }
}
