use super::made::{agent, at_network, discovery, framework, labels, state, status, task};
use crate::core::{
    cluster::Cluster,
    generator::{Hosts, Naming, Source, generate},
    labels::{Rules, hashed},
    zone::{Service, Zone},
};
use mesos_proto::v1::{Task, TaskState};

fn naming() -> Naming {
    Naming {
        domain: "mesos".to_owned(),
        rules: Rules::Rfc1123,
        sources: vec![Source::NetInfo, Source::Mesos, Source::Host],
        server: "ns1.mesos.".to_owned(),
        listens: vec!["127.0.0.1".parse().unwrap()],
        masters: Vec::new(),
    }
}

fn zone_of(naming: &Naming, tasks: Vec<Task>) -> Zone {
    let agents = vec![agent(1), agent(2)];
    let frameworks = vec![framework("f", "Marathon", "10.0.0.9")];
    let cluster = Cluster::of(&state(agents, frameworks, tasks));
    let leader = ("10.0.0.100".to_owned(), 5050);
    generate(naming, &cluster, Some(&leader), &Hosts::default())
}

fn a(zone: &Zone, name: &str) -> Vec<String> {
    let records = zone.get(name);
    let mut addresses: Vec<String> = records
        .map(|records| {
            let v4 = records.a.iter().map(ToString::to_string);
            v4.chain(records.aaaa.iter().map(ToString::to_string)).collect()
        })
        .unwrap_or_default();
    addresses.sort();
    addresses
}

fn srv(zone: &Zone, name: &str) -> Vec<String> {
    let mut services: Vec<String> = zone
        .get(name)
        .map(|records| records.srv.iter().map(Service::text).collect())
        .unwrap_or_default();
    services.sort();
    services
}

#[test]
fn a_cluster_has_names_of_its_own() {
    let zone = zone_of(&naming(), Vec::new());
    assert_eq!(a(&zone, "leader.mesos."), ["10.0.0.100"]);
    assert_eq!(a(&zone, "master.mesos."), ["10.0.0.100"]);
    assert_eq!(a(&zone, "master0.mesos."), ["10.0.0.100"]);
    assert_eq!(srv(&zone, "_leader._tcp.mesos."), ["leader.mesos.:5050"]);
    assert_eq!(srv(&zone, "_leader._udp.mesos."), ["leader.mesos.:5050"]);
    assert_eq!(a(&zone, "slave.mesos."), ["10.0.0.1", "10.0.0.2"]);
    assert_eq!(srv(&zone, "_slave._tcp.mesos."), ["slave.mesos.:5051"]);
    assert_eq!(a(&zone, "marathon.mesos."), ["10.0.0.9"]);
    assert_eq!(a(&zone, "ns1.mesos."), ["127.0.0.1"]);
    assert!(zone.get("mesos.").is_none());
}

#[test]
fn masters_are_numbered_as_they_are_listed() {
    let mut naming = naming();
    let listed = |naming: &Naming| {
        let zone = zone_of(naming, Vec::new());
        (0..4)
            .map(|number| a(&zone, &format!("master{number}.mesos.")).concat())
            .collect::<Vec<_>>()
    };
    let masters = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    naming.masters = masters(&["10.0.0.8:5050", "10.0.0.100:5050", "10.0.0.7:5050"]);
    assert_eq!(listed(&naming), ["10.0.0.8", "10.0.0.100", "10.0.0.7", ""]);
    naming.masters = masters(&["10.0.0.8:5050", "10.0.0.8:5050"]);
    assert_eq!(listed(&naming), ["10.0.0.8", "10.0.0.100", "", ""]);
    naming.masters = masters(&["10.0.0.100:5050", "10.0.0.100:5050"]);
    assert_eq!(listed(&naming), ["10.0.0.100", "", "", ""]);
}

#[test]
fn a_task_is_found_at_its_agent_and_its_ports() {
    let zone = zone_of(
        &naming(),
        vec![
            task("web.1", "web", 1, &[(31000, 31001)]),
            task("web.2", "web", 2, &[(31005, 31005)]),
        ],
    );
    assert_eq!(a(&zone, "web.marathon.mesos."), ["10.0.0.1", "10.0.0.2"]);
    assert_eq!(a(&zone, "web.marathon.slave.mesos."), ["10.0.0.1", "10.0.0.2"]);
    let one = format!("web-{}-s1.marathon", hashed("web.1"));
    let two = format!("web-{}-s2.marathon", hashed("web.2"));
    assert_eq!(a(&zone, &format!("{one}.mesos.")), ["10.0.0.1"]);
    assert_eq!(a(&zone, &format!("{two}.slave.mesos.")), ["10.0.0.2"]);
    let mut all = [
        format!("{one}.slave.mesos.:31000"),
        format!("{one}.slave.mesos.:31001"),
        format!("{two}.slave.mesos.:31005"),
    ];
    all.sort();
    for name in [
        "_web._tcp.marathon.mesos.",
        "_web._udp.marathon.mesos.",
        "_web._tcp.marathon.slave.mesos.",
        "_web._udp.marathon.slave.mesos.",
    ] {
        assert_eq!(srv(&zone, name), all, "{name}");
    }
}

