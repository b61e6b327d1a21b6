use super::{Master, Refused, event_of, launch::Launching, launch::allocate_to};
use crate::core::{
    link::ToAgent,
    resources::{Conversion, Resources, conversion, is_open_to, reserved_role},
};
use mesos_proto::v1::{
    AgentId, FrameworkId, Operation, OperationState, OperationStatus, Resource, TaskState, Uuid, offer,
    scheduler::{call, event},
};

impl Master {
    /// Does an operation on accepted offers, or tells the framework why not.
    pub(super) fn operate(&mut self, launching: &mut Launching<'_>, mut operation: offer::Operation) {
        let role = launching.role.to_owned();
        resources_of(&mut operation).for_each(|one| allocate_to(one, &role));
        let converted = self.check_operation(&operation, Some(&role)).and_then(|made| {
            match launching.left.contains(&made.consumed) {
                true => Ok(made),
                false => Err(format!("{} does not contain {}", launching.left, made.consumed)),
            }
        });
        let made = match converted {
            Ok(made) => made,
            Err(why) => {
                let kind = operation.r#type().as_str_name();
                let why = format!("Invalid {kind} Operation: {why}");
                return self.drop_operation(launching.framework, &operation, why);
            }
        };
        launching.left.subtract(&made.consumed);
        launching.left.add(&made.converted);
        if let Some(framework) = self.frameworks.get_mut(launching.framework) {
            // Reservations and volumes change no sums, but where a volume grows.
            let allocated = framework.allocated.entry(role).or_default();
            allocated.subtract_all(&made.consumed.scalars());
            allocated.add_all(&made.converted.scalars());
        }
        self.apply(launching.agent, Some(launching.framework), operation, &made);
    }

    /// What is made of an operation is what its agent has from now on.
    fn apply(
        &mut self,
        agent: &str,
        framework: Option<&str>,
        operation: offer::Operation,
        made: &Conversion,
    ) {
        let uuid = self.next_uuid();
        let Some(one) = self.agents.get_mut(agent) else {
            return;
        };
        one.total.subtract(&made.consumed.unallocated());
        one.total.add(&made.converted.unallocated());
        let total = one.total.to_refined();
        let pending = OperationStatus {
            operation_id: operation.id.clone(),
            state: OperationState::OperationPending as i32,
            agent_id: one.info.id.clone(),
            ..OperationStatus::default()
        };
        let operation = Operation {
            framework_id: framework.map(|id| FrameworkId { value: id.to_owned() }),
            agent_id: one.info.id.clone(),
            info: operation,
            latest_status: pending,
            statuses: Vec::new(),
            uuid: Uuid { value: uuid.clone() },
        };
        self.operations.insert(uuid, operation.clone());
        let operation = Box::new(operation);
        self.tell_agent(agent, ToAgent::Apply { operation, total });
    }

    /// Unique without chance: the master's own id and a number.
    fn next_uuid(&mut self) -> Vec<u8> {
        self.next_operation += 1;
        let own = uuid::Uuid::parse_str(&self.info.id).unwrap_or_default().as_u128();
        let mixed = own ^ (u128::from(self.next_operation) << 64);
        uuid::Uuid::from_u128(mixed).as_bytes().to_vec()
    }

    /// Tells a framework that asked to be told that an operation is not done.
    pub(super) fn drop_operation(&mut self, framework: &str, operation: &offer::Operation, why: String) {
        tracing::info!(
            framework,
            operation = operation.r#type().as_str_name(),
            why,
            "not done"
        );
        let Some(id) = &operation.id else {
            return;
        };
        let status = OperationStatus {
            operation_id: Some(id.clone()),
            state: OperationState::OperationError as i32,
            message: Some(why),
            ..OperationStatus::default()
        };
        self.send_operation_status(framework, status);
    }

    fn send_operation_status(&mut self, framework: &str, status: OperationStatus) {
        let mut event = event_of(event::Type::UpdateOperationStatus);
        event.update_operation_status = Some(event::UpdateOperationStatus { status });
        self.send(framework, event);
    }

