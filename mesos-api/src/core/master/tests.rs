use super::*;
use mesos_proto::v1::{FrameworkId, FrameworkInfo, TaskId, TaskState};

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
