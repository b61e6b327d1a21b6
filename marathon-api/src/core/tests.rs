//! The core, one input after the other, with a Mesos that does what it is told.

use super::{
    app::AppUpdate,
    commands::{Deployed, Kill},
    *,
};
use mesos_proto::v1::{
    AgentId, Attribute, FrameworkId, Offer, OfferId, Resource, TaskInfo, TaskState, TaskStatus,
    scheduler::{Event, call, event},
    value,
};

/// A core and what it wants, in order.
pub(super) struct World {
    pub(super) core: Core,
    pub(super) random: Random,
    pub(super) now: Now,
    pub(super) stored: Vec<Change>,
    pub(super) calls: Vec<Call>,
    told: Vec<told::Told>,
    offers: u64,
}

pub(super) fn scalar(name: &str, value: f64) -> Resource {
    Resource {
        name: name.to_owned(),
        r#type: value::Type::Scalar as i32,
        scalar: Some(value::Scalar { value }),
        ..Resource::default()
    }
}

pub(super) fn ports(begin: u64, end: u64) -> Resource {
    Resource {
        name: "ports".to_owned(),
        r#type: value::Type::Ranges as i32,
        ranges: Some(value::Ranges {
            range: vec![value::Range { begin, end }],
        }),
        ..Resource::default()
    }
}

pub(super) fn offer(id: u64, host: &str, cpus: f64) -> Offer {
    Offer {
        id: OfferId {
            value: format!("o{id}"),
        },
        framework_id: FrameworkId {
            value: "f".to_owned(),
        },
        agent_id: AgentId {
            value: format!("agent-{host}"),
        },
        hostname: host.to_owned(),
        resources: vec![
            scalar("cpus", cpus),
            scalar("mem", 4096.0),
            scalar("disk", 1000.0),
            ports(31_000, 31_999),
        ],
        attributes: vec![Attribute {
            name: "rack".to_owned(),
            r#type: value::Type::Text as i32,
            text: Some(value::Text {
                value: host[..1].to_owned(),
            }),
            ..Attribute::default()
        }],
        ..Offer::default()
    }
}

/// What is said of an app that runs for long.
pub(super) fn said(id: &str, instances: u32) -> AppUpdate {
    AppUpdate {
        id: Some(id.to_owned()),
        cmd: Some("sleep 1000".to_owned()),
        instances: Some(instances),
        cpus: Some(0.1),
        mem: Some(32.0),
        ..AppUpdate::default()
    }
}

impl World {
    pub(super) fn new(kept: Kept) -> Self {
        let now = Now {
            wall: Timestamp(1_000_000),
            elapsed: Duration::from_secs(1),
        };
        let mut world = World {
            core: Core::new(now, 10_000..=10_010, kept),
            random: Random::from_seed(7),
            now,
            stored: Vec::new(),
            calls: Vec::new(),
            told: Vec::new(),
            offers: 0,
        };
        let _ = world.input(Input::Subscribed {
            framework_id: "f".to_owned(),
        });
        world
    }

    pub(super) fn input(&mut self, input: Input) -> Result<Done, Refused> {
        let (done, effects) = self.core.step(self.now, &self.random, input);
        let mut called = false;
        for effect in effects {
            match effect {
                Effect::Store(change) => {
                    assert!(!called, "what is stored comes first");
                    self.stored.push(change);
                }
                Effect::Call(call) => {
                    called = true;
                    self.calls.push(*call);
                }
                Effect::Tell(told) => self.told.push(*told),
            }
        }
        done
    }

    pub(super) fn command(&mut self, command: Command) -> Result<Done, Refused> {
        self.input(Input::Command(Box::new(command)))
    }

    fn create(&mut self, update: AppUpdate) -> Deployed {
        let update = Box::new(update);
        match self.command(Command::Create { update, force: false }) {
            Ok(Done::Created(_, deployed)) => deployed,
            other => panic!("{other:?}"),
        }
    }

    fn update(&mut self, id: &str, update: AppUpdate) -> Result<Done, Refused> {
        self.command(Command::Update {
            updates: vec![(PathId::new(id), update)],
            partial: true,
            create: true,
            force: false,
        })
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.now.elapsed += time;
        self.now.wall = self.now.wall.plus(i64::try_from(time.as_millis()).unwrap());
        self.input(Input::Tick).unwrap();
    }

    fn offer(&mut self, hosts: &[&str], cpus: f64) -> Vec<TaskInfo> {
        let mut offers = Vec::new();
        for host in hosts {
            self.offers += 1;
            offers.push(offer(self.offers, host, cpus));
        }
        let before = self.calls.len();
        self.event(Event {
            r#type: Some(event::Type::Offers as i32),
            offers: Some(event::Offers { offers }),
            ..Event::default()
        });
        launched(&self.calls[before..])
    }

