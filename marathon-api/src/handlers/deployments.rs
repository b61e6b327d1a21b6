//! `/v2/deployments`: changes that are under way.

use super::{Asked, apps::deployed};
use crate::{
    core::{Command, Done},
    error::Fault,
    wire::{empty, ok, shown},
};
use axum::{
    body::Body,
    http::{Response, StatusCode},
};
use serde_json::Value;

pub(super) async fn list(asked: Asked) -> Result<Response<Body>, Fault> {
    let all: Vec<Value> = asked
        .look(|core, _| core.deployments.iter().map(shown::deployment).collect())
        .await?;
    Ok(ok(&Value::Array(all)))
}

/// Takes back what a deployment does; with force, it only stops.
pub(super) async fn cancel(asked: Asked) -> Result<Response<Body>, Fault> {
    let command = Command::Cancel {
        deployment: asked.part("id").to_owned(),
        force: asked.force(),
    };
    Ok(match asked.change(command).await? {
        Done::Nothing => empty(StatusCode::ACCEPTED),
        done => deployed(&done, None),
    })
}
