use crate::core::link::ToMaster;
use mesos_proto::v1::scheduler::call::Type;
use std::collections::BTreeMap;

/// What a master counts, by the original's names of metrics.
const NAMES: [&str; 34] = [
    ALLOCATION_RUNS,
    DROPPED,
    "master/messages_decline_offers",
    "master/messages_executor_to_framework",
    "master/messages_exited_executor",
    "master/messages_framework_to_executor",
    "master/messages_kill_task",
    "master/messages_launch_tasks",
    "master/messages_operation_status_update",
    "master/messages_operation_status_update_acknowledgement",
    "master/messages_reconcile_operations",
    "master/messages_reconcile_tasks",
    REGISTERED,
    "master/messages_register_slave",
    REREGISTERED,
    "master/messages_reregister_slave",
    "master/messages_resource_request",
    "master/messages_revive_offers",
    "master/messages_status_update",
    "master/messages_status_update_acknowledgement",
    "master/messages_suppress_offers",
    "master/messages_unregister_framework",
    RECOVERY_REMOVALS,
    AGENTS_REGISTERED,
    AGENTS_REMOVED,
    AGENTS_REMOVED_UNHEALTHY,
    AGENTS_REREGISTERED,
    AGENTS_UNREACHABLE,
    VALID_ACKNOWLEDGEMENTS,
    INVALID_ACKNOWLEDGEMENTS,
    VALID_UPDATES,
    INVALID_UPDATES,
    "master/valid_executor_to_framework_messages",
    "master/valid_framework_to_executor_messages",
];

pub(super) const ALLOCATION_RUNS: &str = "allocator/mesos/allocation_runs";
pub(super) const DROPPED: &str = "master/dropped_messages";
pub(super) const REGISTERED: &str = "master/messages_register_framework";
pub(super) const REREGISTERED: &str = "master/messages_reregister_framework";
pub(super) const RECOVERY_REMOVALS: &str = "master/recovery_slave_removals";
pub(super) const AGENTS_REGISTERED: &str = "master/slave_registrations";
pub(super) const AGENTS_REREGISTERED: &str = "master/slave_reregistrations";
pub(super) const AGENTS_REMOVED: &str = "master/slave_removals";
pub(super) const AGENTS_REMOVED_UNHEALTHY: &str = "master/slave_removals/reason_unhealthy";
pub(super) const AGENTS_UNREACHABLE: &str = "master/slave_unreachable_completed";
pub(super) const VALID_ACKNOWLEDGEMENTS: &str = "master/valid_status_update_acknowledgements";
pub(super) const INVALID_ACKNOWLEDGEMENTS: &str = "master/invalid_status_update_acknowledgements";
pub(super) const VALID_UPDATES: &str = "master/valid_status_updates";
pub(super) const INVALID_UPDATES: &str = "master/invalid_status_updates";

/// What happened since a master began to lead.
#[derive(Debug)]
pub(crate) struct Counts(BTreeMap<&'static str, u64>);

impl Default for Counts {
    fn default() -> Self {
        Counts(NAMES.into_iter().map(|name| (name, 0)).collect())
    }
}

impl Counts {
    pub(super) fn add(&mut self, name: &'static str) {
        *self.0.entry(name).or_default() += 1;
    }

    /// A framework's call.
    pub(super) fn add_call(&mut self, kind: Type) {
        let name = match kind {
            Type::Accept => "master/messages_launch_tasks",
            Type::Acknowledge => "master/messages_status_update_acknowledgement",
            Type::AcknowledgeOperationStatus => "master/messages_operation_status_update_acknowledgement",
            Type::Decline => "master/messages_decline_offers",
            Type::Kill => "master/messages_kill_task",
            Type::Message => {
                self.add("master/valid_framework_to_executor_messages");
                "master/messages_framework_to_executor"
            }
            Type::Reconcile => "master/messages_reconcile_tasks",
            Type::ReconcileOperations => "master/messages_reconcile_operations",
            Type::Request => "master/messages_resource_request",
            Type::Revive => "master/messages_revive_offers",
            Type::Suppress => "master/messages_suppress_offers",
            Type::Teardown => "master/messages_unregister_framework",
            // The original has no metric of the whole master for these.
            Type::AcceptInverseOffers
            | Type::DeclineInverseOffers
            | Type::Shutdown
            | Type::Subscribe
            | Type::UpdateFramework
            | Type::Unknown => return,
        };
        self.add(name);
    }

    /// What an agent says.
    pub(super) fn add_message(&mut self, message: &ToMaster) {
        let name = match message {
            ToMaster::Register(_) => "master/messages_register_slave",
            ToMaster::Reregister(_) => "master/messages_reregister_slave",
            ToMaster::Update { .. } => "master/messages_status_update",
            ToMaster::Message { .. } => {
                self.add("master/valid_executor_to_framework_messages");
                "master/messages_executor_to_framework"
            }
            ToMaster::ExecutorExited { .. } => "master/messages_exited_executor",
            ToMaster::OperationUpdated { .. } => "master/messages_operation_status_update",
            ToMaster::Pong => return,
        };
        self.add(name);
    }

    /// Every count by its name, those of what never happened included.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.0.iter().map(|(name, count)| (*name, *count))
    }
}
