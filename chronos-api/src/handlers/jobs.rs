//! All jobs.

use super::{Answer, Scheduler, json, query};
use crate::{
    core::{Core, Entry, time_of},
    wire,
};
use axum::{extract::State, http::Uri};
use serde_json::{Value, json};
use std::sync::Arc;

/// Jobs of an answer that does not say how many.
const SEARCH_LIMIT: usize = 10;

pub(super) async fn list(State(scheduler): State<Arc<Scheduler>>) -> Answer {
    let all = |core: &Core| {
        core.jobs()
            .map(|entry| wire::shown(entry, true))
            .collect::<Value>()
    };
    Ok(json(&scheduler.handle.look(all).await?))
}

struct Search {
    name: Option<String>,
    command: Option<String>,
    any: Option<String>,
    limit: Option<usize>,
    offset: Option<usize>,
}

impl Search {
    fn of(uri: &Uri) -> Self {
        let number = |name: &str| query::value(uri, name)?.parse().ok();
        Search {
            name: query::value(uri, "name"),
            command: query::value(uri, "command"),
            any: query::value(uri, "any"),
            limit: number("limit"),
            offset: number("offset"),
        }
    }

    /// Small and large letters are the same.
    fn finds(&self, entry: &Entry) -> bool {
        let job = entry.job();
        let holds = |text: &str, part: &str| text.to_lowercase().contains(&part.to_lowercase());
        let given = |part: &Option<String>| part.clone().filter(|part| !part.is_empty());
        let fits = |text: &str, part: Option<String>| part.is_none_or(|part| holds(text, &part));
        let all = fits(&job.name, given(&self.name)) && fits(&job.command, given(&self.command));
        let any = given(&self.any);
        all || any.is_some_and(|any| holds(&job.name, &any) || holds(&job.command, &any))
    }
}

pub(super) async fn search(State(scheduler): State<Arc<Scheduler>>, uri: Uri) -> Answer {
    let search = Search::of(&uri);
    let found = move |core: &Core| {
        core.jobs()
            .filter(|entry| search.finds(entry))
            .skip(search.offset.unwrap_or(0))
            .take(search.limit.unwrap_or(SEARCH_LIMIT))
            .map(|entry| wire::shown(entry, false))
            .collect::<Value>()
    };
    Ok(json(&scheduler.handle.look(found).await?))
}

pub(super) async fn summary(State(scheduler): State<Arc<Scheduler>>) -> Answer {
    let all = |core: &Core| core.jobs().map(summed_up).collect::<Value>();
    let jobs = scheduler.handle.look(all).await?;
    Ok(json(&json!({ "jobs": jobs })))
}

fn summed_up(entry: &Entry) -> Value {
    let job = entry.job();
    json!({
        "name": job.name,
        "status": last_state(entry),
        "state": current_state(entry),
        "schedule": entry.shown_schedule().unwrap_or_default(),
        "parents": job.parents().map(|parents| parents.iter().collect::<Vec<_>>()).unwrap_or_default(),
        "disabled": job.disabled,
    })
}

/// How its last run ended.
pub(super) fn last_state(entry: &Entry) -> &'static str {
    let job = entry.job();
    match (time_of(&job.last_success), time_of(&job.last_error)) {
        (None, None) => "fresh",
        (Some(_), None) => "success",
        (None, Some(_)) => "failure",
        (Some(success), Some(error)) if success > error => "success",
        (Some(_), Some(_)) => "failure",
    }
}

/// What it does now.
pub(super) fn current_state(entry: &Entry) -> String {
    match entry.running() {
        0 if entry.is_queued() => "queued".to_owned(),
        0 => "idle".to_owned(),
        running => format!("{running} running"),
    }
}
