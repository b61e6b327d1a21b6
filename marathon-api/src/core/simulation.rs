//! Marathon, a Mesos and its agents on a manual clock: calls and updates are lost, Marathon is killed at any moment and comes
//! back with what was stored, streams break, agents die. A failing seed is printed by proptest, and replays.
//!
//! Knows: the core's inputs and effects. Never: a socket, a clock.

use super::{
    Change, Command, Core, Effect, Input, Instance, Kept, Now, PathId, Timestamp,
    app::{App, AppUpdate},
    commands::Kill,
    tests::{offer, said},
};
use mesos_proto::v1::{
    AgentId, Offer, TaskId, TaskInfo, TaskState, TaskStatus,
    scheduler::{Call, Event, call, event},
};
use proptest::prelude::*;
use server_kit::Random;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

const APPS: [&str; 3] = ["/a", "/b", "/g/c"];
const HOSTS: [&str; 3] = ["a1", "a2", "b1"];

/// A task as Mesos has it.
struct Task {
    host: &'static str,
    state: TaskState,
    /// Killed, and about to end.
    ends: bool,
}

struct World {
    dice: Random,
    now: Now,
    core: Core,
    kept: Kept,
    /// Calls on their way, each with the stream it was made by.
    calls: VecDeque<(u64, Call)>,
    /// Events on their way.
    events: VecDeque<Event>,
    stream: u64,
    /// Tasks that run, or would.
    tasks: BTreeMap<String, Task>,
    /// Every task that was ever launched, and how often.
    launched: BTreeMap<String, u32>,
    offers: BTreeMap<String, &'static str>,
    offer: u64,
    suppressed: bool,
    away: Option<&'static str>,
}

impl World {
    fn new(seed: u64) -> Self {
        let now = Now {
            wall: Timestamp(1_000_000),
            elapsed: Duration::ZERO,
        };
        let mut world = World {
            dice: Random::from_seed(seed),
            now,
            core: Core::new(now, 10_000..=20_000, Kept::default()),
            kept: Kept::default(),
            calls: VecDeque::new(),
            events: VecDeque::new(),
            stream: 0,
            tasks: BTreeMap::new(),
            launched: BTreeMap::new(),
            offers: BTreeMap::new(),
            offer: 0,
            suppressed: false,
            away: None,
        };
        world.subscribe();
        world
    }

    fn step(&mut self, input: Input) {
        let (_, effects) = self.core.step(self.now, &self.dice, input);
        for effect in effects {
            match effect {
                Effect::Store(change) => keep(&mut self.kept, change),
                Effect::Call(call) => self.calls.push_back((self.stream, *call)),
                Effect::Tell(_) => {}
            }
        }
    }

    /// A new stream: what was offered is void, and calls of the old one are refused.
    fn subscribe(&mut self) {
        self.stream += 1;
        self.offers.clear();
        self.events.clear();
        self.suppressed = false;
        self.step(Input::Subscribed {
            framework_id: "f".to_owned(),
        });
    }

    /// The process dies; another one begins with what was stored.
    fn die(&mut self) {
        self.core = Core::new(self.now, 10_000..=20_000, self.kept.clone());
        self.subscribe();
    }

    fn tell(&mut self, id: &str, state: TaskState, host: &str) {
        let status = TaskStatus {
            task_id: TaskId { value: id.to_owned() },
            state: state as i32,
            agent_id: Some(AgentId {
                value: format!("agent-{host}"),
            }),
            ..TaskStatus::default()
        };
        self.events.push_back(Event {
            r#type: Some(event::Type::Update as i32),
            update: Some(event::Update { status }),
            ..Event::default()
        });
    }

