//! Groups: they hold apps and further groups, and are changed as a whole.

use super::{
    Change, Core, Refused,
    app::{App, AppUpdate, Wrong, check, check_update},
    commands::Deployed,
    deployment::Apps,
    path::PathId,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use server_kit::Random;
use std::collections::{BTreeMap, BTreeSet};

/// What is kept of a group beside what is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) id: PathId,
    pub(crate) dependencies: Vec<PathId>,
    pub(crate) version: Timestamp,
}

/// What a request says of a group; what it does not say stays as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct GroupUpdate {
    pub(crate) id: Option<String>,
    pub(crate) apps: Option<Vec<AppUpdate>>,
    pub(crate) groups: Option<Vec<GroupUpdate>>,
    pub(crate) dependencies: Option<Vec<String>>,
    /// Every app below is to have so many times the instances.
    pub(crate) scale_by: Option<f64>,
}

/// What a change of groups comes to.
#[derive(Debug, Default)]
struct Plan {
    apps: Apps,
    groups: BTreeMap<PathId, Option<Vec<PathId>>>,
    wrong: Vec<Wrong>,
}

impl Core {
    /// Whether there is such a group.
    pub(crate) fn has_group(&self, id: &PathId) -> bool {
        id.is_root()
            || self.groups.contains_key(id)
            || self
                .apps
                .keys()
                .chain(self.groups.keys())
                .any(|one| one.is_below(id))
    }

    /// The groups right below one.
    pub(crate) fn groups_in(&self, id: &PathId) -> BTreeSet<PathId> {
        let depth = id.parts().count() + 1;
        let of_apps = self.apps.keys().map(PathId::parent);
        let all = of_apps
            .chain(self.groups.keys().cloned())
            .filter(|one| one.is_below(id));
        all.map(|one| one.cut(depth)).collect()
    }

    /// What the apps of a group need, because it or one that it is in does.
    pub(super) fn needs_of_groups(&self) -> BTreeMap<PathId, Vec<PathId>> {
        let some = self
            .groups
            .values()
            .filter(|group| !group.dependencies.is_empty());
        some.map(|group| (group.id.clone(), group.dependencies.clone()))
            .collect()
    }

    pub(super) fn change_group(
        &mut self,
        id: &PathId,
        update: GroupUpdate,
        force: bool,
        random: &Random,
    ) -> Result<Deployed, Refused> {
        let plan = self.plan_group(id, &update);
        if !plan.wrong.is_empty() {
            return Err(Refused::Invalid(plan.wrong));
        }
        let before = self.groups.clone();
        let version = self.now.wall;
        for (id, dependencies) in &plan.groups {
            match dependencies {
                None => {
                    self.groups.remove(id);
                }
                Some(dependencies) => {
                    let group = Group {
                        id: id.clone(),
                        dependencies: dependencies.clone(),
                        version,
                    };
                    self.groups.insert(id.clone(), group);
                }
            }
        }
        let deployed = self.deploy(plan.apps, Vec::new(), force, random);
        if deployed.is_err() {
            self.groups = before;
            return deployed;
        }
        for (id, dependencies) in plan.groups {
            let kept = dependencies.and_then(|_| self.groups.get(&id).cloned());
            self.store(match kept {
                Some(group) => Change::Group(Box::new(group)),
                None => Change::GroupRemoved(id),
            });
        }
        deployed
    }

    pub(super) fn remove_group(
        &mut self,
        id: &PathId,
        force: bool,
        random: &Random,
    ) -> Result<Deployed, Refused> {
        if !self.has_group(id) {
            return Err(Refused::NoGroup(id.clone()));
        }
        let nothing = GroupUpdate {
            apps: Some(Vec::new()),
            groups: Some(Vec::new()),
            ..GroupUpdate::default()
        };
        let deployed = self.change_group(id, nothing, force, random)?;
        if self.groups.remove(id).is_some() {
            self.store(Change::GroupRemoved(id.clone()));
        }
        Ok(deployed)
    }

    fn plan_group(&self, id: &PathId, update: &GroupUpdate) -> Plan {
        let mut plan = Plan::default();
        if !id.is_valid() {
            let error = format!("must fully match regular expression '{}'", super::path::SEGMENT);
            plan.wrong.push(Wrong::new("/id", error));
        }
        match update.scale_by {
            Some(by) => {
                for (app, before) in self.apps.iter().filter(|(app, _)| app.is_below(id)) {
                    #[allow(
                        clippy::cast_possible_truncation,
                        clippy::cast_sign_loss,
                        reason = "a number of instances that is too large is the largest"
                    )]
                    let instances = (f64::from(before.instances) * by).ceil() as u32;
                    let scaled = App {
                        instances,
                        ..(**before).clone()
                    };
                    plan.apps.insert(app.clone(), Some(scaled));
                }
            }
            None => self.collect(&mut plan, id, update, ""),
        }
        plan
    }

    /// What a group and those below it become.
    fn collect(&self, plan: &mut Plan, id: &PathId, update: &GroupUpdate, at: &str) {
        let before = self.groups.get(id).map(|group| group.dependencies.clone());
        let said = update.dependencies.as_ref().map(|said| {
            let paths = said.iter().map(|one| PathId::from_base(one, id));
            paths.collect::<Vec<_>>()
        });
        if !id.is_root() {
            plan.groups
                .insert(id.clone(), Some(said.or(before).unwrap_or_default()));
        }
        if let Some(apps) = &update.apps {
            for app in self.apps.keys().filter(|app| app.parent() == *id) {
                plan.apps.insert(app.clone(), None);
            }
            for (index, said) in apps.iter().enumerate() {
                let name = PathId::from_base(said.id.as_deref().unwrap_or_default(), id);
                let app = said.clone().apply(&App::named(name.clone()));
                let mut wrong = check_update(&AppUpdate {
                    version: None,
                    ..said.clone()
                });
                wrong.extend(check(&app));
                if name.parent() != *id {
                    let error = format!("Identifier is not child of '{id}'. Hint: use relative paths.");
                    wrong.push(Wrong::new("/id", error));
                }
                let of_app = wrong.into_iter().map(|one| {
                    let path = if one.path == "/" { "" } else { one.path.as_str() };
                    Wrong::new(format!("{at}/apps({index}){path}"), one.error)
                });
                plan.wrong.extend(of_app);
                plan.apps.insert(name, Some(app));
            }
        }
        if let Some(groups) = &update.groups {
            let names: Vec<PathId> = groups
                .iter()
                .map(|group| PathId::from_base(group.id.as_deref().unwrap_or_default(), id))
                .collect();
            let gone = self
                .groups_in(id)
                .into_iter()
                .filter(|group| !names.contains(group));
            for group in gone {
                let within = |one: &&PathId| **one == group || one.is_below(&group);
                plan.groups
                    .extend(self.groups.keys().filter(within).map(|one| (one.clone(), None)));
                plan.apps
                    .extend(self.apps.keys().filter(within).map(|one| (one.clone(), None)));
            }
            for (index, (name, group)) in names.iter().zip(groups).enumerate() {
                self.collect(plan, name, group, &format!("{at}/groups({index})"));
            }
        }
    }
}
