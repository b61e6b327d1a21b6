//! What each app lacks: it is brought nearer to what it is to be, and the deployments it is part of go on.

use super::{
    Change, Core,
    app::{App, KillSelection, UnreachableStrategy},
    deployment::{Kind, Turn},
    instance::{Condition, Goal, Instance, InstanceId},
    path::PathId,
    told::{Stage, Told},
};
use mesos_proto::v1::{
    AgentId, TaskId,
    scheduler::{Call, call},
};
use std::{sync::Arc, time::Duration};

/// How long after a kill that had no effect it is repeated.
const KILL_AGAIN_AFTER: Duration = Duration::from_secs(10);

/// What an app is to be by now.
enum Aim {
    /// So many instances of a version; those of other versions count.
    Scaled(Arc<App>, Vec<InstanceId>),
    /// No instances of other versions, without ever too few or too many.
    Replaced(Arc<App>),
    Gone,
}

impl Core {
    fn aim(&self, id: &PathId) -> Aim {
        let scaled = |app: &Option<App>, kill: &[InstanceId]| match app {
            Some(app) => Aim::Scaled(Arc::new(app.clone()), kill.to_vec()),
            None => Aim::Gone,
        };
        let current = || self.apps.get(id).cloned();
        let deployment = self.deployments.iter().find(|one| one.locks(id));
        match (deployment.map(|one| (one, one.turn(id))), current()) {
            (Some((deployment, Turn::Before)), _) => {
                let original = deployment.original.get(id);
                original.map_or(Aim::Gone, |original| scaled(original, &[]))
            }
            (Some((_, Turn::Now(action))), Some(app)) => match action.kind {
                Kind::ScaleApplication => Aim::Scaled(app, action.kill.clone()),
                Kind::RestartApplication => Aim::Replaced(app),
                // It is known, but has no instances yet; or it goes.
                Kind::StartApplication | Kind::StopApplication => Aim::Gone,
            },
            (_, Some(app)) => Aim::Scaled(app, Vec::new()),
            (_, None) => Aim::Gone,
        }
    }

    /// Launches and kills what an app lacks and has too much of.
    pub(crate) fn drive(&mut self, id: &PathId) {
        self.give_up_unreachable(id);
        match self.aim(id) {
            Aim::Scaled(app, kill) => self.scale(&app, &kill),
            Aim::Replaced(app) => self.replace(&app),
            Aim::Gone => {
                self.queue.remove(id);
                let all: Vec<InstanceId> = self.instances_of(id).map(|one| one.id.clone()).collect();
                self.decommission(id, &all);
            }
        }
        self.kill_decommissioned(id);
    }

    fn scale(&mut self, app: &Arc<App>, first: &[InstanceId]) {
        let sentenced: Vec<InstanceId> = self
            .instances_of(&app.id)
            .filter(|one| one.is_active() && first.contains(&one.id))
            .map(|one| one.id.clone())
            .collect();
        self.decommission(&app.id, &sentenced);
        let active = self.counted(&app.id);
        let wanted = app.instances as usize;
        if active > wanted {
            let surplus = self.choose(app, active - wanted, |_| true);
            self.decommission(&app.id, &surplus);
        }
        self.enqueue(
            app,
            u32::try_from(wanted.saturating_sub(active)).unwrap_or(u32::MAX),
        );
    }

    /// Instances that fill a place: not those that are to end, and not those whose place another one is to take.
    fn counted(&self, id: &PathId) -> usize {
        self.instances_of(id)
            .filter(|one| one.is_active() && !self.is_inactive(one))
            .count()
    }

    /// Old instances go as new ones become healthy; there are never fewer healthy ones than the app's strategy demands, and
    /// never more in total than it allows.
    fn replace(&mut self, app: &Arc<App>) {
        let wanted = app.instances as usize;
        let (least, mut most) = capacities(app);
        let is_new = |one: &Instance| app.is_current(one.version);
        let this = &*self;
        let of_app = move || {
            this.instances_of(&app.id)
                .filter(move |one| !this.is_inactive(one))
        };
        let new_active = of_app().filter(|one| is_new(one) && one.is_active()).count();
        let new_healthy = of_app()
            .filter(|one| is_new(one) && one.is_active() && one.is_healthy())
            .count();
        let old: Vec<&Instance> = of_app().filter(|one| !is_new(one) && one.is_active()).collect();
        let old_well = old.iter().filter(|one| one.is_running()).count();
        if least == most {
            // Otherwise nothing could ever begin.
            most += 1;
        }
        // Those that are not well yet protect nobody; those that are go only as far as others are there for them.
        let spare = (old_well + new_healthy).saturating_sub(least);
        let dead_weight = old.len() - old_well;
        let goes = self.choose(app, spare + dead_weight, |one| !is_new(one));
        let there = self.instances_of(&app.id).count();
        let room = most.saturating_sub(there.saturating_sub(self.inactive(&app.id)));
        let surplus = new_active.saturating_sub(wanted);
        self.decommission(&app.id, &goes);
        if surplus > 0 {
            let surplus = self.choose(app, surplus, |one| is_new(one));
            self.decommission(&app.id, &surplus);
        }
        let lacks = wanted.saturating_sub(new_active).min(room);
        self.enqueue(app, u32::try_from(lacks).unwrap_or(u32::MAX));
    }

