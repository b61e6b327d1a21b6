//! What Mesos is asked to run: the task of an instance, with the environment that the original gives it.

use super::{
    app::{App, HealthCheck, Labels, Protocol},
    instance::Instance,
};
use mesos_proto::v1::{
    self, AgentId, CommandInfo, ContainerInfo, DiscoveryInfo, DurationInfo, Environment, KillPolicy, Label,
    Port, Ports, Resource, TaskId, TaskInfo, command_info, container_info, discovery_info, environment,
    health_check, volume,
};
use std::collections::BTreeMap;

/// How long a label, and its name, may be to become part of the environment.
const VARIABLE_CHARS_MAX: usize = 512;
const LABEL_PREFIX: &str = "MARATHON_APP_LABEL_";

/// The task of an instance.
pub(super) fn task(app: &App, instance: &Instance, resources: Vec<Resource>) -> TaskInfo {
    let grace = app.task_kill_grace_period_seconds.map(|seconds| KillPolicy {
        grace_period: Some(DurationInfo {
            nanoseconds: i64::from(seconds) * 1_000_000_000,
        }),
    });
    TaskInfo {
        name: app.id.host_name(),
        task_id: TaskId {
            value: instance.task_id(),
        },
        agent_id: AgentId {
            value: instance.agent_id.clone(),
        },
        resources,
        command: Some(command(app, instance)),
        container: app.container.as_ref().map(container),
        // Whoever is to check, the agent does: it is beside the task, and says the same.
        health_check: app
            .health_checks
            .first()
            .map(|check| health_check(check, &instance.host_ports)),
        kill_policy: grace,
        labels: labels(&app.labels),
        discovery: Some(discovery(app, &instance.host_ports)),
        ..TaskInfo::default()
    }
}

fn labels(labels: &Labels) -> Option<v1::Labels> {
    let label = |(key, value): (&String, &String)| Label {
        key: key.clone(),
        value: Some(value.clone()),
    };
    (!labels.is_empty()).then(|| v1::Labels {
        labels: labels.iter().map(label).collect(),
    })
}

fn command(app: &App, instance: &Instance) -> CommandInfo {
    let variable = |(name, value): (String, String)| environment::Variable {
        name,
        value: Some(value),
        ..environment::Variable::default()
    };
    let uri = |artifact: &super::app::Artifact| command_info::Uri {
        value: artifact.uri.clone(),
        executable: Some(artifact.executable),
        extract: Some(artifact.extract),
        cache: Some(artifact.cache),
        output_file: artifact.dest_path.clone(),
    };
    let (shell, value) = match app.args.first() {
        Some(program) => (false, Some(program.clone())),
        None => (true, app.cmd.clone()),
    };
    CommandInfo {
        uris: app.fetch.iter().map(uri).collect(),
        environment: Some(Environment {
            variables: environment(app, instance).into_iter().map(variable).collect(),
        }),
        shell: Some(shell),
        value,
        arguments: app.args.clone(),
        user: app.user.clone(),
    }
}

