//! From one set of apps to another, in steps that follow one another.

use super::{app::App, instance::InstanceId, path::PathId, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Apps by name; nothing where there is none of that name.
pub(crate) type Apps = BTreeMap<PathId, Option<App>>;

/// What all apps of a group depend on.
pub(crate) type Needs = BTreeMap<PathId, Vec<PathId>>;

/// A change of some apps that is under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Deployment {
    pub(crate) id: String,
    pub(crate) version: Timestamp,
    /// What was, for whoever wants it back and for apps whose turn has not come.
    pub(crate) original: Apps,
    pub(crate) target: Apps,
    pub(crate) steps: Vec<Vec<Action>>,
    /// The one that is under way, from 0 on.
    pub(crate) step: usize,
}

/// What is done with an app in a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Action {
    pub(crate) kind: Kind,
    pub(crate) app: PathId,
    /// Instances that are to go first, whatever else would choose them.
    #[serde(default)]
    pub(crate) kill: Vec<InstanceId>,
}

/// Actions by the names of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::enum_variant_names, reason = "the API calls them so")]
pub(crate) enum Kind {
    StartApplication,
    ScaleApplication,
    RestartApplication,
    StopApplication,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::StartApplication => "StartApplication",
            Kind::ScaleApplication => "ScaleApplication",
            Kind::RestartApplication => "RestartApplication",
            Kind::StopApplication => "StopApplication",
        }
    }
}

/// Where an app stands in a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn<'a> {
    /// It is as it was.
    Before,
    Now(&'a Action),
    /// It is as it is to be.
    Over,
}

impl Deployment {
    /// From what is to what is to be, by the steps that dependencies allow; groups need what `needs` says.
    pub(crate) fn new(
        id: String,
        version: Timestamp,
        (original, target): (Apps, Apps),
        kill: Vec<InstanceId>,
        needs: &Needs,
    ) -> Self {
        let steps = steps(&original, &target, &kill, needs);
        Deployment {
            id,
            version,
            original,
            target,
            steps,
            step: 0,
        }
    }

    /// The apps that it changes.
    pub(crate) fn apps(&self) -> impl Iterator<Item = &PathId> {
        self.target.keys()
    }

    /// Whether a step of it names an app: others may be changed meanwhile.
    pub(crate) fn locks(&self, app: &PathId) -> bool {
        self.steps.iter().flatten().any(|action| action.app == *app)
    }

    pub(crate) fn turn(&self, app: &PathId) -> Turn<'_> {
        let of_app = |step: &'_ Vec<Action>| step.iter().position(|action| action.app == *app);
        if let Some(step) = self.steps.get(self.step)
            && let Some(at) = of_app(step)
        {
            return Turn::Now(&step[at]);
        }
        let comes = self
            .steps
            .iter()
            .skip(self.step + 1)
            .any(|step| of_app(step).is_some());
        match comes {
            true => Turn::Before,
            false => Turn::Over,
        }
    }
}

/// What goes is stopped, what is new is known, and then each comes once what it depends on is there.
fn steps(original: &Apps, target: &Apps, kill: &[InstanceId], needs: &Needs) -> Vec<Vec<Action>> {
    let action = |kind, app: &PathId| Action {
        kind,
        app: app.clone(),
        kill: match kind {
            Kind::ScaleApplication => kill.to_vec(),
            _ => Vec::new(),
        },
    };
    let before = |id: &PathId| original.get(id).and_then(Option::as_ref);
    let (mut stops, mut starts) = (Vec::new(), Vec::new());
    for (id, app) in target {
        match (before(id), app) {
            (Some(_), None) => stops.push(action(Kind::StopApplication, id)),
            (None, Some(_)) => starts.push(action(Kind::StartApplication, id)),
            _ => {}
        }
    }
    let mut steps = vec![stops, starts];
    for layer in layers(target, needs) {
        let changed = layer.iter().filter_map(|app| match before(&app.id) {
            None => Some(action(Kind::ScaleApplication, &app.id)),
            Some(old) if !app.is_current(old.version) => Some(action(Kind::RestartApplication, &app.id)),
            Some(old) if old.instances != app.instances || !kill.is_empty() => {
                Some(action(Kind::ScaleApplication, &app.id))
            }
            Some(_) => None,
        });
        steps.push(changed.collect());
    }
    steps.retain(|step| !step.is_empty());
    steps
}

/// Apps by the longest way of dependencies below them: those of a layer need only earlier ones.
fn layers<'a>(target: &'a Apps, of_groups: &Needs) -> Vec<Vec<&'a App>> {
    let mut rest: BTreeMap<&PathId, &App> = target
        .iter()
        .filter_map(|(id, app)| Some((id, app.as_ref()?)))
        .collect();
    let mut layers = Vec::new();
    while !rest.is_empty() {
        let needs = |app: &App| dependencies(app, of_groups).any(|one| needed(&rest, app, one));
        let mut free: Vec<&App> = rest.values().copied().filter(|app| !needs(app)).collect();
        if free.is_empty() {
            // Who depends on itself is refused elsewhere; here everything comes to an end all the same.
            free = rest.values().copied().collect();
        }
        for app in &free {
            rest.remove(&app.id);
        }
        layers.push(free);
    }
    layers
}

/// What an app depends on, itself or by a group that it is in.
fn dependencies<'a>(app: &'a App, of_groups: &'a Needs) -> impl Iterator<Item = &'a PathId> {
    let groups = of_groups.iter().filter(|(group, _)| app.id.is_below(group));
    app.dependencies.iter().chain(groups.flat_map(|(_, needs)| needs))
}

/// Whether something that an app depends on, an app or all of a group, is still to come.
fn needed(rest: &BTreeMap<&PathId, &App>, app: &App, on: &PathId) -> bool {
    let mut coming = rest.keys().filter(|id| ***id != app.id);
    coming.any(|id| *id == on || id.is_below(on))
}

/// Whether apps depend on themselves by way of others.
pub(crate) fn has_cycle<'a>(apps: impl Iterator<Item = &'a App>, of_groups: &Needs) -> bool {
    let mut rest: BTreeMap<&PathId, &App> = apps.map(|app| (&app.id, app)).collect();
    loop {
        let free: BTreeSet<PathId> = rest
            .values()
            .filter(|app| !dependencies(app, of_groups).any(|on| needed(&rest, app, on) || *on == app.id))
            .map(|app| app.id.clone())
            .collect();
        if free.is_empty() {
            return !rest.is_empty();
        }
        rest.retain(|id, _| !free.contains(*id));
    }
}

#[cfg(test)]
mod tests;
