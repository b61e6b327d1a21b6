use super::*;
use crate::core::link::is_terminal;
use mesos_proto::v1::{
    AgentId, CommandInfo, ContainerInfo, DurationInfo, ExecutorId, ExecutorInfo, FrameworkId, FrameworkInfo,
    TaskId, TaskInfo, TaskStatus,
    executor::{Call, call, event},
    executor_info,
    task_status::{Reason, Source},
};
use std::time::Duration;

struct World {
    agent: Agent,
    now: Now,
    uuids: u128,
    /// What was wanted, oldest first, without what is kept.
    wanted: VecDeque<Effect>,
}

impl World {
    fn new() -> Self {
        let id = Some(AgentId {
            value: "S0".to_owned(),
        });
        World {
            agent: Agent::new(AgentInfo {
                id,
                ..AgentInfo::default()
            }),
            now: Now::default(),
            uuids: 0,
            wanted: VecDeque::new(),
        }
    }

    fn step(&mut self, input: Input) {
        let uuids = &mut self.uuids;
        let mut uuid = || {
            *uuids += 1;
            uuid::Uuid::from_u128(*uuids)
        };
        let effects = self.agent.step(self.now, input, &mut uuid);
        self.take(effects);
    }

    fn call(&mut self, stream: Option<&str>, fill: impl FnOnce(&mut Call)) -> Result<(), Refused> {
        let mut call = Call {
            framework_id: FrameworkId {
                value: "F".to_owned(),
            },
            executor_id: ExecutorId {
                value: "E".to_owned(),
            },
            ..Call::default()
        };
        fill(&mut call);
        let uuids = &mut self.uuids;
        let mut uuid = || {
            *uuids += 1;
            uuid::Uuid::from_u128(*uuids)
        };
        let stream = stream.map(str::to_owned);
        let effects = self.agent.call(self.now, stream, call, &mut uuid)?;
        self.take(effects);
        Ok(())
    }

    fn subscribe(&mut self, stream: &str, heard: Vec<TaskInfo>) {
        let done = self.call(Some(stream), |call| {
            call.r#type = Some(call::Type::Subscribe as i32);
            call.subscribe = Some(call::Subscribe {
                unacknowledged_tasks: heard,
                ..call::Subscribe::default()
            });
        });
        assert_eq!(done, Ok(()));
    }

    fn update(&mut self, task: &str, state: TaskState, uuid: u8) {
        self.update_of(task, state, vec![uuid; 16]);
    }

    fn update_of(&mut self, task: &str, state: TaskState, uuid: Vec<u8>) {
        let done = self.call(None, |call| {
            call.r#type = Some(call::Type::Update as i32);
            call.update = Some(call::Update {
                status: TaskStatus {
                    task_id: TaskId {
                        value: task.to_owned(),
                    },
                    state: state as i32,
                    source: Some(Source::Executor as i32),
                    uuid: Some(uuid),
                    ..TaskStatus::default()
                },
            });
        });
        assert_eq!(done, Ok(()));
    }

    fn take(&mut self, effects: Vec<Effect>) {
        let kept = |effect: &Effect| matches!(effect, Effect::Keep { .. } | Effect::KeepAgent);
        self.wanted
            .extend(effects.into_iter().filter(|effect| !kept(effect)));
    }

    fn pass(&mut self, time: Duration) {
        self.now.elapsed += time;
        self.now.wall += time;
        self.step(Input::Tick);
    }

    fn launch(&mut self, task: TaskInfo) {
        self.step(Input::Master(ToAgent::Run {
            framework: Box::new(framework()),
            task: Box::new(task),
        }));
    }

    fn launched(&mut self) -> Run {
        let at = self
            .wanted
            .iter()
            .position(|one| matches!(one, Effect::Launch(_)));
        match self.wanted.remove(at.expect("something is launched")) {
            Some(Effect::Launch(run)) => *run,
            _ => panic!("something is launched"),
        }
    }

    /// Kinds of the events that executors were sent.
    fn events(&mut self) -> Vec<event::Type> {
        let (events, rest): (Vec<Effect>, Vec<Effect>) = std::mem::take(&mut self.wanted)
            .into_iter()
            .partition(|one| matches!(one, Effect::Event { .. }));
        self.wanted.extend(rest);
        let kind = |effect: &Effect| match effect {
            Effect::Event { event, .. } => event.r#type(),
            _ => event::Type::Unknown,
        };
        events.iter().map(kind).collect()
    }

