use super::{Agent, Effect, Kind, StreamId, Uuids, container_id, updates::by_agent};
use crate::core::{
    Now,
    link::{ToMaster, is_terminal},
};
use mesos_proto::v1::{
    ExecutorId, TaskState, TaskStatus,
    executor::{
        Call, Event,
        call::{self, Type},
        event,
    },
    task_status::Reason,
};
use std::time::Duration;

/// How long an executor may take to subscribe: the original's `executor_registration_timeout`.
pub(super) const SUBSCRIBE_MAX: Duration = Duration::from_secs(60);
/// How long one may take to come back to an agent that was started again: the most that the original can be told.
pub(super) const RESUBSCRIBE_MAX: Duration = Duration::from_secs(15);
/// Updates of one task that its framework may be behind.
const UNACKNOWLEDGED_MAX: usize = 1000;

/// Why an executor's call is refused. Texts are the original's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("Framework cannot be found")]
    UnknownFramework,
    #[error("Executor cannot be found")]
    UnknownExecutor,
    #[error("Executor is not subscribed")]
    NotSubscribed,
}

impl Agent {
    /// An executor calls: to subscribe, with the stream that it will have.
    pub(super) fn executor_calls(
        &mut self,
        now: Now,
        stream: Option<StreamId>,
        call: Call,
        uuid: Uuids<'_>,
    ) -> Result<(), Refused> {
        let framework = call.framework_id.value;
        if !self.frameworks.contains_key(&framework) {
            return Err(Refused::UnknownFramework);
        }
        let container = self.running(&framework, &call.executor_id.value);
        let container = container.ok_or(Refused::UnknownExecutor)?;
        let executor = &self.executors[&container];
        if executor.kind != Kind::Custom {
            return Err(Refused::UnknownExecutor);
        }
        if stream.is_none() && executor.stream.is_none() {
            return Err(Refused::NotSubscribed);
        }
        let kind = call.r#type.and_then(|kind| Type::try_from(kind).ok());
        match (kind.unwrap_or(Type::Unknown), stream) {
            (Type::Subscribe, Some(stream)) => {
                self.subscribe(now, &container, stream, call.subscribe.unwrap_or_default(), uuid);
            }
            (Type::Update, _) => {
                if let Some(update) = call.update {
                    self.executor_updates(now, &container, update.status);
                }
            }
            (Type::Message, _) => {
                let data = call.message.unwrap_or_default().data;
                let executor = call.executor_id.value;
                self.effects.push(Effect::Master(ToMaster::Message {
                    framework,
                    executor,
                    data,
                }));
            }
            (Type::Heartbeat | Type::Subscribe | Type::Unknown, _) => {}
        }
        Ok(())
    }

    fn subscribe(
        &mut self,
        now: Now,
        container: &str,
        stream: StreamId,
        subscribe: call::Subscribe,
        uuid: Uuids<'_>,
    ) {
        let agent = self.info.clone();
        let Some(executor) = self.executors.get_mut(container) else {
            return;
        };
        let Some(framework) = self.frameworks.get(&executor.framework) else {
            return;
        };
        let mut event = event_of(event::Type::Subscribed);
        event.subscribed = Some(event::Subscribed {
            executor_info: executor.info.clone(),
            framework_info: framework.info.clone(),
            agent_info: agent,
            container_id: Some(container_id(container)),
        });
        executor.subscribe_by = None;
        let before = executor.stream.replace(stream);
        let ends = executor.process.killed;
        let heard = |id: &str| {
            let mut all = subscribe.unacknowledged_tasks.iter();
            all.any(|task| task.task_id.value == id)
        };
        let tasks = executor.tasks.values();
        let lost =
            tasks.filter(|task| task.launched && task.state() == TaskState::TaskStaging && !heard(task.id()));
        let lost: Vec<String> = lost.map(|task| task.id().to_owned()).collect();
        let state = executor.framework.clone();
        let state = self.never_ran(&state);
        self.effects.extend(before.map(|stream| Effect::Close { stream }));
        self.send(container, event);
        for update in subscribe.unacknowledged_updates {
            self.executor_updates(now, container, update.status);
        }
        for task in lost {
            // What its updates told above counts; only what is still staging got lost on the way.
            let staging = self
                .task(container, &task)
                .is_some_and(|task| task.state() == TaskState::TaskStaging);
            if staging {
                let told = by_agent(
                    state,
                    Reason::AgentRestarted,
                    "Task launched during agent restart",
                );
                self.update(now, container, &task, told, uuid);
            }
        }
        if ends {
            self.send(container, event_of(event::Type::Shutdown));
        } else {
            self.hand_over(container);
            self.kill_again(container);
        }
        self.settle(container);
    }

