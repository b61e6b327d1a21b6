//! What the console shows of a master: agents, frameworks, tasks with their files, and why offers were not used.

use super::{
    Cluster,
    operator::{Bag, Sums},
};
use crate::core::{
    master::{Agent, Framework, Master},
    resources::decimal,
};
use mesos_proto::v1::{Task, TaskState};
use server_kit::console::{Cell, Link, Section, Table, Unit, View};
use std::{collections::HashMap, fmt::Write, sync::Arc};

const MIB: f64 = (1 << 20) as f64;

/// The section of a master.
pub(crate) fn section(cluster: Arc<Cluster>) -> Section {
    Section::new("mesos", "Mesos", move || {
        let cluster = cluster.clone();
        async move {
            let seen = cluster.master.read(show).await;
            seen.unwrap_or_else(|_| {
                let mut view = View::default();
                view.fact("master", Unit::Text, "another master leads, or none does");
                view
            })
        }
    })
}

fn show(master: &Master) -> View {
    let sums = Sums::new(master);
    let tasks = || master.frameworks.values().flat_map(|one| one.tasks.values());
    let running = tasks()
        .filter(|task| task.state() == TaskState::TaskRunning)
        .count();
    let mut view = View::default();
    view.fact("agents", Unit::Count, master.agents.len());
    view.fact("frameworks", Unit::Count, master.frameworks.len());
    view.fact("tasks running", Unit::Count, running);
    view.fact("offers out", Unit::Count, master.offers.len());
    view.fact("leading for", Unit::Since, master.elected.as_secs_f64());
    view.fact("master", Unit::Text, master.info.pid());
    view.table(agents(master, &sums));
    view.table(frameworks(master, &sums));
    view.table(waits(master));
    view.table(shown_tasks(master));
    view
}

/// An amount in use, and of how much.
fn share(bag: &Bag, agent: &Agent, name: &str, shown: fn(f64) -> String) -> Cell {
    let used = bag.scalars.iter().find(|(of, _)| *of == name);
    let used = used.map_or(0.0, |(_, used)| decimal(used));
    let total = decimal(agent.total.scalar(name));
    format!("{} of {}", shown(used), shown(total)).into()
}

fn cpus(cpus: f64) -> String {
    format!("{cpus} CPU")
}

/// Mesos counts memory and disk in MiB.
fn mebibytes(mebibytes: f64) -> String {
    match mebibytes < 1024.0 {
        true => format!("{mebibytes:.0} MiB"),
        false => format!("{:.1} GiB", mebibytes / 1024.0),
    }
}

fn agents(master: &Master, sums: &Sums<'_>) -> Table {
    let columns = [
        ("agent", Unit::Text),
        ("at", Unit::Text),
        ("state", Unit::Text),
        ("processors used", Unit::Text),
        ("memory used", Unit::Text),
        ("disk used", Unit::Text),
        ("tasks", Unit::Count),
        ("known for", Unit::Since),
    ];
    let mut table = Table::new("Agents", "None is registered.", &columns);
    let mut tasks: HashMap<&str, usize> = HashMap::new();
    for task in master.frameworks.values().flat_map(|one| one.tasks.values()) {
        *tasks.entry(&task.agent_id.value).or_default() += 1;
    }
    table.fill(master.agents.values(), |agent| {
        let sum = sums.of_agent(agent.id());
        let own = tasks.get(agent.id()).copied().unwrap_or(0);
        let state = match (agent.link.is_some(), agent.deactivated, agent.drain.is_some()) {
            (false, ..) => "not connected",
            (true, _, true) => "draining",
            (true, true, false) => "deactivated",
            (true, false, false) => "active",
        };
        [
            agent.id().into(),
            place(agent).into(),
            state.into(),
            share(&sum.used, agent, "cpus", cpus),
            share(&sum.used, agent, "mem", mebibytes),
            share(&sum.used, agent, "disk", mebibytes),
            own.into(),
            agent.registered.as_secs_f64().into(),
        ]
    });
    table
}

fn frameworks(master: &Master, sums: &Sums<'_>) -> Table {
    let columns = [
        ("framework", Unit::Text),
        ("id", Unit::Text),
        ("user", Unit::Text),
        ("roles", Unit::Text),
        ("state", Unit::Text),
        ("tasks", Unit::Count),
        ("ended tasks", Unit::Count),
        ("processors", Unit::Text),
        ("memory", Unit::Bytes),
        ("known for", Unit::Since),
    ];
    let mut table = Table::new("Frameworks", "None has subscribed.", &columns);
    table.fill(master.frameworks.values(), |one| {
        let used = &sums.of_framework(one.id()).used.scalars;
        let amount = |name: &str| {
            let found = used.iter().find(|(of, _)| *of == name);
            found.map_or(0.0, |(_, sum)| decimal(sum))
        };
        let roles: Vec<String> = one.roles().into_iter().collect();
        [
            one.info.name.as_str().into(),
            one.id().into(),
            one.info.user.as_str().into(),
            roles.join(", ").into(),
            state(one).into(),
            one.tasks.len().into(),
            one.completed_tasks.len().into(),
            cpus(amount("cpus")).into(),
            (amount("mem") * MIB).into(),
            one.registered.as_secs_f64().into(),
        ]
    });
    table
}

