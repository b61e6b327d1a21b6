use super::made::{agent, agent_id, framework, framework_id, state, status, task};
use crate::core::{
    answer::{Kind, Outcome, Record, answer},
    cluster::{Cluster, Meaning},
    generator::{Hosts, Naming, Source, generate},
    labels::Rules,
    zone::Zone,
};
use mesos_proto::v1::{
    TaskState,
    master::{Event, event},
};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn event(kind: event::Type) -> Event {
    Event {
        r#type: Some(kind as i32),
        ..Event::default()
    }
}

fn updated(task: &str, state: TaskState) -> Event {
    let mut told = event(event::Type::TaskUpdated);
    told.task_updated = Some(event::TaskUpdated {
        framework_id: framework_id("f"),
        status: status(task, state, 1.0),
        state: state as i32,
    });
    told
}

fn added(id: &str, state: TaskState) -> Event {
    let mut one = task(id, id, 1, &[]);
    one.state = state as i32;
    one.statuses.clear();
    let mut told = event(event::Type::TaskAdded);
    told.task_added = Some(event::TaskAdded { task: one });
    told
}

fn begun() -> Cluster {
    Cluster::of(&state(vec![agent(1)], vec![framework("f", "f", "")], Vec::new()))
}

fn zone(cluster: &Cluster) -> Zone {
    let naming = Naming {
        domain: "mesos".to_owned(),
        rules: Rules::Rfc1123,
        sources: vec![Source::Host],
        server: "ns1.mesos.".to_owned(),
        listens: Vec::new(),
        masters: Vec::new(),
    };
    generate(&naming, cluster, None, &Hosts::default())
}

#[test]
fn a_task_has_a_name_for_as_long_as_it_runs() {
    let mut cluster = begun();
    let there = |cluster: &Cluster| zone(cluster).get("t.f.mesos.").is_some();
    assert_eq!(
        cluster.hear(&added("t", TaskState::TaskStaging)),
        Meaning::Changed
    );
    assert!(!there(&cluster));
    assert_eq!(
        cluster.hear(&updated("t", TaskState::TaskRunning)),
        Meaning::Changed
    );
    assert!(there(&cluster));
    cluster.hear(&updated("t", TaskState::TaskUnreachable));
    assert!(!there(&cluster));
    cluster.hear(&updated("t", TaskState::TaskRunning));
    assert!(there(&cluster));
    cluster.hear(&updated("t", TaskState::TaskKilled));
    assert!(!there(&cluster));
    // Whoever is heard to run without being known was missed.
    assert_eq!(
        cluster.hear(&updated("t", TaskState::TaskRunning)),
        Meaning::Missed
    );
    assert_eq!(
        cluster.hear(&updated("t", TaskState::TaskFailed)),
        Meaning::Nothing
    );
}

#[test]
fn agents_and_frameworks_take_their_tasks_with_them() {
    let mut cluster = begun();
    cluster.hear(&added("t", TaskState::TaskRunning));
    let mut gone = event(event::Type::AgentRemoved);
    gone.agent_removed = Some(event::AgentRemoved {
        agent_id: agent_id(1),
    });
    assert_eq!(cluster.hear(&gone), Meaning::Changed);
    assert!(zone(&cluster).get("t.f.mesos.").is_none());
    assert!(zone(&cluster).get("slave.mesos.").is_none());

    let mut back = event(event::Type::AgentAdded);
    back.agent_added = Some(event::AgentAdded { agent: agent(1) });
    cluster.hear(&back);
    cluster.hear(&added("t", TaskState::TaskRunning));
    assert!(zone(&cluster).get("t.f.mesos.").is_some());
    let mut gone = event(event::Type::FrameworkRemoved);
    gone.framework_removed = Some(event::FrameworkRemoved {
        framework_info: framework("f", "f", "").framework_info,
    });
    cluster.hear(&gone);
    assert!(zone(&cluster).get("t.f.mesos.").is_none());
}

#[test]
fn questions_are_answered_as_the_original_answers_them() {
    let mut cluster = begun();
    cluster.hear(&added("t", TaskState::TaskRunning));
    let zone = zone(&cluster);
    let asked = |name: &str, kind: Kind| {
        let answer = answer(&zone, name, kind, 100, &|_| 0);
        (answer.outcome, answer.answers.len(), answer.soa, answer.ns)
    };
    assert_eq!(asked("t.f.mesos.", Kind::A), (Outcome::Found, 1, 0, false));
    assert_eq!(asked("t.f.mesos.", Kind::Aaaa), (Outcome::NoData, 0, 1, false));
    assert_eq!(asked("t.f.mesos.", Kind::Other), (Outcome::NoData, 0, 1, false));
    assert_eq!(asked("u.f.mesos.", Kind::A), (Outcome::NoName, 0, 1, false));
    assert_eq!(asked("mesos.", Kind::Soa), (Outcome::Found, 0, 1, false));
    assert_eq!(asked("mesos.", Kind::Ns), (Outcome::Found, 0, 0, true));
    assert_eq!(
        asked("_u._tcp.f.mesos.", Kind::Srv),
        (Outcome::Found, 0, 0, false)
    );
    assert_eq!(asked("t.f.mesos.", Kind::Any), (Outcome::Found, 1, 1, true));
    assert_eq!(asked("u.f.mesos.", Kind::Any), (Outcome::NoName, 0, 2, true));
}

#[test]
fn services_bring_the_addresses_of_their_targets() {
    let tasks = vec![task("t", "t", 1, &[(31000, 31009)])];
    let zone = zone(&Cluster::of(&state(
        vec![agent(1)],
        vec![framework("f", "f", "")],
        tasks,
    )));
    let answer = answer(&zone, "_t._tcp.f.mesos.", Kind::Srv, 100, &|_| 0);
    assert_eq!(answer.answers.len(), 10);
    let [(name, Record::A(address))] = &answer.additional[..] else {
        panic!("{:?}", answer.additional);
    };
    assert!(name.ends_with("-s1.f.slave.mesos."), "{name}");
    assert_eq!(address.to_string(), "10.0.0.1");
}

proptest! {
    #[test]
    fn every_record_is_told_once_in_any_order(count in 1_u64..40, most in 1_usize..50, seed: u64) {
        let tasks = vec![task("t", "t", 1, &[(1000, 999 + count)])];
        let zone = zone(&Cluster::of(&state(vec![agent(1)], vec![framework("f", "f", "")], tasks)));
        let below = |below: u64| seed % below.max(1);
        let answer = answer(&zone, "_t._tcp.f.mesos.", Kind::Srv, most, &below);
        let ports: BTreeSet<u16> = answer
            .answers
            .iter()
            .filter_map(|record| match record {
                Record::Srv(service) => Some(service.port),
                _ => None,
            })
            .collect();
        prop_assert_eq!(ports.len(), most.min(count as usize));
        prop_assert_eq!(ports.len(), answer.answers.len());
    }
}