    /// What an operation makes, if it may be done. `role` is that of the offers; operators have none.
    fn check_operation(
        &self,
        operation: &offer::Operation,
        role: Option<&str>,
    ) -> Result<Conversion, String> {
        let made = conversion(operation)?;
        if let (Some(role), Some(reserve)) = (role, &operation.reserve) {
            let wrong = reserve.resources.iter().find(|one| !is_open_to(one, role));
            if let Some(wrong) = wrong {
                return Err(format!(
                    "A reserve operation was attempted for a resource with role '{}', but the framework can only reserve resources with role '{role}'",
                    reserved_role(wrong).unwrap_or_default()
                ));
            }
        }
        if let Some(create) = &operation.create {
            let known = |volume: &Resource| {
                let id = volume_id(volume);
                self.agents.values().any(|agent| {
                    let same = |kind: &Resource| {
                        id.is_some() && volume_id(kind) == id && reserved_role(kind) == reserved_role(volume)
                    };
                    !agent.total.filter(same).is_empty()
                })
            };
            if let Some(twice) = create.volumes.iter().find(|volume| known(volume)) {
                let id = volume_id(twice).unwrap_or_default();
                return Err(format!("Persistent volume with id '{id}' already exists"));
            }
        }
        if let Some(destroy) = &operation.destroy {
            let volumes = Resources::of(&destroy.volumes)
                .map_err(|why| why.to_string())?
                .unallocated();
            let busy = self
                .frameworks
                .values()
                .any(|framework| framework.used(None).unallocated().contains(&volumes));
            if busy {
                return Err("Persistent volumes in use".to_owned());
            }
        }
        Ok(made)
    }

    /// An operator's operation: what it needs is taken back from frameworks where it is only offered.
    pub(super) fn operate_on(&mut self, agent: &str, mut operation: offer::Operation) -> Result<(), Refused> {
        resources_of(&mut operation).for_each(|one| {
            crate::core::resources::upgrade(one);
            one.allocation_info = None;
        });
        let kind = operation.r#type().as_str_name();
        if !self.agents.contains_key(agent) {
            return Err(Refused::Invalid("No agent found with specified ID".to_owned()));
        }
        let made = self
            .check_operation(&operation, None)
            .map_err(|why| Refused::Invalid(format!("Invalid {kind} operation on agent {agent}: {why}")))?;
        let offers = self.offers.iter().filter(|(_, offer)| offer.agent == agent);
        let mut offered: Vec<String> = offers.clone().map(|(id, _)| id.clone()).collect();
        let mut most = self.agents[agent].available.clone();
        offers.for_each(|(_, offer)| most.add(&offer.resources.unallocated()));
        let too_little = || {
            Refused::Conflict(format!(
                "Invalid {kind} operation on agent {agent}: insufficient resources"
            ))
        };
        // Before anything is taken back: frameworks are told of that only where it is done.
        if !most.contains(&made.consumed) {
            return Err(too_little());
        }
        while let Some(one) = self.agents.get_mut(agent) {
            if one.available.contains(&made.consumed) {
                one.available.subtract(&made.consumed);
                one.available.add(&made.converted);
                break;
            }
            match offered.pop() {
                Some(id) => self.rescind(&id),
                None => return Err(too_little()),
            }
        }
        self.apply(agent, None, operation, &made);
        Ok(())
    }

    /// An agent tells how an operation ended.
    pub(super) fn operation_updated(&mut self, agent: &str, uuid: &[u8], status: OperationStatus) {
        let status_uuid = status.uuid.clone().map(|uuid| uuid.value).unwrap_or_default();
        let known = self.operations.get_mut(uuid);
        let wanted = known.and_then(|operation| {
            operation.latest_status = status.clone();
            let framework = operation.framework_id.as_ref()?.value.clone();
            operation.info.id.as_ref().map(|_| framework)
        });
        match wanted.filter(|framework| self.frameworks.contains_key(framework)) {
            Some(framework) => self.send_operation_status(&framework, status),
            None => {
                // Nobody else wants to know.
                self.operations.shift_remove(uuid);
                let (operation, uuid) = (uuid.to_vec(), status_uuid);
                self.tell_agent(agent, ToAgent::AcknowledgeOperation { operation, uuid });
            }
        }
    }

    pub(super) fn acknowledge_operation(&mut self, framework: &str, call: &call::AcknowledgeOperationStatus) {
        let found = self.operations.iter().find(|(_, one)| {
            one.framework_id.as_ref().is_some_and(|id| id.value == framework)
                && one.info.id.as_ref() == Some(&call.operation_id)
                && one
                    .latest_status
                    .uuid
                    .as_ref()
                    .is_some_and(|uuid| uuid.value == call.uuid)
        });
        let Some((operation, agent)) = found.map(|(uuid, one)| (uuid.clone(), one.agent_id.clone())) else {
            return;
        };
        self.operations.shift_remove(&operation);
        let uuid = call.uuid.clone();
        let agent = agent.unwrap_or_default().value;
        self.tell_agent(&agent, ToAgent::AcknowledgeOperation { operation, uuid });
    }

