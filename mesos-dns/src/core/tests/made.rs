//! A cluster for tests, as a master tells of it.

use mesos_proto::v1::{
    AgentId, AgentInfo, ContainerStatus, DiscoveryInfo, FrameworkId, FrameworkInfo, Label, Labels,
    NetworkInfo, Port, Ports, Resource, Task, TaskId, TaskState, TaskStatus, discovery_info,
    master::response, network_info, value,
};

pub(crate) fn agent(number: u32) -> response::get_agents::Agent {
    response::get_agents::Agent {
        agent_info: AgentInfo {
            id: Some(agent_id(number)),
            hostname: format!("agent{number}.example"),
            ..AgentInfo::default()
        },
        active: true,
        version: "1.11.0".to_owned(),
        pid: Some(format!("slave(1)@10.0.0.{number}:5051")),
        ..response::get_agents::Agent::default()
    }
}

pub(crate) fn agent_id(number: u32) -> AgentId {
    AgentId {
        value: format!("20150101-120000-1-5050-S{number}"),
    }
}

pub(crate) fn framework(id: &str, name: &str, host: &str) -> response::get_frameworks::Framework {
    response::get_frameworks::Framework {
        framework_info: FrameworkInfo {
            id: Some(framework_id(id)),
            name: name.to_owned(),
            hostname: Some(host.to_owned()),
            ..FrameworkInfo::default()
        },
        active: true,
        connected: true,
        ..response::get_frameworks::Framework::default()
    }
}

pub(crate) fn framework_id(id: &str) -> FrameworkId {
    FrameworkId { value: id.to_owned() }
}

/// A task of the framework `f` that runs on an agent, with ports of it.
pub(crate) fn task(id: &str, name: &str, on: u32, ports: &[(u64, u64)]) -> Task {
    let range = ports.iter().map(|(begin, end)| value::Range {
        begin: *begin,
        end: *end,
    });
    Task {
        name: name.to_owned(),
        task_id: TaskId { value: id.to_owned() },
        framework_id: framework_id("f"),
        agent_id: agent_id(on),
        state: TaskState::TaskRunning as i32,
        resources: vec![Resource {
            name: "ports".to_owned(),
            r#type: value::Type::Ranges as i32,
            ranges: Some(value::Ranges {
                range: range.collect(),
            }),
            ..Resource::default()
        }],
        statuses: vec![status(id, TaskState::TaskRunning, 1.0)],
        ..Task::default()
    }
}

pub(crate) fn status(task: &str, state: TaskState, at: f64) -> TaskStatus {
    TaskStatus {
        task_id: TaskId {
            value: task.to_owned(),
        },
        state: state as i32,
        timestamp: Some(at),
        ..TaskStatus::default()
    }
}

pub(crate) fn at_network(mut status: TaskStatus, name: &str, addresses: &[&str]) -> TaskStatus {
    let container = status
        .container_status
        .get_or_insert_with(ContainerStatus::default);
    let ip_addresses = addresses.iter().map(|address| network_info::IpAddress {
        ip_address: Some((*address).to_owned()),
        ..network_info::IpAddress::default()
    });
    container.network_infos.push(NetworkInfo {
        name: (!name.is_empty()).then(|| name.to_owned()),
        ip_addresses: ip_addresses.collect(),
        ..NetworkInfo::default()
    });
    status
}

pub(crate) fn labels(labels: &[(&str, &str)]) -> Labels {
    let labels = labels.iter().map(|(key, value)| Label {
        key: (*key).to_owned(),
        value: Some((*value).to_owned()),
    });
    Labels {
        labels: labels.collect(),
    }
}

/// A port's number, name, protocol and labels.
type Told<'a> = (u32, &'a str, &'a str, &'a [(&'a str, &'a str)]);

/// A name and ports.
pub(crate) fn discovery(name: &str, ports: &[Told<'_>]) -> DiscoveryInfo {
    let ports = ports.iter().map(|(number, name, protocol, labelled)| Port {
        number: *number,
        name: Some((*name).to_owned()),
        protocol: Some((*protocol).to_owned()),
        labels: Some(labels(labelled)),
        ..Port::default()
    });
    DiscoveryInfo {
        visibility: discovery_info::Visibility::Framework as i32,
        name: Some(name.to_owned()),
        ports: Some(Ports {
            ports: ports.collect(),
        }),
        ..DiscoveryInfo::default()
    }
}

pub(crate) fn state(
    agents: Vec<response::get_agents::Agent>,
    frameworks: Vec<response::get_frameworks::Framework>,
    tasks: Vec<Task>,
) -> response::GetState {
    response::GetState {
        get_agents: Some(response::GetAgents {
            agents,
            ..response::GetAgents::default()
        }),
        get_frameworks: Some(response::GetFrameworks {
            frameworks,
            ..response::GetFrameworks::default()
        }),
        get_tasks: Some(response::GetTasks {
            tasks,
            ..response::GetTasks::default()
        }),
        get_executors: None,
    }
}
