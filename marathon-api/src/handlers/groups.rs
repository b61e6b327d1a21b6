//! `/v2/groups`: apps that are changed together.

use super::{Asked, apps::deployed};
use crate::{
    core::{Command, Refused, groups::GroupUpdate, path::PathId},
    error::Fault,
    wire::{group, ok, shown::Embed},
};
use axum::{body::Body, http::Response};

pub(super) async fn show(asked: Asked) -> Result<Response<Body>, Fault> {
    let (id, embed) = (asked.app(), Embed::parse(asked.query.all("embed")));
    let missing = Refused::NoGroup(id.clone());
    let found = asked.look(move |core, now| core.has_group(&id).then(|| group::group(core, &id, embed, now)));
    Ok(ok(&found.await?.ok_or(missing)?))
}

pub(super) async fn create(asked: Asked) -> Result<Response<Body>, Fault> {
    change(asked, true).await
}

pub(super) async fn put(asked: Asked) -> Result<Response<Body>, Fault> {
    change(asked, false).await
}

async fn change(asked: Asked, is_new: bool) -> Result<Response<Body>, Fault> {
    let update: GroupUpdate = asked.parse()?;
    // The body names the group as seen from where the path is.
    let id = match &update.id {
        Some(id) if is_new => PathId::from_base(id, &asked.app()),
        _ => asked.app(),
    };
    let command = Command::ChangeGroup {
        id: id.clone(),
        update: Box::new(update),
        is_new,
        force: asked.force(),
    };
    let done = asked.change(command).await?;
    let place = is_new.then(|| format!("/v2/groups{id}"));
    Ok(deployed(&done, place.as_deref()))
}

pub(super) async fn remove(asked: Asked) -> Result<Response<Body>, Fault> {
    let command = Command::RemoveGroup {
        id: asked.app(),
        force: asked.force(),
    };
    let done = asked.change(command).await?;
    Ok(deployed(&done, None))
}
