//! New jobs, and those in place of others of their names.

use super::{Answer, Scheduler, body::Json, done};
use crate::{
    core::{Command, Trigger},
    error::ApiError,
    wire,
};
use axum::extract::State;
use std::sync::Arc;

/// A job that has times, or runs once if it does not say any.
pub(super) async fn iso8601(State(scheduler): State<Arc<Scheduler>>, Json(body): Json) -> Answer {
    let job =
        wire::parse(&body, &scheduler.defaults).map_err(|why| ApiError::bad_request(why.to_string()))?;
    match job.trigger {
        Trigger::Schedule { .. } => {}
        Trigger::Parents(_) => return Err(ApiError::bad_request("a job that has parents has no schedule")),
    }
    scheduler.handle.command(Command::Put(Box::new(job))).await??;
    Ok(done())
}

/// A job that waits for others.
pub(super) async fn dependency(State(scheduler): State<Arc<Scheduler>>, Json(body): Json) -> Answer {
    let job =
        wire::parse(&body, &scheduler.defaults).map_err(|why| ApiError::bad_request(why.to_string()))?;
    match job.trigger {
        Trigger::Parents(_) => {}
        Trigger::Schedule { .. } => {
            return Err(ApiError::bad_request("a job that waits for others has parents"));
        }
    }
    scheduler.handle.command(Command::Put(Box::new(job))).await??;
    Ok(done())
}
