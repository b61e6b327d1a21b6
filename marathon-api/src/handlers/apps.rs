//! `/v2/apps`: definitions of apps.

use super::Asked;
use crate::{
    core::{
        Command, Done,
        app::{App, AppUpdate},
        path::PathId,
    },
    error::Fault,
    wire::{
        DEPLOYMENT, Errors, Fields, Malformed, Read, answer, ok,
        shown::{self, Embed},
    },
};
use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header::LOCATION},
};
use serde_json::{Value, json};

/// What is told of apps where nobody says what is wanted.
const LISTED: Embed = Embed {
    tasks: false,
    counts: true,
    deployments: true,
    last_failure: false,
    stats: false,
};
/// The same of a single one.
const SHOWN: Embed = Embed {
    tasks: true,
    counts: true,
    deployments: true,
    last_failure: true,
    stats: false,
};

fn with(embed: Embed, also: Embed) -> Embed {
    Embed {
        tasks: embed.tasks || also.tasks,
        counts: embed.counts || also.counts,
        deployments: embed.deployments || also.deployments,
        last_failure: embed.last_failure || also.last_failure,
        stats: embed.stats || also.stats,
    }
}

/// A definition as it is posted: one without a name is none.
struct Definition(AppUpdate);

impl Read for Definition {
    fn read(value: &Value, at: &str, errors: &mut Errors) -> Option<Self> {
        let update = AppUpdate::read(value, at, errors);
        let mut fields = Fields::of(value, at, errors)?;
        let _: String = fields.needed("id");
        fields.done(())?;
        update.map(Definition)
    }
}

/// Which apps a list is to have.
struct Wanted {
    cmd: Option<String>,
    id: Option<String>,
    labels: Vec<Selector>,
}

/// What a label must be: `a`, `a==b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`.
struct Selector {
    label: String,
    values: Option<Vec<String>>,
    is_not: bool,
}

impl Selector {
    fn parse(text: &str) -> Self {
        let text = text.trim();
        let of = |label: &str, values: Option<Vec<String>>, is_not| Selector {
            label: label.trim().to_owned(),
            values,
            is_not,
        };
        let list = |text: &str| {
            let items = text.trim().trim_matches(['(', ')']).split(',');
            Some(items.map(|item| item.trim().to_owned()).collect())
        };
        for (word, is_not) in [(" notin ", true), (" in ", false)] {
            if let Some((label, values)) = text.split_once(word) {
                return of(label, list(values), is_not);
            }
        }
        for (word, is_not) in [("!=", true), ("==", false), ("=", false)] {
            if let Some((label, value)) = text.split_once(word) {
                return of(label, Some(vec![value.trim().to_owned()]), is_not);
            }
        }
        of(text, None, false)
    }

    fn takes(&self, app: &App) -> bool {
        let value = app.labels.get(&self.label);
        match (&self.values, value) {
            (None, value) => value.is_some(),
            (Some(values), value) => value.is_some_and(|value| values.contains(value)) != self.is_not,
        }
    }
}

