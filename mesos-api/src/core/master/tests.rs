use super::*;
use crate::core::{link::Reregistration, resources::scalar};
use mesos_proto::v1::{
    AgentId, CommandInfo, Filters, FrameworkId, FrameworkInfo, OfferId, TaskId, TaskInfo, TaskState,
    TaskStatus, WeightInfo,
    framework_info::{Capability, capability},
    offer::{Operation as Done, operation},
    quota::QuotaConfig,
    resource::{ReservationInfo, reservation_info},
    task_status::Reason,
    value::Scalar,
};

fn master() -> Master {
    let info = MasterInfo {
        id: "m".to_owned(),
        ..MasterInfo::default()
    };
    Master::new(Now::default(), info, Policy::default(), Registered::default())
}

fn subscribe(master: &mut Master, stream: &str, id: Option<&str>, failover_timeout: f64) -> Vec<Event> {
    let info = FrameworkInfo {
        name: "f".to_owned(),
        id: id.map(|id| FrameworkId { value: id.to_owned() }),
        failover_timeout: Some(failover_timeout),
        ..FrameworkInfo::default()
    };
    let call = scheduler::Call {
        framework_id: info.id.clone(),
        subscribe: Some(call::Subscribe {
            framework_info: info,
            ..call::Subscribe::default()
        }),
        ..scheduler::Call::default()
    };
    let input = Input::Subscribe {
        stream: stream.to_owned(),
        call: Box::new(call),
    };
    let effects = master.step(Now::default(), input).unwrap();
    effects
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Event { event, .. } => Some(*event),
            _ => None,
        })
        .collect()
}

fn call(
    master: &mut Master,
    stream: Option<&str>,
    fill: impl FnOnce(&mut scheduler::Call),
) -> Result<Vec<Effect>, Refused> {
    let mut call = scheduler::Call {
        framework_id: Some(FrameworkId {
            value: "m-0000".to_owned(),
        }),
        ..scheduler::Call::default()
    };
    fill(&mut call);
    let input = Input::Call {
        stream: stream.map(str::to_owned),
        call: Box::new(call),
    };
    master.step(Now::default(), input)
}

