//! One job.

use super::{Answer, Scheduler, done, json, query};
use crate::{
    core::{Command, Refused},
    wire,
};
use axum::{
    extract::{Path, State},
    http::Uri,
    response::IntoResponse,
};
use std::sync::Arc;

pub(super) async fn show(State(scheduler): State<Arc<Scheduler>>, Path(name): Path<String>) -> Answer {
    let missing = Refused::Requirement(format!("Job '{name}' not found"));
    let shown = scheduler
        .handle
        .look(move |core| core.job(&name).map(|entry| wire::shown(entry, false)))
        .await?;
    Ok(json(&shown.ok_or(missing)?))
}

/// Runs it now.
pub(super) async fn trigger(
    State(scheduler): State<Arc<Scheduler>>,
    Path(name): Path<String>,
    uri: Uri,
) -> Answer {
    let arguments = query::value(&uri, "arguments").filter(|arguments| !arguments.trim().is_empty());
    let command = Command::Trigger { name, arguments };
    scheduler.handle.command(command).await??;
    Ok(done())
}

pub(super) async fn delete(State(scheduler): State<Arc<Scheduler>>, Path(name): Path<String>) -> Answer {
    scheduler.handle.command(Command::Delete(name)).await??;
    Ok(done())
}

/// Counts it as having ended well. The original answers whether there is such a job in a sentence, which it calls JSON.
pub(super) async fn succeed(State(scheduler): State<Arc<Scheduler>>, Path(name): Path<String>) -> Answer {
    let done = scheduler.handle.command(Command::Succeed(name.clone())).await?;
    let text = format!("marked job {name} as successful: {}", done.is_ok());
    let kind = [(axum::http::header::CONTENT_TYPE, "application/json")];
    Ok((kind, text).into_response())
}