/// What a task finds in its environment. What the app says of it comes last.
pub(super) fn environment(app: &App, instance: &Instance) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = [
        ("MESOS_TASK_ID", instance.task_id()),
        ("MARATHON_APP_ID", app.id.to_string()),
        ("MARATHON_APP_VERSION", app.version.to_string()),
        ("MARATHON_APP_RESOURCE_CPUS", format!("{:?}", app.cpus)),
        ("MARATHON_APP_RESOURCE_MEM", format!("{:?}", app.mem)),
        ("MARATHON_APP_RESOURCE_DISK", format!("{:?}", app.disk)),
        ("MARATHON_APP_RESOURCE_GPUS", app.gpus.to_string()),
        ("HOST", instance.place.host.clone()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    let short = app.labels.iter().filter(|(name, value)| {
        name.len() < VARIABLE_CHARS_MAX - LABEL_PREFIX.len() && value.len() < VARIABLE_CHARS_MAX
    });
    let short: Vec<(String, &String)> = short.map(|(name, value)| (variable_name(name), value)).collect();
    let names: Vec<&str> = short.iter().map(|(name, _)| name.as_str()).collect();
    all.insert("MARATHON_APP_LABELS".to_owned(), names.join(" "));
    all.extend(
        short
            .iter()
            .map(|(name, value)| (format!("{LABEL_PREFIX}{name}"), (*value).clone())),
    );
    let ports = &instance.host_ports;
    if let Some(first) = ports.first() {
        let list: Vec<String> = ports.iter().map(u32::to_string).collect();
        all.insert("PORT".to_owned(), first.to_string());
        all.insert("PORTS".to_owned(), list.join(","));
    }
    for (at, (definition, port)) in app.port_definitions.iter().zip(ports).enumerate() {
        let requested = if definition.port == 0 {
            *port
        } else {
            definition.port
        };
        all.insert(format!("PORT{at}"), port.to_string());
        all.insert(format!("PORT_{requested}"), port.to_string());
        if let Some(name) = &definition.name {
            all.insert(format!("PORT_{}", name.to_uppercase()), port.to_string());
        }
    }
    all.extend(app.env.clone());
    all
}

/// A label's name as one of the environment: runs of other characters become one `_`.
fn variable_name(name: &str) -> String {
    let (mut made, mut in_run) = (String::new(), false);
    for one in name.chars() {
        let kept = one.is_ascii_alphanumeric() || one == '_';
        if kept || !in_run {
            made.push(if kept { one.to_ascii_uppercase() } else { '_' });
        }
        in_run = !kept;
    }
    made
}

fn discovery(app: &App, host_ports: &[u32]) -> DiscoveryInfo {
    let pairs = app.port_definitions.iter().zip(host_ports);
    let ports = pairs.map(|(definition, number)| Port {
        number: *number,
        name: definition.name.clone(),
        protocol: Some(definition.protocol.clone()),
        visibility: None,
        labels: labels(&definition.labels),
    });
    DiscoveryInfo {
        visibility: discovery_info::Visibility::Framework as i32,
        name: Some(app.id.host_name()),
        ports: Some(Ports {
            ports: ports.collect(),
        }),
        ..DiscoveryInfo::default()
    }
}

fn container(container: &super::app::Container) -> ContainerInfo {
    let volumes = container.volumes.iter().map(|one| v1::Volume {
        mode: match one.mode.as_str() {
            "RO" => volume::Mode::Ro as i32,
            _ => volume::Mode::Rw as i32,
        },
        container_path: one.container_path.clone(),
        host_path: Some(one.host_path.clone()),
        ..v1::Volume::default()
    });
    ContainerInfo {
        r#type: container_info::Type::Mesos as i32,
        volumes: volumes.collect(),
        mesos: Some(container_info::MesosInfo::default()),
        ..ContainerInfo::default()
    }
}

/// The port that a check looks at.
pub(super) fn checked_port(check: &HealthCheck, host_ports: &[u32]) -> u32 {
    let at = usize::try_from(check.port_index.unwrap_or(0)).unwrap_or(usize::MAX);
    match (check.port, check.port_index) {
        (Some(port), None) => port,
        _ => host_ports.get(at).copied().or(check.port).unwrap_or(0),
    }
}

fn health_check(check: &HealthCheck, host_ports: &[u32]) -> v1::HealthCheck {
    use health_check::{HttpCheckInfo, TcpCheckInfo, Type};
    let port = checked_port(check, host_ports);
    let (kind, mut command, mut http, mut tcp) = (
        match check.protocol {
            Protocol::Command => Type::Command,
            Protocol::MesosTcp | Protocol::Tcp => Type::Tcp,
            _ => Type::Http,
        },
        None,
        None,
        None,
    );
    match kind {
        Type::Command => {
            command = Some(CommandInfo {
                value: check.command.as_ref().map(|command| command.value.clone()),
                ..CommandInfo::default()
            });
        }
        Type::Tcp => {
            tcp = Some(TcpCheckInfo {
                port,
                ..TcpCheckInfo::default()
            });
        }
        _ => {
            let scheme = match check.protocol {
                Protocol::MesosHttps | Protocol::Https => "https",
                _ => "http",
            };
            http = Some(HttpCheckInfo {
                scheme: Some(scheme.to_owned()),
                port,
                path: check.path.clone(),
                ..HttpCheckInfo::default()
            });
        }
    }
    // Only Mesos' own wait before they begin.
    let delay = if check.protocol.is_of_mesos() {
        check.delay_seconds
    } else {
        0
    };
    v1::HealthCheck {
        delay_seconds: Some(delay.into()),
        interval_seconds: Some(check.interval_seconds.into()),
        timeout_seconds: Some(check.timeout_seconds.into()),
        consecutive_failures: Some(check.max_consecutive_failures),
        grace_period_seconds: Some(check.grace_period_seconds.into()),
        r#type: Some(kind as i32),
        command,
        http,
        tcp,
    }
}