    pub(super) fn event(&mut self, event: Event) {
        self.input(Input::Event(Box::new(event))).unwrap();
    }

    pub(super) fn tell(&mut self, task: &str, state: TaskState, more: TaskStatus) {
        let status = TaskStatus {
            task_id: mesos_proto::v1::TaskId {
                value: task.to_owned(),
            },
            state: state as i32,
            agent_id: Some(AgentId {
                value: "agent-a1".to_owned(),
            }),
            uuid: Some(vec![7]),
            ..more
        };
        self.event(Event {
            r#type: Some(event::Type::Update as i32),
            update: Some(event::Update { status }),
            ..Event::default()
        });
    }

    /// Offers enough, and lets everything run that is launched.
    fn run(&mut self) -> Vec<String> {
        let tasks = self.offer(&["a1", "b1"], 4.0);
        let ids: Vec<String> = tasks.into_iter().map(|task| task.task_id.value).collect();
        for id in &ids {
            self.tell(id, TaskState::TaskRunning, TaskStatus::default());
        }
        ids
    }

    /// What is to be killed since it was last asked for; it ends.
    fn end_killed(&mut self) -> Vec<String> {
        let kills: Vec<String> = self
            .calls
            .drain(..)
            .filter_map(|call| Some(call.kill?.task_id.value))
            .collect();
        for id in &kills {
            self.tell(id, TaskState::TaskKilled, TaskStatus::default());
        }
        kills
    }

    fn count(&self, id: &str) -> usize {
        self.core.instances_of(&PathId::new(id)).count()
    }
}

pub(super) fn launched(calls: &[Call]) -> Vec<TaskInfo> {
    let accepted = calls.iter().filter_map(|call| call.accept.as_ref());
    let operations = accepted.flat_map(|accept| &accept.operations);
    operations
        .filter_map(|operation| operation.launch.as_ref())
        .flat_map(|launch| launch.task_infos.clone())
        .collect()
}

