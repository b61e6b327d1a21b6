//! `/v2/queue`: what waits, and why.

use super::Asked;
use crate::{
    core::Command,
    error::Fault,
    wire::{empty, ok, shown},
};
use axum::{
    body::Body,
    http::{Response, StatusCode},
};
use serde_json::{Value, json};

pub(super) async fn list(asked: Asked) -> Result<Response<Body>, Fault> {
    let with_offers = asked.query.all("embed").any(|name| name == "lastUnusedOffers");
    let all: Vec<Value> = asked
        .look(move |core, now| {
            let waiting = core.queue.values().filter(|queued| queued.count > 0);
            waiting
                .map(|queued| shown::queued(core, queued, now, with_offers))
                .collect()
        })
        .await?;
    Ok(ok(&json!({ "queue": all })))
}

pub(super) async fn reset_delay(asked: Asked) -> Result<Response<Body>, Fault> {
    asked.change(Command::ResetDelay(asked.app())).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}
