use super::{Master, event_of};
use crate::core::{link::ToAgent, resources::Resources};
use mesos_proto::v1::{
    AgentId, ExecutorId,
    scheduler::{call, event},
};

impl Master {
    /// A framework's bytes for an executor. As in the original nobody is told where they cannot be delivered.
    pub(super) fn tell_executor(&mut self, framework: &str, call: call::Message) {
        let message = ToAgent::Message {
            framework: framework.to_owned(),
            executor: call.executor_id.value,
            data: call.data,
        };
        self.tell_agent(&call.agent_id.value, message);
    }

    /// An executor's bytes for its framework.
    pub(super) fn executor_says(&mut self, agent: &str, framework: &str, executor: String, data: Vec<u8>) {
        let mut event = event_of(event::Type::Message);
        event.message = Some(event::Message {
            agent_id: AgentId {
                value: agent.to_owned(),
            },
            executor_id: ExecutorId { value: executor },
            data,
        });
        self.send(framework, event);
    }

    pub(super) fn shutdown_executor(&mut self, framework: &str, call: call::Shutdown) {
        let message = ToAgent::ShutdownExecutor {
            framework: framework.to_owned(),
            executor: call.executor_id.value,
        };
        self.tell_agent(&call.agent_id.value, message);
    }

    /// What an executor used is free again, and its framework is told that it ended.
    pub(super) fn executor_exited(&mut self, agent: &str, framework: &str, executor: String, status: i32) {
        let key = (framework.to_owned(), executor);
        let known = self
            .agents
            .get_mut(agent)
            .and_then(|one| one.executors.shift_remove(&key));
        if let Some(info) = known {
            let uses = Resources::of(&info.resources).unwrap_or_default();
            self.release(framework, agent, &uses);
        }
        let mut event = event_of(event::Type::Failure);
        event.failure = Some(event::Failure {
            agent_id: Some(AgentId {
                value: agent.to_owned(),
            }),
            executor_id: Some(ExecutorId { value: key.1 }),
            status: Some(status),
        });
        self.send(framework, event);
    }
}