#[test]
fn an_app_runs_with_the_environment_of_the_original() {
    let mut world = World::new(Kept::default());
    let deployed = world.create(AppUpdate {
        env: Some([("A".to_owned(), "b".to_owned())].into()),
        labels: Some([("my-label".to_owned(), "x".to_owned())].into()),
        ports: Some(vec![0, 0]),
        ..said("/g/web", 1)
    });
    assert_eq!(world.core.deployments[0].id, deployed.id);
    let tasks = world.offer(&["a1"], 4.0);
    let task = &tasks[0];
    assert_eq!(task.name, "web.g");
    let id = &task.task_id.value;
    assert!(
        id.starts_with("g_web.instance-") && id.ends_with("._app.1"),
        "{id}"
    );
    let variables = &task
        .command
        .as_ref()
        .unwrap()
        .environment
        .as_ref()
        .unwrap()
        .variables;
    let of = |name: &str| {
        variables
            .iter()
            .find(|one| one.name == name)
            .map(|one| one.value())
    };
    let port = task.discovery.as_ref().unwrap().ports.as_ref().unwrap().ports[0]
        .number
        .to_string();
    for (name, value) in [
        ("MARATHON_APP_ID", "/g/web"),
        ("MARATHON_APP_RESOURCE_CPUS", "0.1"),
        ("MARATHON_APP_RESOURCE_MEM", "32.0"),
        ("MARATHON_APP_LABELS", "MY_LABEL"),
        ("MARATHON_APP_LABEL_MY_LABEL", "x"),
        ("HOST", "a1"),
        ("A", "b"),
        ("PORT", port.as_str()),
        ("PORT0", port.as_str()),
        ("PORT_10000", port.as_str()),
        ("MESOS_TASK_ID", id.as_str()),
    ] {
        assert_eq!(of(name), Some(value), "{name}");
    }
    assert!(of("PORT1").is_some() && of("PORTS").unwrap().contains(','));
    world.tell(id, TaskState::TaskRunning, TaskStatus::default());
    assert!(world.core.deployments.is_empty());
    assert!(
        world
            .told
            .iter()
            .any(|told| matches!(told, Told::Deployment(told::Stage::Done, _)))
    );
    assert!(world.told.iter().any(|told| matches!(
        told,
        Told::Status {
            state: "TASK_RUNNING",
            ..
        }
    )));
    assert!(world.calls.iter().any(|call| call.acknowledge.is_some()));
    assert!(
        world
            .calls
            .iter()
            .any(|call| call.r#type() == call::Type::Suppress)
    );
}

#[test]
fn service_ports_are_nobody_elses() {
    let mut world = World::new(Kept::default());
    let service = |world: &World, id: &str| {
        let app = &world.core.apps[&PathId::new(id)];
        app.service_ports().collect::<Vec<_>>()
    };
    world.create(AppUpdate {
        ports: Some(vec![10_001, 0]),
        ..said("/a", 0)
    });
    assert_eq!(service(&world, "/a"), [10_001, 10_000]);
    world.create(said("/b", 0));
    assert_eq!(service(&world, "/b"), [10_002]);
    // Those that it has stay.
    world
        .update(
            "/b",
            AppUpdate {
                ports: Some(vec![0, 0]),
                ..AppUpdate::default()
            },
        )
        .unwrap();
    assert_eq!(service(&world, "/b"), [10_002, 10_003]);
    let many = AppUpdate {
        ports: Some(vec![0; 9]),
        ..said("/c", 0)
    };
    let refused = world.command(Command::Create {
        update: Box::new(many),
        force: false,
    });
    assert_eq!(refused, Err(Refused::PortsExhausted(10_000, 10_010)));
}

#[test]
fn scaling_launches_and_kills_the_youngest() {
    let mut world = World::new(Kept::default());
    world.create(said("/a", 1));
    let first = world.run();
    world.pass(Duration::from_secs(5));
    let scale = |instances| AppUpdate {
        instances: Some(instances),
        ..AppUpdate::default()
    };
    world.update("/a", scale(3)).unwrap();
    assert_eq!(
        world.update("/a", scale(4)),
        Err(Refused::Locked(vec![world.core.deployments[0].id.clone()]))
    );
    let more = world.run();
    assert_eq!((more.len(), world.core.deployments.len()), (2, 0));
    world.calls.clear();
    world.update("/a", scale(1)).unwrap();
    let killed = world.end_killed();
    assert_eq!(killed.len(), 2);
    assert!(!killed.contains(&first[0]));
    assert_eq!((world.count("/a"), world.core.deployments.len()), (1, 0));
    let app = &world.core.apps[&PathId::new("/a")];
    assert!(app.version_info.last_config_change_at < app.version_info.last_scaling_at);
}

#[test]
fn an_upgrade_never_has_too_few() {
    let mut world = World::new(Kept::default());
    world.create(said("/a", 3));
    let old = world.run();
    world.calls.clear();
    world
        .update(
            "/a",
            AppUpdate {
                cmd: Some("sleep 2000".to_owned()),
                upgrade_strategy: Some(app::UpgradeStrategy {
                    maximum_over_capacity: 0.0,
                    minimum_health_capacity: 1.0,
                }),
                ..AppUpdate::default()
            },
        )
        .unwrap();
    for _ in 0..3 {
        assert!(
            world.calls.iter().all(|call| call.kill.is_none()),
            "none goes before one has come"
        );
        assert_eq!(world.run().len(), 1, "one more than there are, and not two");
        let killed = world.end_killed();
        assert!(killed.len() == 1 && old.contains(&killed[0]));
    }
    assert!(world.core.deployments.is_empty());
    assert_eq!(world.count("/a"), 3);
    // What the upgrade took back comes again by a rollback to the first version.
    let versions: Vec<Timestamp> = world.core.versions[&PathId::new("/a")].keys().copied().collect();
    world
        .update(
            "/a",
            AppUpdate {
                version: Some(versions[0]),
                ..AppUpdate::default()
            },
        )
        .unwrap();
    let app = &world.core.apps[&PathId::new("/a")];
    assert_eq!(app.cmd.as_deref(), Some("sleep 1000"));
    assert!(!versions.contains(&app.version));
}

#[test]
fn what_fails_waits_longer_each_time() {
    let mut world = World::new(Kept::default());
    world.create(said("/a", 1));
    let mut delays = Vec::new();
    for _ in 0..3 {
        let task = world.offer(&["a1"], 1.0).remove(0).task_id.value;
        let failed = TaskStatus {
            message: Some("exit 1".to_owned()),
            ..TaskStatus::default()
        };
        world.tell(&task, TaskState::TaskFailed, failed);
        assert!(world.offer(&["a1"], 1.0).is_empty(), "it waits");
        let app = world.core.apps[&PathId::new("/a")].clone();
        delays.push(world.core.delay(&app).unwrap().delay);
        world.calls.clear();
        world.pass(Duration::from_secs(2));
        assert!(world.calls.iter().any(|call| call.r#type() == call::Type::Revive));
    }
    assert!(delays[0] == Duration::from_secs(1) && delays[1] > delays[0] && delays[2] > delays[1]);
    assert_eq!(world.core.failures[&PathId::new("/a")].message, "exit 1");
}

#[test]
fn why_an_app_waits_is_known() {
    let mut world = World::new(Kept::default());
    world.create(AppUpdate {
        cpus: Some(8.0),
        constraints: Some(vec![vec!["rack".to_owned(), "LIKE".to_owned(), "b".to_owned()]]),
        ..said("/big", 1)
    });
    assert!(world.offer(&["a1", "b1"], 4.0).is_empty());
    let queued = &world.core.queue[&PathId::new("/big")];
    let steps = queued.last_offers();
    assert_eq!(steps[1], ("UnfulfilledConstraint", 1, 2));
    assert_eq!(steps[3], ("InsufficientCpus", 1, 1));
    assert_eq!((queued.processed, queued.unused, queued.count), (2, 2, 1));
    let declined: Vec<_> = world
        .calls
        .iter()
        .filter_map(|call| call.decline.as_ref())
        .collect();
    assert_eq!(declined[0].offer_ids.len(), 2);
}

#[test]
fn killing_replaces_unless_it_scales() {
    let mut world = World::new(Kept::default());
    world.create(said("/a", 2));
    let tasks = world.run();
    let ids = Instance::of_task(&tasks[0]).map(|(_, id)| vec![id]);
    let kill = |scale| {
        Command::Kill(Kill {
            apps: vec![PathId::new("/a")],
            ids: ids.clone(),
            scale,
            ..Kill::default()
        })
    };
    world.calls.clear();
    let done = world.command(kill(false)).unwrap();
    assert!(matches!(done, Done::Killed(killed) if killed.len() == 1));
    assert_eq!(world.end_killed(), [tasks[0].clone()]);
    let replaced = world.run();
    assert_eq!((replaced.len(), world.count("/a")), (1, 2));
    let ids = Instance::of_task(&replaced[0]).map(|(_, id)| vec![id]);
    world.calls.clear();
    world
        .command(Command::Kill(Kill {
            apps: vec![PathId::new("/a")],
            ids,
            scale: true,
            ..Kill::default()
        }))
        .unwrap();
    assert_eq!(world.end_killed(), replaced);
    assert_eq!((world.run().len(), world.count("/a")), (0, 1));
    assert_eq!(world.core.apps[&PathId::new("/a")].instances, 1);
}

#[test]
fn a_removed_app_leaves_nothing() {
    let mut world = World::new(Kept::default());
    world.create(said("/a", 2));
    world.run();
    world.calls.clear();
    let remove = Command::Remove {
        app: PathId::new("/a"),
        force: false,
    };
    world.command(remove).unwrap();
    assert!(world.core.apps.is_empty() && world.core.deployments.len() == 1);
    assert_eq!(world.end_killed().len(), 2);
    assert!(world.core.deployments.is_empty() && world.core.versions.is_empty());
    assert!(world.core.instances.is_empty() && world.core.queue.is_empty());
    assert!(
        world
            .stored
            .iter()
            .any(|change| matches!(change, Change::VersionRemoved(..)))
    );
}

#[test]
fn a_deployment_is_taken_back() {
    let mut world = World::new(Kept::default());
    world.create(said("/a", 1));
    world.run();
    let update = AppUpdate {
        cmd: Some("false".to_owned()),
        ..AppUpdate::default()
    };
    let Ok(Done::Deployed(deployed)) = world.update("/a", update) else {
        panic!("it was not deployed");
    };
    let cancel = Command::Cancel {
        deployment: deployed.id,
        force: false,
    };
    world.command(cancel).unwrap();
    let app = world.core.apps[&PathId::new("/a")].clone();
    assert_eq!(
        (app.cmd.as_deref(), world.core.deployments.len()),
        (Some("sleep 1000"), 1)
    );
    let new = world.run();
    world.end_killed();
    assert_eq!(
        (new.len(), world.count("/a"), world.core.deployments.len()),
        (1, 1, 0)
    );
}

#[test]
fn an_agent_that_is_away_is_replaced_and_what_comes_back_is_killed() {
    let mut world = World::new(Kept::default());
    world.create(said("/a", 1));
    let tasks = world.run();
    world.tell(&tasks[0], TaskState::TaskUnreachable, TaskStatus::default());
    assert_eq!(world.run().len(), 1);
    world.calls.clear();
    world.tell(&tasks[0], TaskState::TaskRunning, TaskStatus::default());
    assert_eq!(world.end_killed(), tasks);
    assert_eq!(world.count("/a"), 1);
}

#[test]
fn wrong_apps_are_refused_and_names_are_taken_once() {
    let mut world = World::new(Kept::default());
    let nothing = AppUpdate {
        id: Some("/a".to_owned()),
        ..AppUpdate::default()
    };
    let create = |update| Command::Create {
        update: Box::new(update),
        force: false,
    };
    assert!(matches!(world.command(create(nothing)), Err(Refused::Invalid(_))));
    world.create(said("/a", 1));
    assert_eq!(
        world.command(create(said("/a", 1))),
        Err(Refused::Exists(PathId::new("/a")))
    );
    let circle = AppUpdate {
        dependencies: Some(vec!["/b".to_owned()]),
        ..said("/b", 1)
    };
    assert!(matches!(world.command(create(circle)), Err(Refused::Invalid(_))));
}
