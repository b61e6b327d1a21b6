//! What the console shows: apps, what waits and why, and changes under way.

use crate::{
    core::{Core, Now, instance::Instance},
    shell::Handle,
};
use server_kit::console::{Section, Table, Unit, View};

/// The section of the framework.
pub(crate) fn section(handle: Handle) -> Section {
    Section::new("marathon", "Marathon", move || {
        let handle = handle.clone();
        async move { handle.look(show).await.unwrap_or_default() }
    })
}

fn show(core: &Core, _: Now) -> View {
    let mut view = View::default();
    let running = core.all_instances().filter(|one| one.is_running()).count();
    view.fact("apps", Unit::Count, core.apps.len());
    view.fact("instances running", Unit::Count, running);
    view.fact("deployments", Unit::Count, core.deployments.len());
    view.fact("waiting apps", Unit::Count, core.queue.len());
    view.fact("framework", Unit::Text, core.framework_id.clone());
    view.table(apps(core));
    view.table(waits(core));
    view.table(deployments(core));
    view
}

fn apps(core: &Core) -> Table {
    let mut table = Table::new(
        "Apps",
        "There are no apps.",
        &[
            ("app", Unit::Text),
            ("instances", Unit::Text),
            ("healthy", Unit::Count),
            ("cpus", Unit::Count),
            ("MiB", Unit::Count),
            ("hosts", Unit::Text),
            ("changed", Unit::Since),
        ],
    );
    table.fill(core.apps.values(), |app| {
        let count = |is: fn(&Instance) -> bool| core.instances_of(&app.id).filter(|one| is(one)).count();
        let running = core.instances_of(&app.id).filter(|one| one.is_running());
        let hosts = running.map(|one| {
            let ports: Vec<String> = one.host_ports.iter().map(u32::to_string).collect();
            format!("{}:{}", one.place.host, ports.join(","))
        });
        [
            app.id.to_string().into(),
            format!("{} of {}", count(Instance::is_running), app.instances).into(),
            count(Instance::is_healthy).into(),
            app.cpus.into(),
            app.mem.into(),
            hosts.collect::<Vec<_>>().join(" ").into(),
            (app.version.0 as f64 / 1000.0).into(),
        ]
    });
    table
}

fn waits(core: &Core) -> Table {
    let mut table = Table::new(
        "Waiting",
        "Nothing waits to be launched.",
        &[
            ("app", Unit::Text),
            ("instances", Unit::Count),
            ("why", Unit::Text),
            ("since", Unit::Since),
        ],
    );
    let waiting = core.queue.values().filter(|queued| queued.count > 0);
    table.fill(waiting, |queued| {
        let reasons = queued
            .last_offers()
            .into_iter()
            .filter(|(_, declined, _)| *declined > 0);
        let reasons: Vec<String> = reasons
            .map(|(reason, declined, _)| format!("{reason} ({declined})"))
            .collect();
        let why = match (core.is_ready(&queued.app), reasons.is_empty()) {
            (false, _) => "it failed, and waits before it is tried again".to_owned(),
            (true, true) => "no offers yet".to_owned(),
            (true, false) => reasons.join(", "),
        };
        [
            queued.app.id.to_string().into(),
            u64::from(queued.count).into(),
            why.into(),
            (queued.since.0 as f64 / 1000.0).into(),
        ]
    });
    table
}

fn deployments(core: &Core) -> Table {
    let mut table = Table::new(
        "Deployments",
        "Nothing is being changed.",
        &[
            ("deployment", Unit::Text),
            ("step", Unit::Text),
            ("does", Unit::Text),
            ("since", Unit::Since),
        ],
    );
    table.fill(&core.deployments, |deployment| {
        let actions = deployment.steps.get(deployment.step).into_iter().flatten();
        let does = actions.map(|action| format!("{} {}", action.kind.name(), action.app));
        [
            deployment.id.clone().into(),
            format!("{} of {}", deployment.step + 1, deployment.steps.len()).into(),
            does.collect::<Vec<_>>().join(", ").into(),
            (deployment.version.0 as f64 / 1000.0).into(),
        ]
    });
    table
}