fn state(framework: &Framework) -> &'static str {
    match (framework.stream.is_some(), framework.recovered) {
        (true, _) => "subscribed",
        (false, true) => "known from its tasks",
        (false, false) => "disconnected",
    }
}

fn waits(master: &Master) -> Table {
    let columns = [
        ("framework", Unit::Text),
        ("role", Unit::Text),
        ("offered", Unit::Count),
        ("declined", Unit::Count),
        ("launched on", Unit::Count),
        ("last offered", Unit::Since),
        ("why it is offered no more", Unit::Text),
        ("the last task that was refused", Unit::Text),
    ];
    let mut table = Table::new(
        "Offers, and why they were not used",
        "No framework was offered anything.",
        &columns,
    );
    for framework in master.frameworks.values() {
        for (role, waits) in &framework.waits {
            let refused = waits.refused.back();
            table.push([
                framework.info.name.as_str().into(),
                role.as_str().into(),
                waits.offered.into(),
                waits.declined.into(),
                waits.launched.into(),
                waits.last_offer.map(|at| at.as_secs_f64()).into(),
                waits.why.to_string().into(),
                refused.map(|one| format!("{}: {}", one.task, one.why)).into(),
            ]);
        }
    }
    table
}

/// Those that run, and those that ended, the newest frameworks and their newest tasks first.
fn shown_tasks(master: &Master) -> Table {
    let columns = [
        ("task", Unit::Text),
        ("name", Unit::Text),
        ("framework", Unit::Text),
        ("state", Unit::Text),
        ("since", Unit::Since),
        ("why", Unit::Text),
        ("sandbox", Unit::Text),
    ];
    let mut table = Table::new("Tasks", "None was launched.", &columns);
    let frameworks = || {
        master
            .frameworks
            .values()
            .rev()
            .chain(master.completed.iter().rev())
    };
    let live = frameworks().flat_map(|one| one.tasks.values().rev().map(move |task| (one, task)));
    let ended = frameworks().flat_map(|one| one.completed_tasks.iter().rev().map(move |task| (one, task)));
    table.fill(live.chain(ended), |(framework, task)| {
        let last = task.statuses.last();
        let state = task.state().as_str_name();
        [
            task.task_id.value.as_str().into(),
            task.name.as_str().into(),
            framework.info.name.as_str().into(),
            state.strip_prefix("TASK_").unwrap_or(state).to_lowercase().into(),
            last.map(|status| status.timestamp()).into(),
            last.map(|status| status.message()).into(),
            files(master, task),
        ]
    });
    table
}

/// Where an agent is reached.
fn place(agent: &Agent) -> String {
    let (host, port) = (&agent.info.hostname, agent.info.port());
    match host.contains(':') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    }
}

/// A task's files, once it has a container and while its agent is known.
fn files(master: &Master, task: &Task) -> Cell {
    let agent = master.agents.get(&task.agent_id.value);
    let container = task.statuses.iter().rev().find_map(|status| {
        let status = status.container_status.as_ref()?;
        status.container_id.as_ref()
    });
    let Some((agent, container)) = agent.zip(container) else {
        return Cell::NONE;
    };
    let executor = task
        .executor_id
        .as_ref()
        .map_or(&task.task_id.value, |id| &id.value);
    let run = match &container.parent {
        Some(parent) => format!("{}/containers/{}", parent.value, container.value),
        None => container.value.clone(),
    };
    let sandbox = format!(
        "slaves/{}/frameworks/{}/executors/{executor}/runs/{run}",
        agent.id(),
        task.framework_id.value
    );
    let link = |text: &str, call: &str, path: &str| Link {
        text: text.to_owned(),
        to: format!("http://{}/files/{call}?path={}", place(agent), escaped(path)),
    };
    Cell::Links(vec![
        link("stdout", "download", &format!("{sandbox}/stdout")),
        link("stderr", "download", &format!("{sandbox}/stderr")),
        link("files", "browse", &sandbox),
    ])
}

/// For a query: whatever is not plainly a part of a path goes by its number.
fn escaped(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        match plain(byte) {
            true => text.push(char::from(byte)),
            false => {
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests;
