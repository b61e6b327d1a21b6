//! Tasks of jobs.

use super::{Answer, Scheduler, body::Json, done};
use crate::{core::Command, error::ApiError};
use axum::extract::{Path, State};
use serde_json::Value;
use std::sync::Arc;

/// Ends all tasks of a job.
pub(super) async fn kill(State(scheduler): State<Arc<Scheduler>>, Path(name): Path<String>) -> Answer {
    scheduler.handle.command(Command::Kill(name)).await??;
    Ok(done())
}

/// The run of an asynchronous job has ended: by its status code it is told how.
pub(super) async fn ended(
    State(scheduler): State<Arc<Scheduler>>,
    Path(task): Path<String>,
    Json(body): Json,
) -> Answer {
    let well = number(&body, "statusCode")? == 0;
    scheduler.handle.command(Command::Ended { task, well }).await??;
    Ok(done())
}

/// A run has got on by so many elements.
pub(super) async fn progress(
    State(scheduler): State<Arc<Scheduler>>,
    Path((name, task)): Path<(String, String)>,
    Json(body): Json,
) -> Answer {
    let more = number(&body, "numAdditionalElementsProcessed")?;
    let command = Command::Progress { name, task, more };
    scheduler.handle.command(command).await??;
    Ok(done())
}

fn number(body: &[u8], name: &str) -> Result<i64, ApiError> {
    let value: Value =
        serde_json::from_slice(body).map_err(|error| ApiError::bad_request(error.to_string()))?;
    let number = value.get(name).and_then(Value::as_i64);
    number.ok_or_else(|| ApiError::bad_request(format!("'{name}' is a whole number")))
}