    /// States that the framework is told, each acknowledged.
    fn told(&mut self) -> Vec<(String, TaskState, Option<Reason>)> {
        let mut told = Vec::new();
        while let Some(at) = self
            .wanted
            .iter()
            .position(|one| matches!(one, Effect::Master(ToMaster::Update { .. })))
        {
            let Some(Effect::Master(ToMaster::Update { status, .. })) = self.wanted.remove(at) else {
                break;
            };
            let reason = status.reason.and_then(|reason| Reason::try_from(reason).ok());
            told.push((status.task_id.value.clone(), status.state(), reason));
            self.step(Input::Master(ToAgent::Acknowledge {
                framework: "F".to_owned(),
                task: status.task_id.value.clone(),
                uuid: status.uuid().to_vec(),
            }));
        }
        told
    }

    fn states(&mut self) -> Vec<TaskState> {
        self.told().into_iter().map(|(_, state, _)| state).collect()
    }

    fn signalled(&self) -> bool {
        let mut all = self.wanted.iter();
        all.any(|one| matches!(one, Effect::Signal { .. }))
    }

    fn exits(&self) -> Vec<i32> {
        let status = |one: &Effect| match one {
            Effect::Master(ToMaster::ExecutorExited { status, .. }) => Some(*status),
            _ => None,
        };
        self.wanted.iter().filter_map(status).collect()
    }

    /// The agent is killed and started again.
    fn restart(&mut self) {
        let text: Vec<String> = self
            .agent
            .executors
            .keys()
            .filter_map(|container| serde_json::to_string(&self.agent.kept(container)?).ok())
            .collect();
        let mut agent = Agent::new(self.agent.info.clone());
        let kept = text.iter().map(|one| serde_json::from_str(one).unwrap());
        agent.restore(self.now, kept.collect(), Vec::new());
        self.agent = agent;
        self.wanted.clear();
    }
}

fn framework() -> FrameworkInfo {
    FrameworkInfo {
        id: Some(FrameworkId {
            value: "F".to_owned(),
        }),
        user: "root".to_owned(),
        ..FrameworkInfo::default()
    }
}

fn task(id: &str) -> TaskInfo {
    TaskInfo {
        task_id: TaskId { value: id.to_owned() },
        command: Some(CommandInfo {
            value: Some("true".to_owned()),
            ..CommandInfo::default()
        }),
        ..TaskInfo::default()
    }
}

fn executor(kind: executor_info::Type) -> ExecutorInfo {
    ExecutorInfo {
        executor_id: ExecutorId {
            value: "E".to_owned(),
        },
        r#type: Some(kind as i32),
        command: Some(CommandInfo::default()).filter(|_| kind == executor_info::Type::Custom),
        ..ExecutorInfo::default()
    }
}

/// A task of a custom executor.
fn task_of(id: &str) -> TaskInfo {
    TaskInfo {
        command: None,
        executor: Some(executor(executor_info::Type::Custom)),
        ..task(id)
    }
}

fn group(world: &mut World, tasks: &[&str]) -> Vec<String> {
    world.step(Input::Master(ToAgent::RunGroup {
        framework: Box::new(framework()),
        executor: Box::new(executor(executor_info::Type::Default)),
        tasks: tasks.iter().map(|id| task(id)).collect(),
    }));
    let containers: Vec<String> = tasks.iter().map(|_| world.launched().container).collect();
    for (container, pid) in containers.iter().zip(10..) {
        world.step(Input::Started {
            container: container.clone(),
            pid,
        });
    }
    world.told();
    containers
}

use TaskState::*;

