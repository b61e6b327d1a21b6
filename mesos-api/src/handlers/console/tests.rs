use super::{escaped, files, mebibytes, place, show};
use crate::handlers::older::tests::master;
use mesos_proto::v1::{ContainerId, ContainerStatus, Task, TaskStatus};
use serde_json::{Value, json};
use server_kit::console::Cell;

/// The rows of a table, by its title.
fn rows(view: &Value, title: &str) -> Vec<Value> {
    let mut tables = view["tables"].as_array().unwrap().iter();
    let table = tables.find(|table| table["title"] == title).unwrap();
    table["rows"].as_array().unwrap().clone()
}

#[test]
fn an_agent_a_framework_and_its_offer_are_shown() {
    let view = serde_json::to_value(show(&master())).unwrap();
    let facts: Vec<&Value> = view["facts"].as_array().unwrap().iter().collect();
    let offers = facts.iter().find(|fact| fact["name"] == "offers out").unwrap();
    assert_eq!(offers["value"], json!(1.0));
    let agents = rows(&view, "Agents");
    assert_eq!(agents.len(), 1);
    assert_eq!(agents[0][2], "active");
    assert_eq!(agents[0][3], "0 CPU of 8 CPU");
    assert_eq!(agents[0][4], "0 MiB of 8.0 GiB");
    let frameworks = rows(&view, "Frameworks");
    assert_eq!(
        (&frameworks[0][0], &frameworks[0][4]),
        (&json!("boot"), &json!("subscribed"))
    );
    let waits = rows(&view, "Offers, and why they were not used");
    assert_eq!(waits[0][2], json!(1.0), "one offer was made");
    assert_eq!(waits[0][6], "it is offered resources");
    assert!(rows(&view, "Tasks").is_empty());
}

#[test]
fn a_task_leads_to_its_files_whatever_it_is_called() {
    let master = master();
    let agent = master.agents.values().next().unwrap();
    let container = |value: &str| ContainerId {
        value: value.to_owned(),
        ..ContainerId::default()
    };
    let mut task = Task::default();
    task.task_id.value = "a&b=<c> ü".to_owned();
    task.framework_id.value = "f".to_owned();
    task.agent_id.value = agent.id().to_owned();
    assert_eq!(files(&master, &task), Cell::NONE, "no container yet");
    task.statuses.push(TaskStatus {
        container_status: Some(ContainerStatus {
            container_id: Some(container("run")),
            ..ContainerStatus::default()
        }),
        ..TaskStatus::default()
    });
    let Cell::Links(links) = files(&master, &task) else {
        panic!("no links");
    };
    let folder = format!(
        "slaves/{}/frameworks/f/executors/a%26b%3D%3Cc%3E%20%C3%BC/runs/run",
        agent.id()
    );
    let expected = format!("http://{}/files/download?path={folder}/stdout", place(agent));
    assert_eq!(
        (links[0].text.as_str(), links[0].to.as_str()),
        ("stdout", expected.as_str())
    );
    assert_eq!(
        links[2].to,
        format!("http://{}/files/browse?path={folder}", place(agent))
    );
}

#[test]
fn amounts_have_units() {
    assert_eq!(mebibytes(512.0), "512 MiB");
    assert_eq!(mebibytes(2048.0), "2.0 GiB");
    assert_eq!(escaped("a/b-c_d.e~"), "a/b-c_d.e~");
    assert_eq!(escaped("%?#"), "%25%3F%23");
}
