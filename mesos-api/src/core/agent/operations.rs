use super::{Agent, Effect};
use crate::core::{Now, link::ToMaster};
use mesos_proto::v1::{Operation, OperationState, OperationStatus, Resource, Uuid};
use std::time::Duration;

/// How long an end may take to be acknowledged.
const RESEND_EVERY: Duration = Duration::from_secs(10);

impl Agent {
    /// The agent has become what an operation makes of it. The master checked it; to keep it is all there is to do.
    pub(super) fn apply(
        &mut self,
        mut operation: Operation,
        total: Vec<Resource>,
        uuid: &mut dyn FnMut() -> uuid::Uuid,
    ) {
        if self.operations.contains_key(&operation.uuid.value) {
            return;
        }
        self.info.resources = total;
        let status = OperationStatus {
            operation_id: operation.info.id.clone(),
            agent_id: self.info.id.clone(),
            uuid: Some(Uuid {
                value: uuid().as_bytes().to_vec(),
            }),
            state: OperationState::OperationFinished as i32,
            ..OperationStatus::default()
        };
        operation.latest_status = status.clone();
        operation.statuses.push(status);
        self.effects.push(Effect::KeepAgent);
        self.tell_operation(&operation);
        self.operations.insert(operation.uuid.value.clone(), operation);
    }

    fn tell_operation(&mut self, operation: &Operation) {
        self.effects.push(Effect::Master(ToMaster::OperationUpdated {
            operation: operation.uuid.value.clone(),
            status: Box::new(operation.latest_status.clone()),
        }));
    }

    pub(super) fn operation_acknowledged(&mut self, operation: &[u8], uuid: &[u8]) {
        let newest = |one: &Operation| {
            one.latest_status
                .uuid
                .as_ref()
                .is_some_and(|known| known.value == uuid)
        };
        if self.operations.get(operation).is_some_and(newest) {
            self.operations.shift_remove(operation);
            self.effects.push(Effect::KeepAgent);
        }
    }

    /// Tells every end that is not acknowledged, once in a while.
    pub(super) fn resend_operations(&mut self, now: Now) {
        if self.operations.is_empty() || now.elapsed < self.operations_told + RESEND_EVERY {
            return;
        }
        self.operations_told = now.elapsed;
        let all: Vec<Operation> = self.operations.values().cloned().collect();
        all.iter().for_each(|operation| self.tell_operation(operation));
    }
}