#[test]
fn an_executor_gets_its_tasks_when_it_subscribes() {
    let mut world = World::new();
    world.launch(task_of("a"));
    let container = world.launched().container;
    world.launch(task_of("b"));
    world.step(Input::Started { container, pid: 7 });
    assert_eq!(
        world.call(None, |call| call.r#type = Some(call::Type::Heartbeat as i32)),
        Err(Refused::NotSubscribed)
    );
    world.subscribe("s", Vec::new());
    use event::Type;
    assert_eq!(world.events(), [Type::Subscribed, Type::Launch, Type::Launch]);
    world.update("a", TaskRunning, 1);
    world.update("a", TaskRunning, 1);
    world.update("a", TaskFinished, 2);
    assert_eq!(world.events(), [Type::Acknowledged; 3]);
    assert_eq!(world.states(), [TaskRunning, TaskFinished]);
    world.launch(task_of("c"));
    assert_eq!(world.events(), [Type::Launch]);
}

#[test]
fn what_an_executor_ran_ends_with_it() {
    let mut world = World::new();
    world.launch(task_of("a"));
    let container = world.launched().container;
    world.step(Input::Started {
        container: container.clone(),
        pid: 7,
    });
    world.subscribe("s", Vec::new());
    world.update("a", TaskRunning, 1);
    let ended = Ended::Exited(3);
    world.step(Input::Exited { container, ended });
    assert_eq!(world.exits(), [3 << 8]);
    let told = world.told();
    assert_eq!(
        told[1],
        ("a".to_owned(), TaskFailed, Some(Reason::ExecutorTerminated))
    );
    assert!(world.agent.executors.is_empty());
}

#[test]
fn an_executor_that_never_subscribes_is_ended() {
    let mut world = World::new();
    world.launch(task_of("a"));
    let container = world.launched().container;
    world.step(Input::Started {
        container: container.clone(),
        pid: 7,
    });
    world.pass(Duration::from_secs(61));
    let killed = world.wanted.iter().any(|one| {
        matches!(
            one,
            Effect::Signal {
                pid: 7,
                signal: Signal::Kill
            }
        )
    });
    assert!(killed);
    let ended = Ended::Signalled(9);
    world.step(Input::Exited { container, ended });
    let reason = Some(Reason::ExecutorRegistrationTimeout);
    assert_eq!(world.told(), [("a".to_owned(), TaskFailed, reason)]);
}

#[test]
fn an_executor_that_was_told_to_end_has_its_grace_period() {
    let mut world = World::new();
    world.launch(task_of("a"));
    let container = world.launched().container;
    world.step(Input::Started { container, pid: 7 });
    world.subscribe("s", Vec::new());
    world.events();
    world.step(Input::Master(ToAgent::ShutdownExecutor {
        framework: "F".to_owned(),
        executor: "E".to_owned(),
    }));
    assert_eq!(world.events(), [event::Type::Shutdown]);
    world.pass(Duration::from_secs(4));
    assert!(
        !world
            .wanted
            .iter()
            .any(|one| matches!(one, Effect::Signal { .. }))
    );
    world.pass(Duration::from_secs(1));
    assert!(
        world
            .wanted
            .iter()
            .any(|one| matches!(one, Effect::Signal { pid: 7, .. }))
    );
}

#[test]
fn a_task_that_its_executor_has_not_heard_of_is_killed_by_the_agent() {
    let mut world = World::new();
    world.launch(task_of("a"));
    world.launched();
    world.step(Input::Master(ToAgent::Kill {
        framework: "F".to_owned(),
        task: "a".to_owned(),
        policy: None,
    }));
    let reason = Some(Reason::TaskKilledDuringLaunch);
    assert_eq!(world.told(), [("a".to_owned(), TaskKilled, reason)]);
}

#[test]
fn an_executor_comes_back_to_an_agent_that_was_started_again() {
    let mut world = World::new();
    world.launch(task_of("a"));
    let container = world.launched().container;
    world.step(Input::Started {
        container: container.clone(),
        pid: 7,
    });
    world.subscribe("s", Vec::new());
    world.update("a", TaskRunning, 1);
    world.launch(task_of("b"));
    world.restart();
    world.step(Input::Started { container, pid: 7 });
    // It never got `b`.
    world.subscribe("t", vec![task_of("a")]);
    assert_eq!(world.events(), [event::Type::Subscribed]);
    world.pass(Duration::ZERO);
    let told = world.told();
    assert!(told.contains(&("a".to_owned(), TaskRunning, None)), "{told:?}");
    assert!(
        told.contains(&("b".to_owned(), TaskLost, Some(Reason::AgentRestarted))),
        "{told:?}"
    );
}

#[test]
fn a_group_that_loses_one_of_its_own_ends() {
    let mut world = World::new();
    let containers = group(&mut world, &["a", "b"]);
    assert!(containers[0].contains('.') && containers[0] != containers[1]);
    world.step(Input::Exited {
        container: containers[0].clone(),
        ended: Ended::Exited(1),
    });
    assert!(
        world
            .wanted
            .iter()
            .any(|one| matches!(one, Effect::Signal { pid: 11, .. }))
    );
    assert!(world.exits().is_empty());
    world.step(Input::Exited {
        container: containers[1].clone(),
        ended: Ended::Signalled(15),
    });
    assert_eq!(world.exits(), [0]);
    assert_eq!(world.states(), [TaskFailed, TaskKilled]);
    assert!(world.agent.executors.is_empty());
}

#[test]
fn a_group_goes_on_when_one_of_its_own_is_done() {
    let mut world = World::new();
    let containers = group(&mut world, &["a", "b"]);
    let ended = Ended::Exited(0);
    for container in containers {
        assert!(world.exits().is_empty());
        world.step(Input::Exited { container, ended });
    }
    assert_eq!(world.exits(), [0]);
    assert_eq!(world.states(), [TaskFinished, TaskFinished]);
}

#[test]
fn a_task_that_takes_too_long_fails() {
    let mut world = World::new();
    world.launch(TaskInfo {
        max_completion_time: Some(DurationInfo {
            nanoseconds: 2_000_000_000,
        }),
        ..task("a")
    });
    let container = world.launched().container;
    world.step(Input::Started {
        container: container.clone(),
        pid: 7,
    });
    world.pass(Duration::from_secs(1));
    assert!(
        !world
            .wanted
            .iter()
            .any(|one| matches!(one, Effect::Signal { .. }))
    );
    world.pass(Duration::from_secs(1));
    assert!(
        world
            .wanted
            .iter()
            .any(|one| matches!(one, Effect::Signal { pid: 7, .. }))
    );
    let ended = Ended::Signalled(9);
    world.step(Input::Exited { container, ended });
    let told = world.told();
    assert_eq!(
        told.last(),
        Some(&("a".to_owned(), TaskFailed, Some(Reason::MaxCompletionTimeReached)))
    );
    assert!(is_terminal(told[2].1));
}

#[test]
fn an_executor_that_subscribed_before_it_is_known_to_run_stays() {
    let mut world = World::new();
    world.launch(task_of("a"));
    let container = world.launched().container;
    world.subscribe("s", Vec::new());
    world.step(Input::Started { container, pid: 7 });
    world.pass(Duration::from_secs(61));
    assert!(!world.signalled());
}

#[test]
fn what_is_lost_is_signalled_no_more() {
    let mut world = World::new();
    world.launch(task_of("a"));
    let container = world.launched().container;
    world.step(Input::Started {
        container: container.clone(),
        pid: 7,
    });
    world.step(Input::Lost { container });
    assert_eq!(world.agent.processes().count(), 0);
    let framework = "F".to_owned();
    world.step(Input::Master(ToAgent::Shutdown { framework }));
    assert!(!world.signalled());
}

#[test]
fn a_command_is_ended_by_the_name_of_its_executor_and_is_nobody_elses() {
    let mut world = World::new();
    world.launch(task("E"));
    let container = world.launched().container;
    world.step(Input::Started { container, pid: 7 });
    world.launch(task_of("a"));
    // It has an executor of its own.
    world.launched();
    world.agent.executors.shift_remove_index(1);
    world.step(Input::Master(ToAgent::ShutdownExecutor {
        framework: "F".to_owned(),
        executor: "E".to_owned(),
    }));
    assert!(world.signalled());
}

#[test]
fn of_each_state_one_status_is_kept_and_an_end_is_never_left_out() {
    let mut world = World::new();
    world.launch(task_of("a"));
    let container = world.launched().container;
    world.subscribe("s", Vec::new());
    for at in 0..1010_usize {
        let state = [TaskRunning, TaskStarting][at % 2];
        world.update_of("a", state, at.to_be_bytes().to_vec());
    }
    world.update("a", TaskFinished, 1);
    let task = &world.agent.executors[&container].tasks["a"];
    assert_eq!(task.state(), TaskFinished);
    assert_eq!(task.statuses.len(), 3);
    assert_eq!(task.unacknowledged.len(), 1001);
}

#[test]
fn images_are_refused() {
    let mut world = World::new();
    world.launch(TaskInfo {
        container: Some(ContainerInfo {
            docker: Some(mesos_proto::v1::container_info::DockerInfo::default()),
            ..ContainerInfo::default()
        }),
        ..task("a")
    });
    assert!(!world.wanted.iter().any(|one| matches!(one, Effect::Launch(_))));
    assert_eq!(
        world.told(),
        [("a".to_owned(), TaskFailed, Some(Reason::ContainerLaunchFailed))]
    );
}
