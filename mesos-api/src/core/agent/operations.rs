use super::{Agent, Effect};
use crate::core::link::ToMaster;
use mesos_proto::v1::{Operation, OperationState, OperationStatus, Resource, Uuid};

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
        self.operations.insert(operation.uuid.value.clone(), operation);
        self.resend_operations();
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
        }
    }

    /// Tells every end that is not acknowledged.
    pub(super) fn resend_operations(&mut self) {
        for (operation, kept) in &self.operations {
            self.effects.push(Effect::Master(ToMaster::OperationUpdated {
                operation: operation.clone(),
                status: Box::new(kept.latest_status.clone()),
            }));
        }
    }
}