    /// Mesos takes a call.
    fn take(&mut self, stream: u64, call: Call) {
        if stream != self.stream {
            return;
        }
        match call.r#type() {
            call::Type::Accept => self.accept(&call.accept.unwrap()),
            call::Type::Decline => {
                for id in call.decline.unwrap().offer_ids {
                    self.offers.remove(&id.value);
                }
            }
            call::Type::Kill => {
                let id = call.kill.unwrap().task_id.value;
                match self.tasks.get_mut(&id) {
                    Some(task) => task.ends = true,
                    None => self.tell(&id, TaskState::TaskGone, "a1"),
                }
            }
            call::Type::Reconcile => {
                let asked = call.reconcile.unwrap().tasks;
                let ids: Vec<String> = match asked.is_empty() {
                    true => self.tasks.keys().cloned().collect(),
                    false => asked.into_iter().map(|task| task.task_id.value).collect(),
                };
                for id in ids {
                    let (state, host) = match self.tasks.get(&id) {
                        Some(task) if self.away == Some(task.host) => (TaskState::TaskUnreachable, task.host),
                        Some(task) => (task.state, task.host),
                        None => (TaskState::TaskGone, "a1"),
                    };
                    self.tell(&id, state, host);
                }
            }
            call::Type::Revive => self.suppressed = false,
            call::Type::Suppress => self.suppressed = true,
            _ => {}
        }
    }

    fn accept(&mut self, accept: &call::Accept) {
        let host = accept
            .offer_ids
            .iter()
            .find_map(|id| self.offers.remove(&id.value));
        let operations = accept.operations.iter().filter_map(|one| one.launch.as_ref());
        let tasks: Vec<TaskInfo> = operations.flat_map(|launch| launch.task_infos.clone()).collect();
        for task in tasks {
            let id = task.task_id.value;
            match host.filter(|host| self.away != Some(*host)) {
                Some(host) => {
                    *self.launched.entry(id.clone()).or_default() += 1;
                    let state = TaskState::TaskStaging;
                    self.tasks.insert(
                        id,
                        Task {
                            host,
                            state,
                            ends: false,
                        },
                    );
                }
                None => self.tell(&id, TaskState::TaskDropped, "a1"),
            }
        }
    }

    /// Something happens by itself in Mesos.
    fn live(&mut self) {
        let ids: Vec<String> = self.tasks.keys().cloned().collect();
        let Some(id) = ids.get(usize::try_from(self.dice.below(ids.len() as u64)).unwrap()) else {
            return;
        };
        let task = &self.tasks[id];
        let host = task.host;
        if self.away == Some(host) {
            return;
        }
        let ended = match (task.ends, task.state) {
            (true, _) => Some(TaskState::TaskKilled),
            (_, TaskState::TaskRunning) if self.dice.below(40) == 0 => Some(TaskState::TaskFailed),
            _ => None,
        };
        if let Some(state) = ended {
            self.tasks.remove(id);
            self.tell(id, state, host);
            return;
        }
        let next = match task.state {
            TaskState::TaskStaging => TaskState::TaskStarting,
            TaskState::TaskStarting => TaskState::TaskRunning,
            _ => return,
        };
        self.tasks.get_mut(id).unwrap().state = next;
        self.tell(id, next, host);
    }

    fn send_offers(&mut self) {
        if self.suppressed {
            return;
        }
        let out: Vec<&str> = self.offers.values().copied().collect();
        let free = HOSTS
            .into_iter()
            .filter(|host| !out.contains(host) && self.away != Some(*host));
        let hosts: Vec<&'static str> = free.collect();
        let mut offers: Vec<Offer> = Vec::new();
        for host in hosts {
            self.offer += 1;
            let made = offer(self.offer, host, 4.0);
            self.offers.insert(made.id.value.clone(), host);
            offers.push(made);
        }
        if !offers.is_empty() {
            self.events.push_back(Event {
                r#type: Some(event::Type::Offers as i32),
                offers: Some(event::Offers { offers }),
                ..Event::default()
            });
        }
    }

    /// An agent dies with all that it runs, or is away for a time.
    fn lose_agent(&mut self) {
        if let Some(host) = self.away.take() {
            let back: Vec<(String, TaskState)> = self
                .tasks
                .iter()
                .filter(|(_, task)| task.host == host)
                .map(|(id, task)| (id.clone(), task.state))
                .collect();
            for (id, state) in back {
                self.tell(&id, state, host);
            }
            return;
        }
        let host = HOSTS[usize::try_from(self.dice.below(3)).unwrap()];
        let there: Vec<String> = self
            .tasks
            .iter()
            .filter(|(_, task)| task.host == host)
            .map(|(id, _)| id.clone())
            .collect();
        let dies = self.dice.below(2) == 0;
        if !dies {
            self.away = Some(host);
        }
        for id in there {
            if dies {
                self.tasks.remove(&id);
            }
            self.tell(
                &id,
                if dies {
                    TaskState::TaskGone
                } else {
                    TaskState::TaskUnreachable
                },
                host,
            );
        }
    }

    fn ask(&mut self) {
        let id = APPS[usize::try_from(self.dice.below(3)).unwrap()];
        let path = PathId::new(id);
        let force = self.dice.below(2) == 0;
        let update = |update| Command::Update {
            updates: vec![(path.clone(), update)],
            partial: true,
            create: true,
            force,
        };
        let instances = u32::try_from(self.dice.below(5)).unwrap();
        let command = match self.dice.below(8) {
            0 | 1 => Command::Create {
                update: Box::new(said(id, instances)),
                force,
            },
            2 | 3 => update(AppUpdate {
                id: None,
                ..said(id, instances)
            }),
            4 => update(AppUpdate {
                cmd: Some(format!("sleep {}", self.dice.below(1000))),
                ..AppUpdate::default()
            }),
            5 => Command::Restart { app: path, force },
            6 => Command::Remove { app: path, force },
            _ => Command::Kill(Kill {
                apps: vec![path],
                scale: self.dice.below(2) == 0,
                ..Kill::default()
            }),
        };
        self.step(Input::Command(Box::new(command)));
    }

    fn deliver(&mut self) {
        if let Some((stream, call)) = self.calls.pop_front() {
            self.take(stream, call);
        }
        if let Some(event) = self.events.pop_front() {
            self.step(Input::Event(Box::new(event)));
        }
    }

    fn pass(&mut self, ms: u64) {
        self.now.elapsed += Duration::from_millis(ms);
        self.now.wall = self.now.wall.plus(i64::try_from(ms).unwrap());
        self.step(Input::Tick);
    }

    fn trouble(&mut self) {
        match self.dice.below(100) {
            0 => self.die(),
            1 => {
                // What was on its way is lost with the stream.
                self.step(Input::Disconnected);
                self.calls.clear();
                self.subscribe();
            }
            2 => self.lose_agent(),
            3..8 => self.ask(),
            8..20 => self.send_offers(),
            20..60 => self.live(),
            60..70 => self.pass(self.dice.below(1500)),
            _ => self.deliver(),
        }
    }

    /// Lets everything come to rest.
    fn rest(&mut self) {
        if self.away.is_some() {
            self.lose_agent();
        }
        for _ in 0..3000 {
            self.deliver();
            self.deliver();
            self.send_offers();
            for _ in 0..3 {
                self.live_without_failures();
            }
            self.pass(400);
            if self.is_at_rest() {
                return;
            }
        }
    }

    fn live_without_failures(&mut self) {
        let ids: Vec<String> = self.tasks.keys().cloned().collect();
        for id in ids {
            let task = self.tasks.get_mut(&id).unwrap();
            let host = task.host;
            let next = match (task.ends, task.state) {
                (true, _) => {
                    self.tasks.remove(&id);
                    TaskState::TaskKilled
                }
                (_, TaskState::TaskRunning) => continue,
                _ => {
                    task.state = TaskState::TaskRunning;
                    TaskState::TaskRunning
                }
            };
            self.tell(&id, next, host);
        }
    }

    fn is_at_rest(&self) -> bool {
        let quiet = self.calls.is_empty() && self.events.is_empty();
        quiet && self.core.deployments.is_empty() && self.core.queue.is_empty() && self.counts_are_right()
    }

    /// Every app has as many tasks in Mesos as it wants, all of them known, and there is nothing else.
    fn counts_are_right(&self) -> bool {
        let mut running: BTreeMap<PathId, u32> = BTreeMap::new();
        for id in self.tasks.keys() {
            let Some((app, instance)) = Instance::of_task(id) else {
                return false;
            };
            if !self.core.instances_of(&app).any(|one| one.id == instance) {
                return false;
            }
            *running.entry(app).or_default() += 1;
        }
        let wanted = self.core.apps.values().filter(|app| app.instances > 0);
        let wanted: BTreeMap<PathId, u32> = wanted.map(|app| (app.id.clone(), app.instances)).collect();
        running == wanted && self.core.all_instances().count() == self.tasks.len()
    }
}

