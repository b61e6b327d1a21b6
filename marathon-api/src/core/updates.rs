//! What Mesos tells of tasks, and how it is asked.

use super::{
    Change, Core,
    drive::kill,
    instance::{Condition, Failure, Goal, Health, Instance, InstanceId},
    path::PathId,
    time::Timestamp,
    told::{self, Told},
};
use mesos_proto::v1::{
    AgentId, TaskId, TaskState, TaskStatus,
    scheduler::{Call, call},
    task_status,
};

/// How long a task that Mesos was told of may be unknown before one asks.
const SILENT_AFTER_MS: i64 = 30_000;

/// What a state means for an instance.
enum Means {
    Lives(Condition),
    /// It has ended; whether the app is to wait before the next one, and whether that is a failure to tell of.
    Ended {
        waits: bool,
        failed: bool,
    },
}

fn meaning(state: TaskState) -> Means {
    let ended = |waits, failed| Means::Ended { waits, failed };
    match state {
        TaskState::TaskStaging => Means::Lives(Condition::Staging),
        TaskState::TaskStarting => Means::Lives(Condition::Starting),
        TaskState::TaskRunning => Means::Lives(Condition::Running),
        TaskState::TaskKilling => Means::Lives(Condition::Killing),
        TaskState::TaskUnreachable => Means::Lives(Condition::Unreachable),
        TaskState::TaskFinished => ended(true, false),
        TaskState::TaskKilled => ended(false, false),
        TaskState::TaskFailed | TaskState::TaskError | TaskState::TaskDropped | TaskState::TaskGone => {
            ended(true, true)
        }
        // Nobody's fault but the agent's.
        TaskState::TaskLost | TaskState::TaskGoneByOperator | TaskState::TaskUnknown => ended(false, true),
    }
}

impl Core {
    /// Takes what Mesos says of a task, and says that it is taken.
    pub(super) fn told(&mut self, status: TaskStatus) {
        let task = status.task_id.value.clone();
        match Instance::of_task(&task) {
            Some((app, id)) if self.has(&app, &id) => self.told_of(&app, &id, &status),
            // Nobody knows it: it is not to run.
            _ => {
                let agent = status.agent_id.as_ref().map(|agent| agent.value.as_str());
                if matches!(meaning(status.state()), Means::Lives(condition) if condition != Condition::Unreachable)
                {
                    self.call(kill(&task, agent));
                }
            }
        }
        if let (Some(uuid), Some(agent_id)) = (status.uuid, status.agent_id) {
            self.call(Call {
                r#type: Some(call::Type::Acknowledge as i32),
                acknowledge: Some(call::Acknowledge {
                    agent_id,
                    task_id: TaskId { value: task },
                    uuid,
                }),
                ..Call::default()
            });
        }
    }

    fn has(&self, app: &PathId, id: &str) -> bool {
        self.instances
            .get(app)
            .is_some_and(|of_app| of_app.contains_key(id))
    }

    fn told_of(&mut self, app: &PathId, id: &InstanceId, status: &TaskStatus) {
        self.dirty.insert(app.clone());
        match meaning(status.state()) {
            Means::Lives(condition) => self.lives(app, id, condition, status),
            Means::Ended { waits, failed } => {
                let Some(gone) = self.forget(app, id) else { return };
                self.tell_state(&gone, ended_as(status.state()), status);
                if failed && gone.goal == Goal::Running {
                    self.failed(&gone, status);
                }
                if waits && gone.goal == Goal::Running {
                    // Only the version that is wanted waits.
                    let current = self.apps.get(app).filter(|app| app.is_current(gone.version));
                    if let Some(current) = current.cloned() {
                        self.back_off(&current);
                    }
                }
            }
        }
    }

