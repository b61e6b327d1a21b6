//! `/v2/apps/{id}/versions`: what an app was.

use super::Asked;
use crate::{
    core::{Refused, time::Timestamp},
    error::Fault,
    wire::ok,
};
use axum::{body::Body, http::Response};
use serde_json::{Value, json};

pub(super) async fn list(asked: Asked) -> Result<Response<Body>, Fault> {
    let id = asked.app();
    let missing = Refused::NoApp(id.clone(), None);
    let versions: Option<Vec<Value>> = asked
        .look(move |core, _| {
            core.apps.get(&id)?;
            let of_app = core.versions.get(&id)?;
            Some(of_app.keys().rev().map(|version| json!(version)).collect())
        })
        .await?;
    Ok(ok(&json!({ "versions": versions.ok_or(missing)? })))
}

pub(super) async fn show(asked: Asked) -> Result<Response<Body>, Fault> {
    let text = asked.part("version");
    let version = Timestamp::parse(text);
    let version = version.ok_or_else(|| Fault::BadRequest(format!("Invalid format: \"{text}\"")))?;
    let id = asked.app();
    let missing = Refused::NoApp(id.clone(), Some(version));
    let found = asked.look(move |core, _| Some(core.versions.get(&id)?.get(&version)?.shown()));
    Ok(ok(&found.await?.ok_or(missing)?))
}
