//! What the agent decides, by inputs and the effects that they lead to.
//!
//! Rooms: `running` (executors, groups, ends), `checks`, `containers` (those that are asked for). Knows: a world of one agent and one framework, which acknowledges.
//! Never: processes.

mod checks;
mod containers;
mod running;

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
        let kept = |effect: &Effect| {
            matches!(
                effect,
                Effect::Keep { .. } | Effect::KeepAsked { .. } | Effect::KeepAgent
            )
        };
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
            launch_executor: true,
        }));
    }

    /// Launches a task, or the executor of one, which runs as process 7. Answers its container.
    fn runs(&mut self, task: TaskInfo) -> String {
        self.launch(task);
        let container = self.launched().container;
        self.started(&container, 7);
        container
    }

    fn started(&mut self, container: &str, pid: u32) {
        let container = container.to_owned();
        self.step(Input::Started { container, pid });
    }

    fn exits_with(&mut self, container: &str, ended: Ended) {
        let container = container.to_owned();
        self.step(Input::Exited { container, ended });
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

    fn has_signalled(&self, process: u32) -> bool {
        let mut all = self.wanted.iter();
        all.any(|one| matches!(one, Effect::Signal { pid, .. } if *pid == process))
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
        agent.restore(self.now, kept.collect(), Vec::new(), Vec::new());
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
        launch_executor: true,
    }));
    let containers: Vec<String> = tasks.iter().map(|_| world.launched().container).collect();
    for (container, pid) in containers.iter().zip(10..) {
        world.started(container, pid);
    }
    world.told();
    containers
}