    fn lives(&mut self, app: &PathId, id: &InstanceId, condition: Condition, status: &TaskStatus) {
        let now = self.now.wall;
        let found = self.instances.get_mut(app).and_then(|of_app| of_app.get_mut(id));
        let Some(instance) = found else { return };
        let before = instance.clone();
        instance.heard = true;
        instance.condition = condition;
        if condition == Condition::Running && instance.started_at.is_none() {
            let at = status
                .timestamp
                .map_or(now, |seconds| Timestamp((seconds * 1000.0) as i64));
            instance.started_at = Some(at);
        }
        instance.unreachable_since = match condition {
            Condition::Unreachable => {
                let told = status.unreachable_time.as_ref();
                let told = told.map(|time| Timestamp(time.nanoseconds / 1_000_000));
                Some(instance.unreachable_since.or(told).unwrap_or(now))
            }
            _ => None,
        };
        let networks = status
            .container_status
            .iter()
            .flat_map(|status| &status.network_infos);
        let addresses: Vec<(String, String)> = networks
            .flat_map(|network| &network.ip_addresses)
            .filter_map(|one| one.ip_address.clone())
            .map(|address| {
                let protocol = if address.contains(':') { "IPv6" } else { "IPv4" };
                (address, protocol.to_owned())
            })
            .collect();
        if !addresses.is_empty() {
            instance.ip_addresses = addresses;
        }
        if let Some(alive) = status.healthy.filter(|_| instance.is_checked) {
            let reason = task_status::Reason::TaskHealthCheckStatusUpdated as i32;
            let checked = status.reason == Some(reason) || instance.is_alive() != Some(alive);
            if checked {
                instance.health = Some(checked_health(instance.health.take(), alive, now, status));
            }
        }
        if *instance == before {
            return;
        }
        let (after, alive) = (instance.clone(), instance.is_alive());
        self.keep_instance(app, id);
        if after.condition != before.condition {
            self.tell_state(&after, told::condition(after.condition), status);
        }
        if let Some(healthy) = alive.filter(|_| alive != before.is_alive()) {
            let instance = after;
            self.tell(Told::Health { instance, healthy });
        }
    }

    fn tell_state(&mut self, instance: &Instance, condition: &'static str, status: &TaskStatus) {
        self.tell(Told::Status {
            instance: instance.clone(),
            state: status.state().as_str_name(),
            message: status.message.clone().unwrap_or_default(),
        });
        let instance = instance.clone();
        self.tell(Told::Instance { instance, condition });
    }

    fn failed(&mut self, gone: &Instance, status: &TaskStatus) {
        let failure = Failure {
            app_id: gone.app.clone(),
            host: gone.place.host.clone(),
            message: status.message.clone().unwrap_or_default(),
            state: status.state().as_str_name().to_owned(),
            task_id: gone.task_id(),
            timestamp: self.now.wall,
            version: gone.version,
            slave_id: Some(gone.agent_id.clone()),
        };
        self.store(Change::Failure(Box::new(failure.clone())));
        self.failures.insert(gone.app.clone(), failure);
    }

    /// Asks Mesos for the states of all tasks, of what it runs besides, too; or only of those of which it owes an answer.
    pub(super) fn reconcile(&mut self, all: bool) {
        let Self { now, .. } = *self;
        self.reconciled = now.elapsed;
        if all {
            self.reconciled_all = now.elapsed;
        }
        let begun = self.subscribed;
        let silent = |one: &&Instance| {
            // Of what has just been launched there may be nothing to say yet.
            let fresh = one.condition == Condition::Provisioned
                && one.staged_at >= begun
                && now.wall < one.staged_at.plus(SILENT_AFTER_MS);
            all || !one.heard && !fresh
        };
        let task = |one: &Instance| call::reconcile::Task {
            task_id: TaskId { value: one.task_id() },
            agent_id: Some(AgentId {
                value: one.agent_id.clone(),
            }),
        };
        let tasks: Vec<_> = self.all_instances().filter(silent).map(task).collect();
        if !tasks.is_empty() {
            self.call(reconcile(tasks));
        }
        if all {
            // What nobody here knows of is told of, too.
            self.call(reconcile(Vec::new()));
        }
    }
}

/// How an instance ended, by the name of the API.
fn ended_as(state: TaskState) -> &'static str {
    match state {
        TaskState::TaskFinished => "Finished",
        TaskState::TaskKilled => "Killed",
        TaskState::TaskFailed => "Failed",
        TaskState::TaskError => "Error",
        TaskState::TaskDropped => "Dropped",
        TaskState::TaskUnknown => "Unknown",
        _ => "Gone",
    }
}

fn reconcile(tasks: Vec<call::reconcile::Task>) -> Call {
    Call {
        r#type: Some(call::Type::Reconcile as i32),
        reconcile: Some(call::Reconcile { tasks }),
        ..Call::default()
    }
}

fn checked_health(before: Option<Health>, alive: bool, now: Timestamp, status: &TaskStatus) -> Health {
    let mut health = before.unwrap_or(Health {
        alive,
        consecutive_failures: 0,
        first_success: None,
        last_success: None,
        last_failure: None,
        last_failure_cause: None,
    });
    health.alive = alive;
    if alive {
        health.consecutive_failures = 0;
        health.first_success = health.first_success.or(Some(now));
        health.last_success = Some(now);
    } else {
        health.consecutive_failures = health.consecutive_failures.saturating_add(1);
        health.last_failure = Some(now);
        health.last_failure_cause = Some(status.message.clone().unwrap_or_default());
    }
    health
}