    /// Tells the newest state of the named operations, or of all.
    pub(super) fn reconcile_operations(
        &mut self,
        framework: &str,
        named: &[call::reconcile_operations::Operation],
    ) {
        let own = self.operations.values().filter(|one| {
            one.info.id.is_some() && one.framework_id.as_ref().is_some_and(|id| id.value == framework)
        });
        let statuses: Vec<OperationStatus> = match named {
            [] => own.map(reconciled).collect(),
            named => named
                .iter()
                .map(|wanted| {
                    let known = own
                        .clone()
                        .find(|one| one.info.id.as_ref() == Some(&wanted.operation_id));
                    known.map_or_else(|| self.unknown_operation(wanted), reconciled)
                })
                .collect(),
        };
        for status in statuses {
            self.send_operation_status(framework, status);
        }
    }

    fn unknown_operation(&self, wanted: &call::reconcile_operations::Operation) -> OperationStatus {
        let id = wanted.agent_id.as_ref().map(|id| id.value.as_str());
        let state = match id {
            Some(id) if self.agents.contains_key(id) => OperationState::OperationUnknown,
            Some(id) if self.recovered.contains_key(id) => OperationState::OperationRecovering,
            Some(id) if self.unreachable.contains_key(id) => OperationState::OperationUnreachable,
            Some(id) if self.gone.contains_key(id) => OperationState::OperationGoneByOperator,
            _ => OperationState::OperationUnknown,
        };
        OperationStatus {
            operation_id: Some(wanted.operation_id.clone()),
            agent_id: wanted.agent_id.clone(),
            state: state as i32,
            message: Some("Reconciliation: Operation is unknown".to_owned()),
            ..OperationStatus::default()
        }
    }

    /// The agent of operations is no more.
    pub(super) fn lose_operations(&mut self, agent: &str, state: TaskState) {
        let state = match state {
            TaskState::TaskGoneByOperator => OperationState::OperationGoneByOperator,
            _ => OperationState::OperationUnreachable,
        };
        let here = |one: &Operation| one.agent_id.as_ref().is_some_and(|id| id.value == agent);
        let lost: Vec<Operation> = self
            .operations
            .values()
            .filter(|one| here(one))
            .cloned()
            .collect();
        self.operations.retain(|_, one| !here(one));
        for operation in lost {
            let (Some(framework), Some(id)) = (operation.framework_id, operation.info.id) else {
                continue;
            };
            let status = OperationStatus {
                operation_id: Some(id),
                agent_id: Some(AgentId {
                    value: agent.to_owned(),
                }),
                state: state as i32,
                ..OperationStatus::default()
            };
            self.send_operation_status(&framework.value, status);
        }
    }
}

/// What is told of an operation that is not asked to be acknowledged.
fn reconciled(operation: &Operation) -> OperationStatus {
    OperationStatus {
        uuid: None,
        ..operation.latest_status.clone()
    }
}

fn volume_id(resource: &Resource) -> Option<&str> {
    Some(resource.disk.as_ref()?.persistence.as_ref()?.id.as_str())
}

/// Every resource that an operation names.
fn resources_of(operation: &mut offer::Operation) -> impl Iterator<Item = &mut Resource> {
    let reserve = operation.reserve.iter_mut();
    let reserve = reserve.flat_map(|one| one.source.iter_mut().chain(&mut one.resources));
    let unreserve = operation.unreserve.iter_mut().flat_map(|one| &mut one.resources);
    let create = operation.create.iter_mut().flat_map(|one| &mut one.volumes);
    let destroy = operation.destroy.iter_mut().flat_map(|one| &mut one.volumes);
    let grow = operation
        .grow_volume
        .iter_mut()
        .flat_map(|one| [&mut one.volume, &mut one.addition]);
    let shrink = operation.shrink_volume.iter_mut().map(|one| &mut one.volume);
    reserve
        .chain(unreserve)
        .chain(create)
        .chain(destroy)
        .chain(grow)
        .chain(shrink)
}