/// Cuts selectors apart at commas that are in no list.
fn selectors(text: &str) -> Vec<Selector> {
    let (mut depth, mut from, mut all) = (0_i32, 0, Vec::new());
    for (at, one) in text.char_indices() {
        match one {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                all.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    all.push(&text[from..]);
    let said = all.into_iter().filter(|one| !one.trim().is_empty());
    said.map(Selector::parse).collect()
}

impl Wanted {
    fn takes(&self, app: &App) -> bool {
        let within = |part: &Option<String>, text: Option<&str>| match part {
            None => true,
            Some(part) => text.is_some_and(|text| text.to_lowercase().contains(&part.to_lowercase())),
        };
        within(&self.cmd, app.cmd.as_deref())
            && within(&self.id, Some(app.id.as_str()))
            && self.labels.iter().all(|label| label.takes(app))
    }
}

pub(super) async fn list(asked: Asked) -> Result<Response<Body>, Fault> {
    let embed = with(LISTED, Embed::parse(asked.query.all("embed")));
    let wanted = Wanted {
        cmd: asked.query.get("cmd").map(str::to_owned),
        id: asked.query.get("id").map(str::to_owned),
        labels: asked.query.get("label").map(selectors).unwrap_or_default(),
    };
    let apps: Vec<Value> = asked
        .look(move |core, now| {
            let apps = core.apps.values().filter(|app| wanted.takes(app));
            apps.map(|app| shown::app(core, app, embed, now)).collect()
        })
        .await?;
    Ok(ok(&json!({ "apps": apps })))
}

pub(super) async fn create(asked: Asked) -> Result<Response<Body>, Fault> {
    let Definition(update) = asked.parse()?;
    let command = Command::Create {
        update: Box::new(update),
        force: asked.force(),
    };
    let Done::Created(app, deployed) = asked.change(command).await? else {
        return Err(Fault::Stopping);
    };
    let mut shown = app.shown();
    for name in ["tasksStaged", "tasksRunning", "tasksHealthy", "tasksUnhealthy"] {
        shown[name] = json!(0);
    }
    shown["deployments"] = json!([{ "id": deployed.id }]);
    let mut response = answer(StatusCode::CREATED, &shown);
    asked.announce(app.shown()).await?;
    head(&mut response, &deployed.id, Some(&format!("/v2/apps{}", app.id)));
    Ok(response)
}

pub(super) async fn show(asked: Asked) -> Result<Response<Body>, Fault> {
    let embed = with(SHOWN, Embed::parse(asked.query.all("embed")));
    if let Some(group) = of_group(asked.part("id")) {
        let apps: Vec<Value> = asked
            .look(move |core, now| {
                let apps = core.apps.values().filter(|app| app.id.is_below(&group));
                apps.map(|app| shown::app(core, app, embed, now)).collect()
            })
            .await?;
        return Ok(ok(&json!({ "*": apps })));
    }
    let id = asked.app();
    let missing = format!("App '{id}' does not exist");
    let found = asked.look(move |core, now| {
        let app = core.apps.get(&id)?;
        Some(shown::app(core, app, embed, now))
    });
    let app = found.await?.ok_or(Fault::NotFound(missing))?;
    Ok(ok(&json!({ "app": app })))
}

/// The group whose apps are all wanted, by a star in its place.
pub(super) fn of_group(id: &str) -> Option<PathId> {
    let group = id.strip_suffix('*')?;
    (group.is_empty() || group.ends_with('/')).then(|| PathId::new(group))
}

pub(super) async fn put(asked: Asked) -> Result<Response<Body>, Fault> {
    let partial = asked.query.is_set("partialUpdate", true);
    change_one(asked, partial, true).await
}

pub(super) async fn patch(asked: Asked) -> Result<Response<Body>, Fault> {
    change_one(asked, true, false).await
}

async fn change_one(asked: Asked, partial: bool, create: bool) -> Result<Response<Body>, Fault> {
    let update: AppUpdate = asked.parse()?;
    let id = asked.app();
    change(&asked, vec![(id, update)], partial, create).await
}

pub(super) async fn put_many(asked: Asked) -> Result<Response<Body>, Fault> {
    let partial = asked.query.is_set("partialUpdate", true);
    change_many(asked, partial, true).await
}

pub(super) async fn patch_many(asked: Asked) -> Result<Response<Body>, Fault> {
    change_many(asked, true, false).await
}

async fn change_many(asked: Asked, partial: bool, create: bool) -> Result<Response<Body>, Fault> {
    let definitions: Vec<Definition> = asked.parse()?;
    let named = |Definition(update): Definition| {
        let id = PathId::new(update.id.as_deref().unwrap_or_default());
        (id, update)
    };
    let updates = definitions.into_iter().map(named).collect();
    change(&asked, updates, partial, create).await
}

async fn change(
    asked: &Asked,
    updates: Vec<(PathId, AppUpdate)>,
    partial: bool,
    create: bool,
) -> Result<Response<Body>, Fault> {
    if updates.is_empty() {
        return Err(Fault::Malformed(Malformed::Syntax(
            "No content to map due to end-of-input".to_owned(),
        )));
    }
    let alone = match &updates[..] {
        [(id, _)] => Some(id.clone()),
        _ => None,
    };
    let command = Command::Update {
        updates,
        partial,
        create,
        force: asked.force(),
    };
    let done = asked.change(command).await?;
    if let Some(id) = alone.clone() {
        let app = asked
            .look(move |core, _| core.apps.get(&id).map(|app| app.shown()))
            .await?;
        asked.announce(app.unwrap_or_default()).await?;
    }
    let place = alone.map(|id| format!("/v2/apps{id}"));
    Ok(deployed(&done, place.as_deref()))
}

pub(super) async fn remove(asked: Asked) -> Result<Response<Body>, Fault> {
    let command = Command::Remove {
        app: asked.app(),
        // The original takes away whatever is under way, unless it is told not to.
        force: asked.query.is_set("force", true),
    };
    let done = asked.change(command).await?;
    Ok(deployed(&done, None))
}

pub(super) async fn restart(asked: Asked) -> Result<Response<Body>, Fault> {
    let command = Command::Restart {
        app: asked.app(),
        force: asked.force(),
    };
    let done = asked.change(command).await?;
    Ok(deployed(&done, None))
}

/// Which deployment began; where something came to be, its place.
pub(super) fn deployed(done: &Done, place: Option<&str>) -> Response<Body> {
    let Done::Deployed(deployed) = done else {
        return ok(&json!({}));
    };
    let said = shown::deployed(&deployed.id, deployed.version);
    let created = place.filter(|_| deployed.created);
    let status = match created {
        Some(_) => StatusCode::CREATED,
        None => StatusCode::OK,
    };
    let mut response = answer(status, &said);
    head(&mut response, &deployed.id, created);
    response
}

fn head(response: &mut Response<Body>, deployment: &str, created: Option<&str>) {
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(deployment) {
        headers.insert(DEPLOYMENT, value);
    }
    if let Some(value) = created.and_then(|place| HeaderValue::from_str(place).ok()) {
        headers.insert(LOCATION, value);
    }
}

#[cfg(test)]
mod tests;