fn keep(kept: &mut Kept, change: Change) {
    fn put<T>(all: &mut Vec<T>, new: T, same: impl Fn(&T) -> bool) {
        all.retain(|one| !same(one));
        all.push(new);
    }
    let owned = |app: Arc<App>| (*app).clone();
    match change {
        Change::FrameworkId(id) => kept.framework_id = Some(id),
        Change::App(app) => put(&mut kept.apps, owned(app.clone()), |one| one.id == app.id),
        Change::AppRemoved(id) => kept.apps.retain(|one| one.id != id),
        Change::Version(app) => put(&mut kept.versions, owned(app.clone()), |one| {
            one.id == app.id && one.version == app.version
        }),
        Change::VersionRemoved(id, version) => {
            kept.versions.retain(|one| one.id != id || one.version != version)
        }
        Change::Instance(instance) => {
            let id = instance.id.clone();
            put(&mut kept.instances, *instance, |one| one.id == id);
        }
        Change::InstanceRemoved(id) => kept.instances.retain(|one| one.id != id),
        Change::Deployment(deployment) => {
            let id = deployment.id.clone();
            put(&mut kept.deployments, *deployment, |one| one.id == id);
        }
        Change::DeploymentRemoved(id) => kept.deployments.retain(|one| one.id != id),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn no_instance_is_doubled_or_forgotten(seed: u64) {
        let mut world = World::new(seed);
        for _ in 0..400 {
            world.trouble();
        }
        world.rest();
        prop_assert!(world.launched.values().all(|times| *times == 1), "a task was launched twice");
        prop_assert!(
            world.is_at_rest(),
            "deployments {:?}, queue {:?}, tasks {:?}, instances {:?}",
            world.core.deployments,
            world.core.queue.keys(),
            world.tasks.keys(),
            world.core.all_instances().collect::<Vec<_>>()
        );
    }
}
