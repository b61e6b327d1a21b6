//! What the API changes.

use super::{
    Change, Core, VERSIONS_MAX,
    app::{App, AppUpdate, VersionInfo, Wrong, check, check_update},
    deployment::{Apps, Deployment, has_cycle},
    groups::GroupUpdate,
    instance::{Instance, InstanceId},
    path::PathId,
    time::Timestamp,
    told::Stage,
};
use server_kit::Random;
use std::{collections::BTreeMap, sync::Arc};

/// What a request wants changed.
#[derive(Debug)]
pub(crate) enum Command {
    Create {
        update: Box<AppUpdate>,
        force: bool,
    },
    /// The apps with what is said of each.
    Update {
        updates: Vec<(PathId, AppUpdate)>,
        /// What is not said stays; otherwise it is as if it had never been said.
        partial: bool,
        /// Whether what is not there comes to be.
        create: bool,
        force: bool,
    },
    Remove {
        app: PathId,
        force: bool,
    },
    Restart {
        app: PathId,
        force: bool,
    },
    ChangeGroup {
        id: PathId,
        update: Box<GroupUpdate>,
        /// Whether there must be none yet.
        is_new: bool,
        force: bool,
    },
    RemoveGroup {
        id: PathId,
        force: bool,
    },
    Kill(Kill),
    /// Takes back what a deployment does; with force, it only stops.
    Cancel {
        deployment: String,
        force: bool,
    },
    ResetDelay(PathId),
}

/// Which instances are to end.
#[derive(Debug, Default)]
pub(crate) struct Kill {
    /// Those of these apps that `ids` names, or all.
    pub(crate) apps: Vec<PathId>,
    pub(crate) ids: Option<Vec<InstanceId>>,
    pub(crate) host: Option<String>,
    /// Nobody takes their place.
    pub(crate) scale: bool,
    /// They are forgotten at once.
    pub(crate) wipe: bool,
    pub(crate) force: bool,
}

/// What came of it.
#[derive(Debug, PartialEq)]
pub(crate) enum Done {
    Nothing,
    Created(Arc<App>, Deployed),
    Deployed(Deployed),
    Killed(Vec<Instance>),
}

/// A deployment that began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Deployed {
    pub(crate) id: String,
    pub(crate) version: Timestamp,
    /// Whether an app of it is new.
    pub(crate) created: bool,
}

/// Why nothing changed. Texts are the original's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("App '{0}' does not exist{of}", of = .1.map(|version| format!(" in version {version}")).unwrap_or_default())]
    NoApp(PathId, Option<Timestamp>),
    #[error("Group '{0}' does not exist")]
    NoGroup(PathId),
    #[error("Group {0} is already created. Use PUT to change this group.")]
    GroupExists(PathId),
    #[error("Task '{0}' does not exist")]
    NoTask(String),
    #[error("DeploymentPlan {0} does not exist")]
    NoDeployment(String),
    #[error("Application {0} not found in tasks queue.")]
    NotQueued(PathId),
    #[error("An app with id [{0}] already exists.")]
    Exists(PathId),
    #[error(
        "App is locked by one or more deployments. Override with the option '?force=true'. \
         View details at '/v2/deployments/<DEPLOYMENT_ID>'."
    )]
    Locked(Vec<String>),
    #[error("Object is not valid")]
    Invalid(Vec<Wrong>),
    #[error("All ports in the range [{0}-{1}] are already in use")]
    PortsExhausted(u32, u32),
    #[error("You cannot use scale and wipe at the same time.")]
    ScaleAndWipe,
}

impl Core {
    pub(super) fn command(&mut self, command: Command, random: &Random) -> Result<Done, Refused> {
        match command {
            Command::Create { update, force } => self.create(*update, force, random),
            Command::Update {
                updates,
                partial,
                create,
                force,
            } => {
                let mut target = BTreeMap::new();
                for (id, update) in updates {
                    let app = self.updated(&id, update, partial, create)?;
                    target.insert(id, Some(app));
                }
                self.deploy(target, Vec::new(), force, random).map(Done::Deployed)
            }
            Command::Remove { app, force } => {
                self.known(&app)?;
                let target = [(app, None)].into();
                self.deploy(target, Vec::new(), force, random).map(Done::Deployed)
            }
            Command::Restart { app, force } => {
                let mut restarted = (**self.known(&app)?).clone();
                // As if it had changed, though it has not.
                restarted.version_info.last_config_change_at = Timestamp(i64::MAX);
                let target = [(app, Some(restarted))].into();
                self.deploy(target, Vec::new(), force, random).map(Done::Deployed)
            }
            Command::ChangeGroup {
                id,
                update,
                is_new,
                force,
            } => {
                if is_new && (self.has_group(&id) && !id.is_root() || self.apps.contains_key(&id)) {
                    return Err(Refused::GroupExists(id));
                }
                self.change_group(&id, *update, force, random).map(Done::Deployed)
            }
            Command::RemoveGroup { id, force } => self.remove_group(&id, force, random).map(Done::Deployed),
            Command::Kill(kill) => self.kill(kill, random),
            Command::Cancel { deployment, force } => self.cancel(&deployment, force, random),
            Command::ResetDelay(app) => {
                if !self.queue.contains_key(&app) {
                    return Err(Refused::NotQueued(app));
                }
                self.reset_delay(&app);
                Ok(Done::Nothing)
            }
        }
    }

