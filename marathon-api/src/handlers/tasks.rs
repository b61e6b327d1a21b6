//! `/v2/tasks` and the tasks of an app: what runs, and its end.

use super::{
    Asked,
    apps::{deployed, of_group},
};
use crate::{
    core::{Command, Core, Done, Kill, Refused, app::App, instance::Instance},
    error::Fault,
    wire::{Errors, Fields, Read, ok, shown, text},
};
use axum::{body::Body, http::Response};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Tasks by their ids.
struct Ids(Vec<String>);

impl Read for Ids {
    fn read(value: &Value, at: &str, errors: &mut Errors) -> Option<Self> {
        let mut fields = Fields::of(value, at, errors)?;
        let ids = fields.needed("ids");
        fields.done(Ids(ids))
    }
}

pub(super) async fn list(asked: Asked) -> Result<Response<Body>, Fault> {
    if asked.wants_text {
        let lines = asked.look(|core, _| {
            core.apps
                .values()
                .map(|app| endpoints(core, app))
                .collect::<String>()
        });
        return Ok(text(lines.await?));
    }
    let states: Vec<String> = ["status", "status[]"]
        .iter()
        .flat_map(|name| asked.query.all(name))
        .map(str::to_owned)
        .collect();
    let takes = move |one: &&Instance| {
        let state = match one.state() {
            "TASK_RUNNING" => "running",
            "TASK_STAGING" | "TASK_STARTING" => "staging",
            _ => "",
        };
        states.is_empty() || states.iter().any(|wanted| wanted == state)
    };
    let tasks: Vec<Value> = asked
        .look(move |core, _| {
            let all = core.all_instances().filter(takes);
            all.map(|one| shown::task(core, one, true)).collect()
        })
        .await?;
    Ok(ok(&json!({ "tasks": tasks })))
}

/// A line for each service port: the app, the port, and where its tasks listen.
fn endpoints(core: &Core, app: &App) -> String {
    let name = app.id.safe();
    let running: Vec<&Instance> = core
        .instances_of(&app.id)
        .filter(|one| one.is_running())
        .collect();
    if app.port_definitions.is_empty() {
        let hosts: Vec<String> = running.iter().map(|one| one.place.host.clone()).collect();
        return format!("{name}\t \t{}\n", hosts.join("\t"));
    }
    let lines = app.service_ports().enumerate().map(|(at, port)| {
        let there = running
            .iter()
            .filter_map(|one| Some((&one.place.host, one.host_ports.get(at)?)));
        let there: String = there.map(|(host, port)| format!("{host}:{port}\t")).collect();
        format!("{name}\t{port}\t{there}\n")
    });
    lines.collect()
}

pub(super) async fn of_app(asked: Asked) -> Result<Response<Body>, Fault> {
    if let Some(group) = of_group(asked.part("id")) {
        let tasks: Vec<Value> = asked
            .look(move |core, _| {
                let all = core.all_instances().filter(|one| one.app.is_below(&group));
                all.map(|one| shown::task(core, one, true)).collect()
            })
            .await?;
        return Ok(ok(&json!({ "tasks": tasks })));
    }
    let (id, wants_text) = (asked.app(), asked.wants_text);
    let missing = Refused::NoApp(id.clone(), None);
    let found = asked
        .look(move |core, _| {
            let app = core.apps.get(&id)?;
            let tasks: Vec<Value> = core
                .instances_of(&id)
                .map(|one| shown::task(core, one, true))
                .collect();
            Some((tasks, endpoints(core, app)))
        })
        .await?;
    let (tasks, lines) = found.ok_or(missing)?;
    Ok(match wants_text {
        true => text(lines),
        false => ok(&json!({ "tasks": tasks })),
    })
}

fn kill_as_asked(asked: &Asked) -> Kill {
    Kill {
        host: asked.query.get("host").map(str::to_owned),
        scale: asked.query.is_set("scale", false),
        wipe: asked.query.is_set("wipe", false),
        force: asked.force(),
        ..Kill::default()
    }
}

/// What was killed, or the deployment that kills.
async fn killed(asked: &Asked, kill: Kill) -> Result<Result<Vec<Value>, Response<Body>>, Fault> {
    match asked.change(Command::Kill(kill)).await? {
        Done::Killed(instances) => {
            let tasks = asked.look(move |core, _| {
                let shown = instances.iter().map(|one| shown::task(core, one, true));
                shown.collect::<Vec<Value>>()
            });
            Ok(Ok(tasks.await?))
        }
        done => Ok(Err(deployed(&done, None))),
    }
}

pub(super) async fn kill_of_app(asked: Asked) -> Result<Response<Body>, Fault> {
    let kill = Kill {
        apps: vec![asked.app()],
        ..kill_as_asked(&asked)
    };
    Ok(match killed(&asked, kill).await? {
        Ok(tasks) => ok(&json!({ "tasks": tasks })),
        Err(deployment) => deployment,
    })
}

pub(super) async fn kill_one(asked: Asked) -> Result<Response<Body>, Fault> {
    let task = asked.part("task").to_owned();
    let instance = Instance::of_task(&task).map(|(_, id)| id);
    let kill = Kill {
        apps: vec![asked.app()],
        ids: Some(instance.into_iter().collect()),
        ..kill_as_asked(&asked)
    };
    match killed(&asked, kill).await? {
        Ok(tasks) => {
            let killed = tasks.into_iter().next().ok_or(Refused::NoTask(task))?;
            Ok(ok(&json!({ "task": killed })))
        }
        Err(deployment) => Ok(deployment),
    }
}

pub(super) async fn kill_many(asked: Asked) -> Result<Response<Body>, Fault> {
    let Ids(ids) = asked.parse()?;
    let mut by_app: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for id in &ids {
        let found = Instance::of_task(id);
        let (app, instance) = found.ok_or_else(|| Fault::BadRequest(format!("Invalid task id '{id}'.")))?;
        by_app.entry(app).or_default().push(instance);
    }
    // Those that are gone already are none of the request's.
    let here = asked.look(|core, _| {
        core.apps
            .keys()
            .cloned()
            .collect::<std::collections::BTreeSet<_>>()
    });
    let here = here.await?;
    by_app.retain(|app, _| here.contains(app));
    let kill = Kill {
        apps: by_app.keys().cloned().collect(),
        ids: Some(by_app.into_values().flatten().collect()),
        ..kill_as_asked(&asked)
    };
    Ok(match killed(&asked, kill).await? {
        Ok(tasks) => ok(&json!({ "tasks": tasks })),
        Err(deployment) => deployment,
    })
}
