use super::*;
use crate::core::{
    Now,
    link::ToMaster,
    master::{Input, Policy, Registered},
};
use mesos_proto::v1::{AgentInfo, FrameworkInfo, MasterInfo, Task, scheduler};
use server_kit::Clock as _;
use std::{collections::BTreeSet, time::Duration};

/// A master as the recording had it: an agent, a framework, an offer.
pub(in crate::handlers) fn master() -> Master {
    let info = MasterInfo {
        id: "m".to_owned(),
        ..MasterInfo::default()
    };
    let mut master = Master::new(Now::default(), info, Policy::default(), Registered::default());
    let agent = AgentInfo {
        hostname: "127.0.0.1".to_owned(),
        resources: crate::shell::resources("cpus:8;mem:8192;disk:20000").unwrap(),
        ..AgentInfo::default()
    };
    let message = ToMaster::Register(Box::new(agent));
    master
        .step(Now::default(), Input::Agent { link: 1, message })
        .unwrap();
    let call = scheduler::Call {
        subscribe: Some(scheduler::call::Subscribe {
            framework_info: FrameworkInfo {
                user: "root".to_owned(),
                name: "boot".to_owned(),
                ..FrameworkInfo::default()
            },
            ..scheduler::call::Subscribe::default()
        }),
        ..scheduler::Call::default()
    };
    let subscribe = Input::Subscribe {
        stream: "s".to_owned(),
        call: Box::new(call),
    };
    master.step(Now::default(), subscribe).unwrap();
    master
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Keys of the original's `/state`, recorded from Mesos 1.11, without those that tell how it was built; `offers_by_role` is ours.
#[test]
fn state_has_the_keys_of_the_original() {
    let state = state_of(&master(), &Around::default());
    let expected = "version start_time elected_time id pid hostname capabilities activated_slaves deactivated_slaves \
        unreachable_slaves leader leader_info flags slaves recovered_slaves frameworks completed_frameworks \
        orphan_tasks unregistered_frameworks";
    assert_eq!(keys(&state), expected.split_whitespace().collect());
    let expected = "id hostname port attributes pid registered_time resources used_resources offered_resources \
        reserved_resources unreserved_resources active deactivated version capabilities reserved_resources_full \
        unreserved_resources_full used_resources_full offered_resources_full";
    assert_eq!(keys(&state["slaves"][0]), expected.split_whitespace().collect());
    let expected = "id name used_resources offered_resources capabilities hostname webui_url active connected \
        recovered user failover_timeout checkpoint registered_time unregistered_time resources role tasks \
        unreachable_tasks completed_tasks offers executors offer_constraints offers_by_role";
    assert_eq!(
        keys(&state["frameworks"][0]),
        expected.split_whitespace().collect()
    );
}

#[test]
fn amounts_look_as_the_original_shows_them() {
    let state = state_of(&master(), &Around::default());
    assert_eq!(
        state["slaves"][0]["resources"],
        json!({"disk": 20000.0, "mem": 8192.0, "gpus": 0.0, "cpus": 8.0, "ports": "[31000-32000]"})
    );
    assert_eq!(
        state["slaves"][0]["used_resources"],
        json!({"disk": 0.0, "mem": 0.0, "gpus": 0.0, "cpus": 0.0})
    );
    assert_eq!(state["frameworks"][0]["offered_resources"]["cpus"], json!(8.0));
}

/// A task of the recording that ran, in the original's `/state` after its end.
#[test]
fn a_task_that_ran_is_shown_as_by_the_original() {
    let path = format!("{}/golden/after_state.http", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let state: Value = serde_json::from_str(&text[text.find('{').unwrap()..]).unwrap();
    let last = state["completed_frameworks"].as_array().unwrap().last().unwrap();
    let theirs = &last["completed_tasks"][0];
    let mut cpus = crate::core::resources::scalar("cpus", 0.1);
    cpus.allocation_info = Some(mesos_proto::v1::resource::AllocationInfo {
        role: Some("*".to_owned()),
    });
    let of = |name: &str| theirs[name].as_str().unwrap().to_owned();
    let statuses = theirs["statuses"].as_array().unwrap();
    let task = Task {
        name: of("name"),
        task_id: mesos_proto::v1::TaskId { value: of("id") },
        framework_id: mesos_proto::v1::FrameworkId {
            value: of("framework_id"),
        },
        agent_id: mesos_proto::v1::AgentId {
            value: of("slave_id"),
        },
        state: mesos_proto::v1::TaskState::TaskFinished as i32,
        resources: vec![cpus, crate::core::resources::scalar("mem", 32.0)],
        // The task's own id is not told again in each of them.
        statuses: statuses.iter().map(|status| status_of(status.clone())).collect(),
        ..Task::default()
    };
    assert_eq!(&shown::task(&task), theirs);
}

fn status_of(mut shown: Value) -> mesos_proto::v1::TaskStatus {
    shown["task_id"] = json!({ "value": "t" });
    serde_json::from_value(shown).unwrap()
}

/// 10,000 agents, 100 frameworks and 200,000 tasks: `cargo test --release -p mesos-api a_large_fleet -- --ignored --nocapture`.
#[test]
#[ignore = "measures a large fleet: only its release build means anything"]
fn a_large_fleet() {
    let (agents, frameworks, tasks) = (10_000_u64, 100_u64, 20_u64);
    let mut master = master();
    let basics = master.agents.values().next().unwrap().info.clone();
    for number in 0..frameworks {
        let call = scheduler::Call {
            subscribe: Some(scheduler::call::Subscribe {
                framework_info: FrameworkInfo {
                    name: format!("f{number}"),
                    role: Some(format!("role{}", number % 10)),
                    ..FrameworkInfo::default()
                },
                ..scheduler::call::Subscribe::default()
            }),
            ..scheduler::Call::default()
        };
        let (stream, call) = (number.to_string(), Box::new(call));
        master
            .step(Now::default(), Input::Subscribe { stream, call })
            .unwrap();
    }
    let info = master.frameworks.values().last().unwrap().info.clone();
    for number in 0..agents {
        let mut info_of_agent = basics.clone();
        let id = format!("agent{number}");
        info_of_agent.id = Some(mesos_proto::v1::AgentId { value: id.clone() });
        let task = |at: u64| {
            let framework = master
                .frameworks
                .get_index(usize::try_from((number + at) % frameworks).unwrap());
            let role = format!("role{}", (number + at) % 10);
            let mut cpus = crate::core::resources::scalar("cpus", 0.1);
            cpus.allocation_info = Some(mesos_proto::v1::resource::AllocationInfo { role: Some(role) });
            Task {
                name: format!("t{at}"),
                task_id: mesos_proto::v1::TaskId {
                    value: format!("{number}-{at}"),
                },
                framework_id: framework.unwrap().1.info.id.clone().unwrap(),
                state: mesos_proto::v1::TaskState::TaskRunning as i32,
                resources: vec![cpus],
                ..Task::default()
            }
        };
        let back = crate::core::link::Reregistration {
            total: basics.resources.clone(),
            tasks: (0..tasks).map(task).collect(),
            info: info_of_agent,
            frameworks: vec![info.clone()],
            ..crate::core::link::Reregistration::default()
        };
        let message = ToMaster::Reregister(Box::new(back));
        let link = number + 10;
        master
            .step(Now::default(), Input::Agent { link, message })
            .unwrap();
    }
    let clock = server_kit::SystemClock::new();
    let took = |since: Duration| clock.elapsed().saturating_sub(since).as_secs_f64() * 1e3;
    let cycles = (1..=4).map(|round| {
        let started = clock.elapsed();
        master.step(now_at(round), Input::Tick).unwrap();
        took(started)
    });
    let slowest = cycles.fold(0.0, f64::max);
    let started = clock.elapsed();
    let summary = summary_of(&master);
    let bytes = serde_json::to_vec(&summary).unwrap();
    let took = took(started);
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes: f64 = resident.unwrap().trim().trim_end_matches(" kB").parse().unwrap();
    // One line of JSON, for who compares runs.
    println!(
        "\nfleet: {}",
        json!({ "cycle_ms": slowest, "summary_ms": took, "memory_mb": kilobytes / 1024.0, "summary_bytes": bytes.len() })
    );
    assert_eq!(summary["slaves"].as_array().unwrap().len(), 10_001);
}

fn now_at(seconds: u64) -> Now {
    Now {
        elapsed: Duration::from_secs(seconds),
        wall: Duration::from_secs(seconds),
    }
}