    fn known(&self, id: &PathId) -> Result<&Arc<App>, Refused> {
        self.apps.get(id).ok_or_else(|| Refused::NoApp(id.clone(), None))
    }

    fn create(&mut self, update: AppUpdate, force: bool, random: &Random) -> Result<Done, Refused> {
        let id = PathId::new(update.id.as_deref().unwrap_or_default());
        let mut wrong = check_update(&AppUpdate {
            // A definition that was read from the API names its version.
            version: None,
            ..update.clone()
        });
        let app = update.apply(&App::named(id.clone()));
        wrong.extend(check(&app));
        if !wrong.is_empty() {
            return Err(Refused::Invalid(wrong));
        }
        if self.apps.contains_key(&id) {
            return Err(Refused::Exists(id));
        }
        let deployed = self.deploy([(id.clone(), Some(app))].into(), Vec::new(), force, random)?;
        Ok(Done::Created(self.known(&id)?.clone(), deployed))
    }

    /// What an app is after an update of it.
    fn updated(&self, id: &PathId, update: AppUpdate, partial: bool, create: bool) -> Result<App, Refused> {
        let wrong = check_update(&update);
        if !wrong.is_empty() {
            return Err(Refused::Invalid(wrong));
        }
        let before = self.apps.get(id);
        if before.is_none() && !create {
            return Err(Refused::NoApp(id.clone(), None));
        }
        if let (Some(version), Some(_)) = (update.version, before) {
            let of_app = self.versions.get(id);
            let wanted = of_app.and_then(|of_app| of_app.get(&version));
            let wanted = wanted.ok_or_else(|| Refused::NoApp(id.clone(), Some(version)))?;
            return Ok((**wanted).clone());
        }
        let app = match before {
            Some(before) if partial => update.apply(before),
            Some(before) => {
                let mut app = update.apply(&App::named(id.clone()));
                // Of what is replaced, its versions alone stay.
                (app.version, app.version_info) = (before.version, before.version_info);
                app
            }
            None => update.apply(&App::named(id.clone())),
        };
        let wrong = check(&app);
        match wrong.is_empty() {
            true => Ok(app),
            false => Err(Refused::Invalid(wrong)),
        }
    }

    /// Begins to change apps. Those that are as they were are left out; where nothing changes, the deployment ends at once.
    pub(super) fn deploy(
        &mut self,
        wanted: Apps,
        kill: Vec<InstanceId>,
        force: bool,
        random: &Random,
    ) -> Result<Deployed, Refused> {
        let version = self.next_version(wanted.keys());
        let target = self.versioned(wanted, version)?;
        let after = self
            .apps
            .iter()
            .filter(|(id, _)| !target.contains_key(*id))
            .map(|(_, app)| &**app);
        let needs = self.needs_of_groups();
        if has_cycle(after.chain(target.values().flatten()), &needs) {
            let wrong = Wrong::new("/", "Dependency graph has cyclic dependencies.");
            return Err(Refused::Invalid(vec![wrong]));
        }
        let before = |id: &PathId| self.apps.get(id).map(|app| (**app).clone());
        let original: Apps = target.keys().map(|id| (id.clone(), before(id))).collect();
        let created = target
            .iter()
            .any(|(id, app)| app.is_some() && original.get(id).is_none_or(Option::is_none));
        let id = random.uuid().to_string();
        let deployment = Deployment::new(id.clone(), version, (original, target), kill, &needs);
        self.unlock(&deployment, force)?;
        for (id, app) in &deployment.target {
            self.put(id, app.as_ref());
        }
        self.dirty.extend(deployment.apps().cloned());
        self.store(Change::Deployment(Box::new(deployment.clone())));
        self.tell_of(Stage::Begins, &deployment);
        self.deployments.push(deployment);
        Ok(Deployed { id, version, created })
    }