    fn inactive(&self, id: &PathId) -> usize {
        self.instances_of(id).filter(|one| self.is_inactive(one)).count()
    }

    /// So many of the active instances that are the least loss: those that do not run, then by the app's choice.
    fn choose(&self, app: &App, count: usize, of: impl Fn(&Instance) -> bool) -> Vec<InstanceId> {
        let mut all: Vec<&Instance> = self
            .instances_of(&app.id)
            .filter(|one| one.is_active() && !self.is_inactive(one) && of(one))
            .collect();
        all.sort_by_key(|one| {
            let since = one.started_at.unwrap_or(one.staged_at).0;
            let age = match app.kill_selection {
                KillSelection::YoungestFirst => -since,
                KillSelection::OldestFirst => since,
            };
            (one.is_healthy(), one.is_running(), age)
        });
        all.into_iter().take(count).map(|one| one.id.clone()).collect()
    }

    /// From now on these are to end.
    pub(crate) fn decommission(&mut self, app: &PathId, ids: &[InstanceId]) {
        for id in ids {
            let found = self.instances.get_mut(app).and_then(|of_app| of_app.get_mut(id));
            if let Some(instance) = found
                && instance.goal != Goal::Decommissioned
            {
                instance.goal = Goal::Decommissioned;
                instance.kill_sent = None;
                self.keep_instance(app, id);
            }
        }
    }

    /// Asks Mesos for the end of what is to end, again and again. Nobody waits for an agent that is away: should it come
    /// back, what it runs is not known any more, and killed.
    fn kill_decommissioned(&mut self, id: &PathId) {
        let away = |one: &&Instance| !one.is_active() && one.condition == Condition::Unreachable;
        let away: Vec<InstanceId> = self
            .instances_of(id)
            .filter(away)
            .map(|one| one.id.clone())
            .collect();
        for instance in away {
            self.forget(id, &instance);
        }
        if !self.connected {
            return;
        }
        let now = self.now.elapsed;
        let due = |one: &&mut Instance| {
            let waited = one
                .kill_sent
                .is_none_or(|sent| now.saturating_sub(sent) >= KILL_AGAIN_AFTER);
            one.goal == Goal::Decommissioned && waited
        };
        let of_app = self
            .instances
            .get_mut(id)
            .into_iter()
            .flat_map(|of_app| of_app.values_mut());
        let mut kills = Vec::new();
        for instance in of_app.filter(due) {
            instance.kill_sent = Some(now);
            kills.push(kill(&instance.task_id(), Some(&instance.agent_id)));
        }
        for kill in kills {
            self.call(kill);
        }
    }

    /// Whether the agent of an instance has been away for so long that another one takes its place.
    fn is_inactive(&self, instance: &Instance) -> bool {
        let Some(since) = instance.unreachable_since else {
            return false;
        };
        match self.strategy(instance) {
            UnreachableStrategy::Disabled(_) => false,
            UnreachableStrategy::After {
                inactive_after_seconds,
                ..
            } => since.plus(i64::from(inactive_after_seconds) * 1000) <= self.now.wall,
        }
    }

    fn strategy(&self, instance: &Instance) -> UnreachableStrategy {
        let app = self
            .launched_as(instance)
            .or_else(|| self.apps.get(&instance.app));
        let default = UnreachableStrategy::After {
            inactive_after_seconds: 0,
            expunge_after_seconds: 0,
        };
        app.map_or(default, |app| app.unreachable_strategy)
    }

    /// Forgets instances whose agents have been away for too long. Should they come back, they are killed.
    fn give_up_unreachable(&mut self, id: &PathId) {
        let expired = |one: &&Instance| match (one.condition, one.unreachable_since, self.strategy(one)) {
            (
                Condition::Unreachable,
                Some(since),
                UnreachableStrategy::After {
                    expunge_after_seconds,
                    ..
                },
            ) => since.plus(i64::from(expunge_after_seconds) * 1000) <= self.now.wall,
            _ => false,
        };
        let expired: Vec<InstanceId> = self
            .instances_of(id)
            .filter(expired)
            .map(|one| one.id.clone())
            .collect();
        for instance in expired {
            self.forget(id, &instance);
        }
    }