#[test]
fn a_subscription_starts_with_its_id_and_a_heartbeat() {
    let events = subscribe(&mut master(), "s", None, 0.0);
    let kinds: Vec<event::Type> = events.iter().map(|event| event.r#type()).collect();
    assert_eq!(kinds, [event::Type::Subscribed, event::Type::Heartbeat]);
    assert_eq!(
        events[0].subscribed.as_ref().unwrap().framework_id.value,
        "m-0000"
    );
}

#[test]
fn an_id_that_is_no_name_of_a_folder_is_turned_away() {
    let events = subscribe(&mut master(), "s", Some("../x"), 0.0);
    let kinds: Vec<event::Type> = events.iter().map(|event| event.r#type()).collect();
    assert_eq!(kinds, [event::Type::Error]);
}

#[test]
fn a_call_needs_the_stream_of_its_framework() {
    let mut master = master();
    assert_eq!(
        call(&mut master, Some("s"), |_| {}).unwrap_err(),
        Refused::UnknownFramework
    );
    subscribe(&mut master, "s", None, 60.0);
    assert_eq!(call(&mut master, None, |_| {}).unwrap_err(), Refused::NoStream);
    assert!(matches!(
        call(&mut master, Some("x"), |_| {}).unwrap_err(),
        Refused::OtherStream { .. }
    ));
    master
        .step(
            Now::default(),
            Input::Closed {
                stream: "s".to_owned(),
            },
        )
        .unwrap();
    assert_eq!(
        call(&mut master, Some("s"), |_| {}).unwrap_err(),
        Refused::NotSubscribed
    );
}

#[test]
fn a_second_instance_takes_over_and_a_removed_framework_does_not_come_back() {
    let mut master = master();
    subscribe(&mut master, "s", None, 60.0);
    let events = subscribe(&mut master, "t", Some("m-0000"), 60.0);
    assert_eq!(events[0].error.as_ref().unwrap().message, "Framework failed over");
    call(&mut master, Some("t"), |call| {
        call.r#type = Some(call::Type::Teardown as i32)
    })
    .unwrap();
    let events = subscribe(&mut master, "u", Some("m-0000"), 60.0);
    assert_eq!(
        events[0].error.as_ref().unwrap().message,
        "Framework has been removed"
    );
}

#[test]
fn a_framework_is_given_up_after_its_failover_timeout() {
    let mut master = master();
    subscribe(&mut master, "s", None, 60.0);
    master
        .step(
            Now::default(),
            Input::Closed {
                stream: "s".to_owned(),
            },
        )
        .unwrap();
    let at = |seconds| Now {
        elapsed: Duration::from_secs(seconds),
        ..Now::default()
    };
    master.step(at(59), Input::Tick).unwrap();
    assert_eq!(master.frameworks.len(), 1);
    master.step(at(60), Input::Tick).unwrap();
    assert_eq!((master.frameworks.len(), master.completed.len()), (0, 1));
}

#[test]
fn a_framework_of_one_role_sees_no_allocation_and_need_not_name_one() {
    let mut master = master();
    subscribe(&mut master, "of *", None, 60.0);
    let effects = join(&mut master, 1, 2.0);
    let offers = effects.iter().find_map(|effect| match effect {
        Effect::Event { event, .. } => event.offers.as_ref(),
        _ => None,
    });
    let [offer] = offers.unwrap().offers.as_slice() else {
        panic!("{effects:?}");
    };
    assert_eq!(offer.allocation_info, None);
    assert!(offer.resources.iter().all(|one| one.allocation_info.is_none()));
    // The master itself, and who asks it, know.
    let kept = &master.offers[&offer.id.value].shown;
    assert_eq!(kept.allocation_info.as_ref().unwrap().role(), "*");
    accept(&mut master, "m-0000", "*", 1.0, "t");
    let task = &master.frameworks["m-0000"].tasks["t"];
    assert_eq!(task.state(), TaskState::TaskStaging);
    assert_eq!(task.resources[0].allocation_info.as_ref().unwrap().role(), "*");
}

#[test]
fn what_no_registry_could_keep_is_refused() {
    let mut master = master();
    let message = ToMaster::Register(Box::new(AgentInfo {
        hostname: "h".repeat(1 << 20),
        ..agent(1.0)
    }));
    let effects = master.step(at(0), Input::Agent { link: 1, message }).unwrap();
    assert!(matches!(
        effects.as_slice(),
        [
            Effect::Agent {
                message: ToAgent::Refused { .. },
                ..
            },
            Effect::Unlink { .. }
        ]
    ));
    let info = WeightInfo {
        role: Some("r".repeat(1 << 20)),
        weight: 2.0,
    };
    let weights = Input::Operator(Command::Weights(vec![info]));
    assert!(matches!(master.step(at(0), weights), Err(Refused::Invalid(_))));
    assert!(master.agents.is_empty() && master.weights.is_empty());
}

#[test]
fn an_unknown_task_is_reconciled_as_lost() {
    let mut master = master();
    subscribe(&mut master, "s", None, 0.0);
    let effects = call(&mut master, Some("s"), |call| {
        call.r#type = Some(call::Type::Reconcile as i32);
        call.reconcile = Some(call::Reconcile {
            tasks: vec![call::reconcile::Task {
                task_id: TaskId {
                    value: "t".to_owned(),
                },
                agent_id: None,
            }],
        });
    })
    .unwrap();
    let [Effect::Event { event, .. }] = effects.as_slice() else {
        panic!("{effects:?}");
    };
    let status = &event.update.as_ref().unwrap().status;
    assert_eq!(status.state(), TaskState::TaskLost);
    assert_eq!(status.message(), "Reconciliation: Task is unknown");
    assert_eq!(status.uuid, None);
}

fn at(seconds: u64) -> Now {
    Now {
        elapsed: Duration::from_secs(seconds),
        wall: Duration::from_secs(1_000 + seconds),
    }
}

/// An agent of these CPUs behind a link, as it registers first.
fn agent(cpus: f64) -> AgentInfo {
    AgentInfo {
        hostname: "h".to_owned(),
        resources: vec![scalar("cpus", cpus), scalar("mem", cpus * 1024.0)],
        ..AgentInfo::default()
    }
}

fn join(master: &mut Master, link: Link, cpus: f64) -> Vec<Effect> {
    let message = ToMaster::Register(Box::new(agent(cpus)));
    master.step(at(0), Input::Agent { link, message }).unwrap()
}

/// Subscribes a framework of one role, which knows of partitions.
fn framework(master: &mut Master, role: &str) -> Vec<Effect> {
    let can = [capability::Type::MultiRole, capability::Type::PartitionAware];
    let info = FrameworkInfo {
        roles: vec![role.to_owned()],
        capabilities: can
            .map(|can| Capability {
                r#type: Some(can as i32),
            })
            .to_vec(),
        failover_timeout: Some(1e6),
        ..FrameworkInfo::default()
    };
    let subscribe = call::Subscribe {
        framework_info: info,
        ..call::Subscribe::default()
    };
    let call = Box::new(scheduler::Call {
        subscribe: Some(subscribe),
        ..scheduler::Call::default()
    });
    let stream = format!("of {role}");
    master.step(at(0), Input::Subscribe { stream, call }).unwrap()
}

/// CPUs on offer to a role, in thousandths.
fn offered(master: &Master, role: &str) -> i64 {
    let own = master.offers.values().filter(|offer| offer.role == role);
    own.map(|offer| offer.resources.scalar("cpus")).sum()
}

fn quota(role: &str, guarantee: Option<f64>, limit: Option<f64>) -> Input {
    let cpus = |value: Option<f64>| {
        let pair = value.map(|value| ("cpus".to_owned(), Scalar { value }));
        pair.into_iter().collect()
    };
    let config = QuotaConfig {
        role: role.to_owned(),
        guarantees: cpus(guarantee),
        limits: cpus(limit),
    };
    Input::Operator(Command::Quotas {
        configs: vec![config],
        force: true,
    })
}

fn accept(master: &mut Master, id: &str, role: &str, cpus: f64, task: &str) -> Vec<Effect> {
    let offers: Vec<OfferId> = master
        .offers
        .values()
        .filter(|offer| offer.role == role)
        .map(|offer| offer.shown.id.clone())
        .collect();
    let on = master.offers.values().find(|offer| offer.role == role).unwrap();
    let task = TaskInfo {
        task_id: TaskId {
            value: task.to_owned(),
        },
        agent_id: AgentId {
            value: on.agent.clone(),
        },
        resources: vec![scalar("cpus", cpus), scalar("mem", 32.0)],
        command: Some(CommandInfo::default()),
        ..TaskInfo::default()
    };
    let launch = Done {
        r#type: Some(operation::Type::Launch as i32),
        launch: Some(operation::Launch {
            task_infos: vec![task],
        }),
        ..Done::default()
    };
    let call = Box::new(scheduler::Call {
        framework_id: Some(FrameworkId { value: id.to_owned() }),
        r#type: Some(call::Type::Accept as i32),
        accept: Some(call::Accept {
            offer_ids: offers,
            operations: vec![launch],
            filters: Some(Filters {
                refuse_seconds: Some(0.0),
            }),
        }),
        ..scheduler::Call::default()
    });
    let stream = Some(format!("of {role}"));
    master.step(at(1), Input::Call { stream, call }).unwrap()
}

fn statuses(effects: &[Effect]) -> Vec<&TaskStatus> {
    let told = effects.iter().filter_map(|effect| match effect {
        Effect::Event { event, .. } => event.update.as_ref(),
        _ => None,
    });
    told.map(|update| &update.status).collect()
}

#[test]
fn a_role_of_twice_the_weight_is_offered_twice_as_much() {
    let mut master = master();
    let info = WeightInfo {
        role: Some("heavy".to_owned()),
        weight: 2.0,
    };
    master
        .step(at(0), Input::Operator(Command::Weights(vec![info])))
        .unwrap();
    for role in ["heavy", "light/a", "light/b"] {
        framework(&mut master, role);
    }
    (1..=6).for_each(|link| drop(join(&mut master, link, 1.0)));
    assert_eq!(offered(&master, "heavy"), 4_000);
    assert_eq!(
        (offered(&master, "light/a"), offered(&master, "light/b")),
        (1_000, 1_000)
    );
}

#[test]
fn what_is_promised_to_a_role_is_offered_to_no_other() {
    let mut master = master();
    master.step(at(0), quota("promised", Some(3.0), None)).unwrap();
    framework(&mut master, "other");
    join(&mut master, 1, 4.0);
    assert_eq!(offered(&master, "other"), 1_000);
    framework(&mut master, "promised");
    assert_eq!(
        (offered(&master, "promised"), offered(&master, "other")),
        (3_000, 1_000)
    );
}

#[test]
fn a_role_is_offered_no_more_than_its_limit() {
    let mut master = master();
    master.step(at(0), quota("eng", None, Some(1.5))).unwrap();
    framework(&mut master, "eng/a");
    join(&mut master, 1, 1.0);
    join(&mut master, 2, 4.0);
    assert_eq!(offered(&master, "eng/a"), 1_500);
    // A quota that is only removed is none.
    let remove = Command::RemoveQuota {
        role: "eng".to_owned(),
    };
    master.step(at(1), Input::Operator(remove)).unwrap();
    master.step(at(2), Input::Tick).unwrap();
    assert_eq!(offered(&master, "eng/a"), 5_000);
}

#[test]
fn an_agent_that_answers_no_pings_is_out_of_reach_until_it_comes_back() {
    let mut master = master();
    framework(&mut master, "r");
    join(&mut master, 1, 2.0);
    accept(&mut master, "m-0000", "r", 1.0, "t");
    let id = master.agents.keys().next().unwrap().clone();
    let mut told = Vec::new();
    let mut lost_after = 0;
    for second in 2..200 {
        let effects = master.step(at(second), Input::Tick).unwrap();
        if master.agents.is_empty() {
            (told, lost_after) = (effects, second);
            break;
        }
    }
    // Five pings without an answer, each of 15 seconds, and the time until the first one.
    assert_eq!(lost_after, 90);
    let status = statuses(&told)[0];
    assert_eq!(status.state(), TaskState::TaskUnreachable);
    assert_eq!(status.reason(), Reason::AgentRemoved);
    assert!(master.unreachable.contains_key(&id));

    let mut task = master.frameworks[0].unreachable_tasks["t"].clone();
    task.set_state(TaskState::TaskRunning);
    let mut info = agent(2.0);
    info.id = Some(AgentId { value: id.clone() });
    let back = Reregistration {
        total: info.resources.clone(),
        info,
        tasks: vec![task],
        ..Reregistration::default()
    };
    let message = ToMaster::Reregister(Box::new(back.clone()));
    let effects = master.step(at(300), Input::Agent { link: 2, message }).unwrap();
    let status = statuses(&effects)[0];
    assert_eq!(status.state(), TaskState::TaskRunning);
    assert_eq!(status.reason(), Reason::AgentReregistered);
    assert!(master.unreachable.is_empty());
    assert_eq!(offered(&master, "r"), 1_000, "what its task uses is not offered");

    // An agent that is gone does not come back.
    let gone = Command::MarkGone { agent: id };
    let effects = master.step(at(301), Input::Operator(gone)).unwrap();
    assert_eq!(statuses(&effects)[0].state(), TaskState::TaskGoneByOperator);
    let message = ToMaster::Reregister(Box::new(back));
    let effects = master.step(at(302), Input::Agent { link: 3, message }).unwrap();
    let refused = |effect: &Effect| {
        matches!(
            effect,
            Effect::Agent {
                message: ToAgent::Refused { .. },
                ..
            }
        )
    };
    assert!(effects.iter().any(refused), "{effects:?}");
    assert!(master.agents.is_empty());
}

/// An agent repeats itself until it is answered: what it says the second time is older than what it was told since.
#[test]
fn what_is_decided_of_an_agent_out_of_reach_is_stored_and_found_again() {
    let unreachable = vec![("a".to_owned(), Duration::ZERO, Kept::default())];
    let left = Registered {
        unreachable,
        ..Registered::default()
    };
    let start = |left| Master::new(at(0), MasterInfo::default(), Policy::default(), left);
    let mut first = start(left);
    first.deactivate("a").unwrap();
    let unreachable = first.effects.into_iter().filter_map(|effect| match effect {
        Effect::Store(Change::Unreachable { agent, since, kept }) => Some((agent, since, kept)),
        _ => None,
    });
    let left = Registered {
        unreachable: unreachable.collect(),
        ..Registered::default()
    };
    assert!(start(left).kept["a"].deactivated);
}

#[test]
fn an_operation_that_cannot_be_done_takes_no_offer_back() {
    let mut master = master();
    framework(&mut master, "r");
    join(&mut master, 1, 2.0);
    let id = master.agents.keys().next().unwrap().clone();
    let reserve = |cpus| {
        let mut wanted = scalar("cpus", cpus);
        wanted.reservations = vec![ReservationInfo {
            r#type: Some(reservation_info::Type::Dynamic as i32),
            role: Some("r".to_owned()),
            ..ReservationInfo::default()
        }];
        Done {
            r#type: Some(operation::Type::Reserve as i32),
            reserve: Some(operation::Reserve {
                resources: vec![wanted],
                ..operation::Reserve::default()
            }),
            ..Done::default()
        }
    };
    let refused = master.operate_on(&id, reserve(3.0));
    assert!(matches!(refused, Err(Refused::Conflict(_))), "{refused:?}");
    assert_eq!(master.offers.len(), 1);
    assert_eq!(master.operate_on(&id, reserve(2.0)), Ok(()));
    assert!(master.offers.is_empty());
}

#[test]
fn an_agent_that_introduces_itself_twice_loses_no_task() {
    let mut master = master();
    framework(&mut master, "r");
    join(&mut master, 1, 2.0);
    let mut info = agent(2.0);
    info.id = Some(AgentId {
        value: master.agents.keys().next().unwrap().clone(),
    });
    let again = || {
        let all = Reregistration {
            total: info.resources.clone(),
            info: info.clone(),
            ..Reregistration::default()
        };
        ToMaster::Reregister(Box::new(all))
    };
    let say = |master: &mut Master| {
        let input = Input::Agent {
            link: 2,
            message: again(),
        };
        master.step(at(1), input).unwrap()
    };
    say(&mut master);
    accept(&mut master, "m-0000", "r", 1.0, "t");
    assert!(statuses(&say(&mut master)).is_empty());
    assert!(master.frameworks[0].tasks.contains_key("t"));
}

#[test]
fn several_offers_are_taken_as_one() {
    let mut master = master();
    framework(&mut master, "r");
    join(&mut master, 1, 2.0);
    accept(&mut master, "m-0000", "r", 1.0, "first");
    master.step(at(2), Input::Tick).unwrap();
    let agent = master.agents.keys().next().unwrap().clone();
    let ended = TaskStatus {
        task_id: TaskId {
            value: "first".to_owned(),
        },
        state: TaskState::TaskFinished as i32,
        agent_id: Some(AgentId { value: agent }),
        uuid: Some(vec![1]),
        ..TaskStatus::default()
    };
    let message = ToMaster::Update {
        framework: "m-0000".to_owned(),
        status: Box::new(ended),
        latest: TaskState::TaskFinished,
    };
    master.step(at(3), Input::Agent { link: 1, message }).unwrap();
    master.step(at(4), Input::Tick).unwrap();
    assert_eq!(master.offers.len(), 2);
    let effects = accept(&mut master, "m-0000", "r", 2.0, "both");
    assert!(statuses(&effects).is_empty(), "{effects:?}");
    let runs = |effect: &Effect| {
        matches!(
            effect,
            Effect::Agent {
                message: ToAgent::Run { .. },
                ..
            }
        )
    };
    assert!(effects.iter().any(runs), "{effects:?}");
}

#[test]
fn why_a_framework_waits_is_known() {
    let mut master = master();
    framework(&mut master, "r");
    let why = |master: &Master| master.frameworks[0].waits["r"].why.to_string();
    assert_eq!(why(&master), "there are no agents");
    join(&mut master, 1, 2.0);
    assert_eq!(why(&master), "it is offered resources");
    let effects = accept(&mut master, "m-0000", "r", 9.0, "huge");
    let told = statuses(&effects)[0].message().to_owned();
    let refused = &master.frameworks[0].waits["r"].refused[0];
    assert_eq!((refused.task.as_str(), &refused.why), ("huge", &told));
    assert!(told.starts_with("Task uses more resources "), "{told}");
}