    /// A moment that no version of these apps has, nor an earlier deployment.
    fn next_version<'a>(&self, apps: impl Iterator<Item = &'a PathId>) -> Timestamp {
        let newest = apps.filter_map(|id| self.versions.get(id)?.keys().next_back().copied());
        let deployed = self.deployments.iter().map(|one| one.version);
        let newest = newest.chain(deployed).max();
        newest.map_or(self.now.wall, |newest| self.now.wall.max(newest.plus(1)))
    }

    /// Apps as they will be kept: with their ports, and with when they changed.
    fn versioned(&self, wanted: Apps, version: Timestamp) -> Result<Apps, Refused> {
        let (mut target, mut done) = (Apps::new(), Vec::new());
        for (id, app) in wanted {
            let Some(mut app) = app else {
                target.insert(id, None);
                continue;
            };
            self.assign_ports(&mut app, &done)
                .map_err(|_| Refused::PortsExhausted(*self.local_ports.start(), *self.local_ports.end()))?;
            let before = self.apps.get(&id);
            let restarted = app.version_info.last_config_change_at == Timestamp(i64::MAX);
            let changed = VersionInfo {
                last_scaling_at: version,
                last_config_change_at: version,
            };
            match before {
                Some(before) if !restarted && !before.is_upgraded_by(&app) => {
                    app.version_info = before.version_info;
                    app.version = before.version;
                    if app.instances != before.instances {
                        app.version_info.last_scaling_at = version;
                        app.version = version;
                    }
                }
                _ => (app.version, app.version_info) = (version, changed),
            }
            done.push(app.clone());
            target.insert(id, Some(app));
        }
        Ok(target)
    }

    /// Makes way for a deployment: others that change the same apps must be over, or are given up.
    fn unlock(&mut self, deployment: &Deployment, force: bool) -> Result<(), Refused> {
        let in_the_way = |other: &Deployment| deployment.apps().any(|app| other.locks(app));
        let others = self.deployments.iter().filter(|other| in_the_way(other));
        let others: Vec<String> = others.map(|other| other.id.clone()).collect();
        if !others.is_empty() && !force {
            return Err(Refused::Locked(others));
        }
        for id in others {
            self.drop_deployment(&id);
        }
        Ok(())
    }

    fn drop_deployment(&mut self, id: &str) {
        if let Some(at) = self.deployments.iter().position(|one| one.id == id) {
            let dropped = self.deployments.remove(at);
            self.dirty.extend(dropped.apps().cloned());
            self.tell_of(Stage::GivenUp, &dropped);
            self.store(Change::DeploymentRemoved(dropped.id));
        }
    }

    /// From now on this is what an app is.
    fn put(&mut self, id: &PathId, app: Option<&App>) {
        let Some(app) = app else {
            self.apps.remove(id);
            self.store(Change::AppRemoved(id.clone()));
            return;
        };
        let before = self.apps.get(id).cloned();
        if before.is_none() {
            // What an app of the same name left is none of this one's.
            let left: Vec<InstanceId> = self.instances_of(id).map(|one| one.id.clone()).collect();
            self.decommission(id, &left);
        }
        if before.as_ref().is_none_or(|before| before.is_upgraded_by(app)) {
            self.backoffs.remove(id);
        }
        let app = Arc::new(app.clone());
        self.apps.insert(id.clone(), app.clone());
        self.store(Change::App(app.clone()));
        let of_app = self.versions.entry(id.clone()).or_default();
        if of_app.insert(app.version, app.clone()).is_none() {
            let old = match of_app.len() > VERSIONS_MAX {
                true => of_app.pop_first(),
                false => None,
            };
            self.store(Change::Version(app));
            if let Some((version, _)) = old {
                self.store(Change::VersionRemoved(id.clone(), version));
            }
        }
    }

    fn cancel(&mut self, id: &str, force: bool, random: &Random) -> Result<Done, Refused> {
        let found = self.deployments.iter().find(|one| one.id == id);
        let original = found.map(|one| one.original.clone());
        let original = original.ok_or_else(|| Refused::NoDeployment(id.to_owned()))?;
        self.drop_deployment(id);
        match force {
            true => Ok(Done::Nothing),
            false => self
                .deploy(original, Vec::new(), true, random)
                .map(Done::Deployed),
        }
    }

    fn kill(&mut self, kill: Kill, random: &Random) -> Result<Done, Refused> {
        if kill.scale && kill.wipe {
            return Err(Refused::ScaleAndWipe);
        }
        for app in &kill.apps {
            self.known(app)?;
        }
        let here = |one: &&Instance| {
            let host = kill
                .host
                .as_deref()
                .is_none_or(|host| host == "*" || host == one.place.host);
            host && kill.ids.as_ref().is_none_or(|ids| ids.contains(&one.id))
        };
        let found: Vec<Instance> = kill
            .apps
            .iter()
            .flat_map(|app| self.instances_of(app))
            .filter(here)
            .cloned()
            .collect();
        if kill.scale {
            let mut target = Apps::new();
            for app in &kill.apps {
                let of_app = found
                    .iter()
                    .filter(|one| one.app == *app && one.is_active())
                    .count();
                let mut scaled = (**self.known(app)?).clone();
                scaled.instances = scaled
                    .instances
                    .saturating_sub(u32::try_from(of_app).unwrap_or(u32::MAX));
                target.insert(app.clone(), Some(scaled));
            }
            let ids = found.into_iter().map(|one| one.id).collect();
            return self.deploy(target, ids, kill.force, random).map(Done::Deployed);
        }
        for instance in &found {
            self.decommission(&instance.app, std::slice::from_ref(&instance.id));
            if kill.wipe {
                // What still runs is killed as what nobody knows.
                self.call(super::drive::kill(&instance.task_id(), Some(&instance.agent_id)));
                self.forget(&instance.app, &instance.id);
            }
            self.dirty.insert(instance.app.clone());
        }
        Ok(Done::Killed(found))
    }
}