    /// An instance is no more.
    pub(crate) fn forget(&mut self, app: &PathId, id: &str) -> Option<Instance> {
        let of_app = self.instances.get_mut(app)?;
        let gone = of_app.remove(id)?;
        if of_app.is_empty() {
            self.instances.remove(app);
        }
        self.store(Change::InstanceRemoved(gone.id.clone()));
        self.dirty.insert(app.clone());
        Some(gone)
    }

    /// Takes the deployments of an app to their next step, where all of this one is done.
    pub(crate) fn advance(&mut self, app: &PathId) {
        let mut at = 0;
        while let Some(deployment) = self.deployments.get(at) {
            if !deployment.locks(app) && !deployment.steps.is_empty() {
                at += 1;
                continue;
            }
            let step = deployment.steps.get(deployment.step);
            let done =
                step.is_none_or(|step| step.iter().all(|action| self.is_done(action.kind, &action.app)));
            if !done {
                at += 1;
                continue;
            }
            let before = deployment.clone();
            let touched: Vec<PathId> = deployment.apps().cloned().collect();
            self.dirty.extend(touched);
            self.tell_of(Stage::StepDone, &before);
            if before.step + 1 >= before.steps.len() {
                let over = self.deployments.remove(at);
                self.store(Change::DeploymentRemoved(over.id.clone()));
                self.tell_of(Stage::Done, &over);
                self.tell(Told::Group {
                    id: PathId::root(),
                    version: over.version,
                });
                self.clean_up(&over);
            } else if let Some(deployment) = self.deployments.get_mut(at) {
                deployment.step += 1;
                let next = deployment.clone();
                self.store(Change::Deployment(Box::new(next.clone())));
                self.tell_of(Stage::Begins, &next);
            }
        }
    }

    fn is_done(&self, kind: Kind, id: &PathId) -> bool {
        let app = self.apps.get(id);
        match (kind, app) {
            (Kind::StartApplication, _) => true,
            (Kind::StopApplication, _) | (_, None) => self.instances_of(id).next().is_none(),
            (Kind::ScaleApplication, Some(app)) => {
                let well = self
                    .instances_of(id)
                    .filter(|one| one.is_active() && one.is_healthy());
                let ending = self.instances_of(id).any(|one| !one.is_active());
                !ending && well.count() == app.instances as usize
            }
            (Kind::RestartApplication, Some(app)) => {
                let new = |one: &&Instance| one.is_active() && app.is_current(one.version);
                let well = self.instances_of(id).filter(new).filter(|one| one.is_healthy());
                let rest = self
                    .instances_of(id)
                    .any(|one| !new(&one) && !self.is_inactive(one));
                !rest && well.count() == app.instances as usize
            }
        }
    }

    /// What is left of apps that a deployment removed.
    fn clean_up(&mut self, over: &super::deployment::Deployment) {
        let removed = over.target.iter().filter(|(_, app)| app.is_none());
        let removed: Vec<PathId> = removed.map(|(id, _)| id.clone()).collect();
        for id in removed
            .into_iter()
            .filter(|id| !self.apps.contains_key(id))
            .collect::<Vec<_>>()
        {
            for version in self.versions.remove(&id).unwrap_or_default().into_keys() {
                self.store(Change::VersionRemoved(id.clone(), version));
            }
            if self.failures.remove(&id).is_some() {
                self.store(Change::FailureRemoved(id.clone()));
            }
            self.backoffs.remove(&id);
            self.tell(Told::AppTerminated(id));
        }
    }
}

/// The fewest healthy instances there may be while an app is replaced, and the most in total.
fn capacities(app: &App) -> (usize, usize) {
    let (wanted, strategy) = (f64::from(app.instances), app.upgrade_strategy);
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "shares of a number of instances"
    )]
    let whole = |share: f64| share.max(0.0) as usize;
    let least = whole((wanted * strategy.minimum_health_capacity).ceil());
    let most = whole(wanted * (1.0 + strategy.maximum_over_capacity));
    (least, most)
}

/// The call that ends a task.
pub(crate) fn kill(task: &str, agent: Option<&str>) -> Call {
    Call {
        r#type: Some(call::Type::Kill as i32),
        kill: Some(call::Kill {
            task_id: TaskId {
                value: task.to_owned(),
            },
            agent_id: agent.map(|agent| AgentId {
                value: agent.to_owned(),
            }),
            kill_policy: None,
        }),
        ..Call::default()
    }
}
