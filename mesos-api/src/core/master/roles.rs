use mesos_proto::v1::{FrameworkInfo, framework_info::capability};
use std::collections::BTreeSet;

/// What the original asks of a framework that subscribes.
pub(super) fn check(info: &FrameworkInfo) -> Result<(), String> {
    let multi_role = info
        .capabilities
        .iter()
        .any(|one| one.r#type == Some(capability::Type::MultiRole as i32));
    if multi_role && info.role.is_some() {
        return Err(
            "'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable".to_owned(),
        );
    }
    if !multi_role && !info.roles.is_empty() {
        return Err(
            "'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable".to_owned(),
        );
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = info.roles.iter().find(|role| !seen.insert(*role)) {
        return Err(format!("'FrameworkInfo.roles' contains duplicate items: {twice}"));
    }
    info.roles
        .iter()
        .chain(&info.role)
        .find_map(|role| bad_role(role))
        .map_or(Ok(()), |why| {
            Err(format!("'FrameworkInfo.roles' contains invalid role: {why}"))
        })
}

/// Why a name is none of a role.
pub(super) fn bad_role(role: &str) -> Option<String> {
    if role.is_empty() {
        return Some("Empty role name is invalid".to_owned());
    }
    if role.starts_with('/') || role.ends_with('/') {
        return Some(format!("Role '{role}' cannot start or end with a slash"));
    }
    let wrong = |part: &str| {
        part.is_empty()
            || part == "."
            || part == ".."
            || part.starts_with('-')
            || part.contains(char::is_whitespace)
    };
    let parts = || role.split('/');
    (parts().any(wrong) || role.contains('/') && parts().any(|part| part == "*"))
        .then(|| format!("Role '{role}' is invalid"))
}

/// Only roles that a framework has can be suppressed.
pub(super) fn check_suppressed(info: &FrameworkInfo, suppressed: &[String]) -> Result<(), String> {
    let has = |role: &&String| !info.roles.contains(role) && info.role() != role.as_str();
    match suppressed.iter().find(has) {
        Some(role) => Err(format!(
            "Suppressed role '{role}' is not contained in the list of roles"
        )),
        None => Ok(()),
    }
}

/// What agents and tasks hold of a framework cannot be changed.
pub(super) fn check_update(before: &FrameworkInfo, after: &FrameworkInfo) -> Result<(), String> {
    let unsupported = |field: &str, from: &str, to: &str| {
        Err(format!(
            "Updating 'FrameworkInfo.{field}' is unsupported; attempted to update from '{from}' to '{to}'"
        ))
    };
    if before.principal() != after.principal() {
        return unsupported("principal", before.principal(), after.principal());
    }
    if before.user != after.user {
        return unsupported("user", &before.user, &after.user);
    }
    if before.checkpoint() != after.checkpoint() {
        let shown = [before.checkpoint(), after.checkpoint()].map(|on| on.to_string());
        return unsupported("checkpoint", &shown[0], &shown[1]);
    }
    Ok(())
}

/// Every role above a role, and itself, the uppermost first.
pub(super) fn line_of(role: &str) -> impl Iterator<Item = &str> {
    let ends = role.match_indices('/').map(|(at, _)| at).chain([role.len()]);
    ends.map(|end| &role[..end])
}
