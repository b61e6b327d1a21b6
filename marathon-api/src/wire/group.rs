//! What requests say of groups, and what is told of them.

use super::{
    Errors, Fields, Read,
    shown::{self, Embed},
};
use crate::core::{Core, Now, groups::GroupUpdate, path::PathId};
use serde_json::{Value, json};

/// How deep groups may be in groups: what is read goes as deep.
const DEPTH_MAX: usize = 64;

impl Read for GroupUpdate {
    fn read(value: &Value, at: &str, errors: &mut Errors) -> Option<Self> {
        if at.matches("/groups(").count() > DEPTH_MAX {
            errors.push(at, "error.max");
            return None;
        }
        let mut fields = Fields::of(value, at, errors)?;
        for name in ["version", "pods"] {
            if fields
                .raw(name)
                .is_some_and(|value| value.as_array().is_none_or(|all| !all.is_empty()))
            {
                fields.fault(name, "is not supported");
            }
        }
        let update = GroupUpdate {
            id: fields.maybe("id"),
            apps: fields.maybe("apps"),
            groups: fields.maybe("groups"),
            dependencies: fields.maybe("dependencies"),
            scale_by: fields.within("scaleBy", 0.0, f64::from(u16::MAX)),
        };
        fields.done(update)
    }
}

/// A group with all that is in it.
pub(crate) fn group(core: &Core, id: &PathId, embed: Embed, now: Now) -> Value {
    let of_group = core.apps.values().filter(|app| app.id.parent() == *id);
    let apps: Vec<Value> = of_group.map(|app| shown::app(core, app, embed, now)).collect();
    let groups: Vec<Value> = core
        .groups_in(id)
        .iter()
        .map(|one| group(core, one, embed, now))
        .collect();
    let kept = core.groups.get(id);
    let within = core
        .apps
        .values()
        .filter(|app| app.id.is_below(id))
        .map(|app| app.version);
    let version = within
        .chain(kept.map(|group| group.version))
        .max()
        .unwrap_or_default();
    json!({
        "id": id,
        "apps": apps,
        "groups": groups,
        "pods": [],
        "dependencies": kept.map(|group| group.dependencies.clone()).unwrap_or_default(),
        "version": version,
    })
}