    /// Tells a subscribed executor of the tasks that it has not heard of.
    pub(super) fn hand_over(&mut self, container: &str) {
        let Some(executor) = self.executors.get_mut(container) else {
            return;
        };
        if executor.stream.is_none() {
            return;
        }
        let mut events = Vec::new();
        for task in executor
            .tasks
            .values_mut()
            .filter(|task| !task.launched && !task.has_ended())
        {
            task.launched = true;
            let mut event = event_of(event::Type::Launch);
            event.launch = Some(event::Launch {
                task: task.info.clone(),
            });
            events.push(event);
        }
        self.changed.insert(container.to_owned());
        for event in events {
            self.send(container, event);
        }
    }

    /// What it was to kill while it did not listen.
    fn kill_again(&mut self, container: &str) {
        let Some(executor) = self.executors.get(container) else {
            return;
        };
        let killed = executor
            .tasks
            .values()
            .filter(|task| task.process.killed && !task.has_ended());
        let events: Vec<Event> = killed
            .map(|task| {
                let mut event = event_of(event::Type::Kill);
                event.kill = Some(event::Kill {
                    task_id: task.info.task_id.clone(),
                    kill_policy: None,
                });
                event
            })
            .collect();
        for event in events {
            self.send(container, event);
        }
    }

    /// An executor tells of a task. Once it is kept, it may forget the update.
    fn executor_updates(&mut self, now: Now, container: &str, mut status: TaskStatus) {
        let agent = self.info.id.clone();
        let Some(executor) = self.executors.get_mut(container) else {
            return;
        };
        let id = executor.id().to_owned();
        let (name, update) = (status.task_id.value.clone(), status.uuid().to_vec());
        if let Some(task) = executor.tasks.get_mut(&name) {
            let mut known = task.statuses.iter().chain(&task.unacknowledged);
            let again = known.any(|one| one.uuid() == update);
            if !again && !task.has_ended() {
                // The last one frees what the task has, and nothing follows it.
                let last = is_terminal(status.state());
                if !last && task.unacknowledged.len() >= UNACKNOWLEDGED_MAX {
                    tracing::warn!(
                        task = name,
                        "its framework is too far behind; an update is left out"
                    );
                    return;
                }
                task.set_state(status.state());
                status.agent_id = agent;
                status.executor_id.get_or_insert(ExecutorId { value: id });
                status.timestamp.get_or_insert(now.wall.as_secs_f64());
                self.queue(now, container, &name, status.clone());
            }
        }
        let mut event = event_of(event::Type::Acknowledged);
        event.acknowledged = Some(event::Acknowledged {
            task_id: status.task_id,
            uuid: update,
        });
        self.send(container, event);
        self.settle(container);
    }

    /// Bytes of a framework for its executor, which may not be there.
    pub(super) fn tell_executor(&mut self, framework: &str, executor: &str, data: Vec<u8>) {
        if let Some(container) = self.running(framework, executor) {
            let mut event = event_of(event::Type::Message);
            event.message = Some(event::Message { data });
            self.send(&container, event);
        }
    }

    /// An event stream ended. The executor may come back; its process tells whether it is alive.
    pub(super) fn closed(&mut self, stream: &str) {
        let mut all = self.executors.values_mut();
        if let Some(executor) = all.find(|one| one.stream.as_deref() == Some(stream)) {
            executor.stream = None;
        }
    }

    pub(super) fn send(&mut self, container: &str, event: Event) {
        let stream = self.executors.get(container).and_then(|one| one.stream.clone());
        self.effects.extend(stream.map(|stream| Effect::Event {
            stream,
            event: Box::new(event),
        }));
    }
}

/// An event of a kind, without anything in it.
pub(crate) fn event_of(kind: event::Type) -> Event {
    Event {
        r#type: Some(kind as i32),
        ..Event::default()
    }
}