#[test]
fn what_a_task_tells_of_itself_is_by_what_it_is_found() {
    let mut task = task("web.1", "ignored", 1, &[(31000, 31000)]);
    task.discovery = Some(discovery("Store", &[(80, "http", "tcp", &[]), (53, "", "", &[])]));
    task.statuses = vec![at_network(
        status("web.1", TaskState::TaskRunning, 1.0),
        "",
        &["172.16.0.5", "fd00::5"],
    )];
    let zone = zone_of(&naming(), vec![task]);
    let own = format!("store-{}-s1.marathon.mesos.", hashed("web.1"));
    let at_agent = format!("store-{}-s1.marathon.slave.mesos.:31000", hashed("web.1"));
    assert_eq!(a(&zone, "store.marathon.mesos."), ["172.16.0.5", "fd00::5"]);
    assert_eq!(a(&zone, "store.marathon.slave.mesos."), ["10.0.0.1"]);
    assert!(zone.get("ignored.marathon.mesos.").is_none());
    let mut both = [format!("{own}:80"), format!("{own}:53")];
    both.sort();
    assert_eq!(srv(&zone, "_store._tcp.marathon.mesos."), both);
    assert_eq!(
        srv(&zone, "_http._store._tcp.marathon.mesos."),
        [format!("{own}:80")]
    );
    assert_eq!(srv(&zone, "_store._udp.marathon.mesos."), [format!("{own}:53")]);
    assert_eq!(srv(&zone, "_store._tcp.marathon.slave.mesos."), [at_agent]);
    // The name as it is told is listed, too, though nobody can ask for it.
    assert!(zone.get("Store.marathon.mesos.").is_some());
}

#[test]
fn addresses_come_from_the_first_source_that_has_one() {
    let of = |sources: &[Source]| {
        let mut one = task("t", "t", 1, &[]);
        let running = at_network(
            status("t", TaskState::TaskRunning, 2.0),
            "overlay",
            &["172.16.0.5"],
        );
        let mut running = at_network(running, "other", &["172.17.0.5"]);
        running.labels = Some(labels(&[
            ("Docker.NetworkSettings.IPAddress", "172.18.0.5"),
            ("MesosContainerizer.NetworkSettings.IPAddress", "nonsense"),
        ]));
        let older = at_network(status("t", TaskState::TaskRunning, 1.0), "", &["172.19.0.5"]);
        let starting = at_network(status("t", TaskState::TaskStarting, 3.0), "", &["172.20.0.5"]);
        one.statuses = vec![older, running, starting];
        let scope: &[(&str, &str)] = &[("network-scope", "container"), ("network-name", "other")];
        one.discovery = Some(discovery("t", &[(80, "", "tcp", scope)]));
        let naming = Naming {
            sources: sources.to_vec(),
            ..naming()
        };
        a(&zone_of(&naming, vec![one]), "t.marathon.mesos.").concat()
    };
    assert_eq!(of(&[Source::NetInfo, Source::Host]), "172.16.0.5");
    assert_eq!(of(&[Source::Docker, Source::Host]), "172.18.0.5");
    assert_eq!(of(&[Source::Mesos, Source::Host]), "10.0.0.1");
    assert_eq!(of(&[Source::AutoIp, Source::Host]), "172.17.0.5");
    assert_eq!(of(&[Source::Host, Source::NetInfo]), "10.0.0.1");
    assert_eq!(of(&[Source::Mesos]), "");
}

#[test]
fn only_what_runs_on_a_known_agent_has_a_name() {
    let mut staging = task("a", "a", 1, &[]);
    staging.state = TaskState::TaskStaging as i32;
    let lost = task("b", "b", 7, &[]);
    let mut killed = task("c", "c", 1, &[]);
    killed.state = TaskState::TaskKilled as i32;
    let zone = zone_of(&naming(), vec![staging, lost, killed, task("d", "d", 1, &[])]);
    for name in ["a", "b", "c"] {
        assert!(zone.get(&format!("{name}.marathon.mesos.")).is_none(), "{name}");
    }
    let listed = serde_json::to_value(&zone.listed).unwrap();
    assert_eq!(listed["frameworks"][0]["name"], "Marathon");
    let tasks = listed["frameworks"][0]["tasks"].as_array().unwrap();
    assert_eq!(tasks.len(), 1);
    assert_eq!(tasks[0]["name"], "d");
    assert_eq!(tasks[0]["records"][0]["name"], "d.marathon.mesos.");
    assert_eq!(tasks[0]["records"][0]["host"], "10.0.0.1");
    assert_eq!(tasks[0]["records"][0]["rtype"], "A");
}

#[test]
fn ports_without_an_end_are_bounded() {
    let zone = zone_of(
        &naming(),
        vec![task("w", "w", 1, &[(0, u64::MAX), (u64::MAX, 0), (65536, 70000)])],
    );
    assert_eq!(srv(&zone, "_w._tcp.marathon.mesos.").len(), 4096);
}
