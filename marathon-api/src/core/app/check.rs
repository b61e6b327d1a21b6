//! What is wrong with an app. Texts are the original's.

use super::{App, AppUpdate, Protocol, constraint};
use crate::core::path::SEGMENT;
use std::collections::BTreeSet;

/// A field that cannot stay as it is, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) path: String,
    pub(crate) error: String,
}

impl Wrong {
    pub(crate) fn new(path: impl Into<String>, error: impl Into<String>) -> Self {
        Wrong {
            path: path.into(),
            error: error.into(),
        }
    }
}

/// Everything that is wrong with an app.
pub(crate) fn check(app: &App) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    id(app, &mut wrong);
    runs(app, &mut wrong);
    ports(app, &mut wrong);
    health_checks(app, &mut wrong);
    container(app, &mut wrong);
    for (at, one) in app.constraints.iter().enumerate() {
        if let Err(error) = constraint::Constraint::parse(one) {
            wrong.push(Wrong::new(format!("/constraints({at})"), error));
        }
    }
    for (at, artifact) in app.fetch.iter().enumerate() {
        if artifact.uri.is_empty() || artifact.uri.contains(char::is_whitespace) {
            wrong.push(Wrong::new(format!("/fetch({at})"), "URI has invalid syntax."));
        }
    }
    if app.accepted_resource_roles.as_ref().is_some_and(Vec::is_empty) {
        wrong.push(Wrong::new("/acceptedResourceRoles", "must not be empty"));
    }
    if app
        .labels
        .get("MARATHON_SINGLE_INSTANCE_APP")
        .is_some_and(|on| on == "true")
    {
        single_instance(app, &mut wrong);
    }
    wrong
}

fn id(app: &App, wrong: &mut Vec<Wrong>) {
    if app.id.is_root() {
        wrong.push(Wrong::new("/id", "must not be empty"));
        wrong.push(Wrong::new("/", "must not be root"));
    }
    if !app.id.is_valid() {
        wrong.push(Wrong::new(
            "/id",
            format!("must fully match regular expression '{SEGMENT}'"),
        ));
    }
    for (at, one) in app.dependencies.iter().enumerate() {
        if !one.is_valid() {
            wrong.push(Wrong::new(
                format!("/dependencies({at})"),
                format!("must fully match regular expression '{SEGMENT}'"),
            ));
        }
    }
}

fn runs(app: &App, wrong: &mut Vec<Wrong>) {
    let has_cmd = app.cmd.as_ref().is_some_and(|cmd| !cmd.is_empty());
    if has_cmd != app.args.is_empty() {
        wrong.push(Wrong::new(
            "/",
            "AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'.",
        ));
    }
    if app.gpus > 0 {
        wrong.push(Wrong::new(
            "/",
            "Feature gpu_resources is not enabled. Enable with --enable_features gpu_resources)",
        ));
    }
    if !matches!(app.executor.as_str(), "" | "//cmd") {
        wrong.push(Wrong::new(
            "/executor",
            "executors of one's own are not supported, only //cmd",
        ));
    }
}

fn ports(app: &App, wrong: &mut Vec<Wrong>) {
    let repeated = |all: &[&str]| all.iter().collect::<BTreeSet<_>>().len() < all.len();
    let names: Vec<&str> = app
        .port_definitions
        .iter()
        .filter_map(|one| one.name.as_deref())
        .collect();
    if repeated(&names) {
        wrong.push(Wrong::new("/portDefinitions", "Port names must be unique."));
    }
    let fixed: Vec<String> = app
        .service_ports()
        .filter(|port| *port != 0)
        .map(|port| port.to_string())
        .collect();
    if repeated(&fixed.iter().map(String::as_str).collect::<Vec<_>>()) {
        wrong.push(Wrong::new("/portDefinitions", "Ports must be unique."));
    }
    let host = app.networks.iter().all(|network| network.mode == "host");
    if !host {
        wrong.push(Wrong::new("/networks", "only host networking is supported"));
    }
}

fn health_checks(app: &App, wrong: &mut Vec<Wrong>) {
    for (at, one) in app.health_checks.iter().enumerate() {
        let places = app.port_definitions.len();
        let found = match (one.port_index, one.port) {
            (Some(index), _) => usize::try_from(index).is_ok_and(|index| index < places),
            (None, Some(_)) => true,
            (None, None) => places == 1,
        };
        if one.protocol != Protocol::Command && !found {
            let error = "Health check port indices must address an element of the ports array or container port mappings.";
            wrong.push(Wrong::new(format!("/healthChecks({at})"), error));
        }
        if one.protocol == Protocol::Command && one.command.is_none() {
            wrong.push(Wrong::new(
                format!("/healthChecks({at})/command"),
                "must not be empty",
            ));
        }
    }
    let of_mesos = app.health_checks.iter().filter(|one| one.protocol.is_of_mesos());
    if of_mesos.count() > 1 {
        wrong.push(Wrong::new(
            "/",
            "AppDefinition can contain at most one Mesos health check",
        ));
    } else if app.health_checks.len() > 1 {
        wrong.push(Wrong::new(
            "/healthChecks",
            "more than one health check is not supported",
        ));
    }
}

fn container(app: &App, wrong: &mut Vec<Wrong>) {
    let Some(container) = &app.container else { return };
    if container.kind != "MESOS" {
        wrong.push(Wrong::new(
            "/container/type",
            "only containers of the type MESOS without an image are supported",
        ));
    }
    for (at, volume) in container.volumes.iter().enumerate() {
        if volume.container_path.is_empty() {
            wrong.push(Wrong::new(
                format!("/container/volumes({at})/containerPath"),
                "must not be empty",
            ));
        }
        if volume.host_path.is_empty() {
            wrong.push(Wrong::new(
                format!("/container/volumes({at})/hostPath"),
                "must not be empty",
            ));
        }
    }
}

fn single_instance(app: &App, wrong: &mut Vec<Wrong>) {
    if app.instances > 1 {
        wrong.push(Wrong::new("/", "Single instance app may only have one instance"));
    }
    let strategy = app.upgrade_strategy;
    for (name, share) in [
        ("minimumHealthCapacity", strategy.minimum_health_capacity),
        ("maximumOverCapacity", strategy.maximum_over_capacity),
    ] {
        if share != 0.0 {
            wrong.push(Wrong::new(
                format!("/upgradeStrategy/{name}"),
                format!("got {share:?}, expected 0.0"),
            ));
        }
    }
}

/// What is wrong with a request, whatever it is applied to.
pub(crate) fn check_update(update: &AppUpdate) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    if update.version.is_some() && !update.is_version_alone() {
        wrong.push(Wrong::new(
            "/",
            "The 'version' field may only be combined with the 'id' field.",
        ));
    }
    if let (Some(ports), Some(definitions)) = (&update.ports, &update.port_definitions)
        && !definitions.iter().map(|one| one.port).eq(ports.iter().copied())
    {
        wrong.push(Wrong::new("/", "cannot specify both ports and port definitions"));
    }
    if let (Some(uris), Some(fetch)) = (&update.uris, &update.fetch)
        && !uris.is_empty()
        && !fetch.is_empty()
    {
        wrong.push(Wrong::new("/uris", "may not be set in conjunction with fetch"));
    }
    if !update.secrets.is_empty() {
        let error = "Feature secrets is not enabled. Enable with --enable_features secrets)";
        wrong.push(Wrong::new("/secrets", error));
    }
    wrong
}
