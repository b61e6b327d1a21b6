use super::{
    App, Artifact, Container, HealthCheck, KillSelection, Labels, Network, PortDefinition,
    UnreachableStrategy, UpgradeStrategy,
};
use crate::core::{path::PathId, time::Timestamp};

/// What a request says of an app; what it does not say stays as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct AppUpdate {
    pub(crate) id: Option<String>,
    pub(crate) cmd: Option<String>,
    pub(crate) args: Option<Vec<String>>,
    pub(crate) user: Option<String>,
    pub(crate) env: Option<Labels>,
    pub(crate) instances: Option<u32>,
    pub(crate) cpus: Option<f64>,
    pub(crate) mem: Option<f64>,
    pub(crate) disk: Option<f64>,
    pub(crate) gpus: Option<u32>,
    pub(crate) executor: Option<String>,
    pub(crate) constraints: Option<Vec<Vec<String>>>,
    pub(crate) fetch: Option<Vec<Artifact>>,
    pub(crate) uris: Option<Vec<String>>,
    pub(crate) store_urls: Option<Vec<String>>,
    pub(crate) ports: Option<Vec<u32>>,
    pub(crate) port_definitions: Option<Vec<PortDefinition>>,
    pub(crate) require_ports: Option<bool>,
    pub(crate) backoff_seconds: Option<u32>,
    pub(crate) backoff_factor: Option<f64>,
    pub(crate) max_launch_delay_seconds: Option<u32>,
    pub(crate) container: Option<Container>,
    pub(crate) health_checks: Option<Vec<HealthCheck>>,
    pub(crate) task_kill_grace_period_seconds: Option<u32>,
    pub(crate) dependencies: Option<Vec<String>>,
    pub(crate) upgrade_strategy: Option<UpgradeStrategy>,
    pub(crate) labels: Option<Labels>,
    pub(crate) accepted_resource_roles: Option<Vec<String>>,
    pub(crate) networks: Option<Vec<Network>>,
    pub(crate) unreachable_strategy: Option<UnreachableStrategy>,
    pub(crate) kill_selection: Option<KillSelection>,
    pub(crate) version: Option<Timestamp>,
    /// Names of secrets, of which this server has none.
    pub(crate) secrets: Vec<String>,
}

/// What each field is where the update does not say: `take!(app, update: cpus, mem)`.
macro_rules! take {
    ($app:ident, $update:ident: $($field:ident),* $(,)?) => {
        $(if let Some(said) = $update.$field { $app.$field = said; })*
    };
}

/// The same of fields that may be missing.
macro_rules! take_optional {
    ($app:ident, $update:ident: $($field:ident),* $(,)?) => {
        $($app.$field = $update.$field.or($app.$field);)*
    };
}

impl AppUpdate {
    /// The app that `to` becomes.
    pub(crate) fn apply(self, to: &App) -> App {
        let (mut app, mut update) = (to.clone(), self);
        // Who names one of the two ways to say what runs does not want the other one.
        if update.cmd.is_some() && update.args.is_none() {
            app.args.clear();
        }
        if update.args.as_ref().is_some_and(|args| !args.is_empty()) && update.cmd.is_none() {
            app.cmd = None;
        }
        if let (Some(ports), None) = (&update.ports, &update.port_definitions) {
            update.port_definitions = Some(ports.iter().map(|port| PortDefinition::of(*port)).collect());
        }
        if let (Some(uris), None) = (&update.uris, &update.fetch) {
            update.fetch = Some(uris.iter().map(|uri| Artifact::of_uri(uri)).collect());
        }
        if let Some(dependencies) = &update.dependencies {
            let paths = dependencies.iter().map(|one| PathId::from_base(one, &app.id));
            app.dependencies = paths.collect();
        }
        take_optional!(app, update: cmd, user, container, task_kill_grace_period_seconds, accepted_resource_roles);
        take!(app, update: args, env, instances, cpus, mem, disk, gpus, executor, constraints, fetch, store_urls,
            port_definitions, require_ports, backoff_seconds, backoff_factor, max_launch_delay_seconds, health_checks,
            upgrade_strategy, labels, networks, unreachable_strategy, kill_selection);
        app
    }

    /// Whether nothing is said but which version is wanted back.
    pub(crate) fn is_version_alone(&self) -> bool {
        let rest = AppUpdate {
            id: None,
            version: None,
            ..self.clone()
        };
        rest == AppUpdate::default()
    }
}

impl Artifact {
    /// The older API names nothing but the address: archives are those whose name says so.
    pub(crate) fn of_uri(uri: &str) -> Self {
        const ARCHIVES: [&str; 8] = [
            ".tgz", ".tar.gz", ".tbz2", ".tar.bz2", ".txz", ".tar.xz", ".zip", ".tar",
        ];
        Artifact {
            uri: uri.to_owned(),
            extract: ARCHIVES.iter().any(|archive| uri.ends_with(archive)),
            executable: false,
            cache: false,
            dest_path: None,
        }
    }
}
