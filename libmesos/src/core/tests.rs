use super::{
    Core, Status,
    scheduler::{Callback, Scheduler, Subscription, acknowledgement},
};
use mesos_proto::v1::{
    AgentId, FrameworkId, FrameworkInfo, TaskId, TaskInfo, TaskState, TaskStatus,
    offer::{Operation, operation},
    scheduler::{
        Call, Event,
        call::{self, Type},
        event,
    },
};

fn driver(implicit_acknowledgements: bool) -> Scheduler {
    Scheduler::new(Subscription {
        framework: FrameworkInfo {
            user: "u".to_owned(),
            name: "n".to_owned(),
            ..FrameworkInfo::default()
        },
        implicit_acknowledgements,
        ..Subscription::default()
    })
}

fn subscribed() -> Event {
    Event {
        r#type: Some(event::Type::Subscribed as i32),
        subscribed: Some(event::Subscribed {
            framework_id: FrameworkId {
                value: "F".to_owned(),
            },
            ..event::Subscribed::default()
        }),
        ..Event::default()
    }
}

fn running(implicit_acknowledgements: bool) -> Scheduler {
    let mut driver = driver(implicit_acknowledgements);
    assert!(driver.start());
    assert!(matches!(
        driver.happened(subscribed(), "m:1"),
        Some(Callback::Registered(id, _)) if id.value == "F"
    ));
    driver
}

fn of(kind: Type) -> Call {
    Call {
        r#type: Some(kind as i32),
        ..Call::default()
    }
}

fn launch(task: &str) -> Call {
    let task = TaskInfo {
        task_id: TaskId {
            value: task.to_owned(),
        },
        agent_id: AgentId {
            value: "A".to_owned(),
        },
        ..TaskInfo::default()
    };
    Call {
        accept: Some(call::Accept {
            operations: vec![Operation {
                launch: Some(operation::Launch {
                    task_infos: vec![task],
                }),
                ..Operation::default()
            }],
            ..call::Accept::default()
        }),
        ..of(Type::Accept)
    }
}

#[test]
fn a_driver_starts_and_ends_once() {
    let mut one = driver(true);
    assert_eq!(one.status(), Status::NotStarted);
    assert_eq!(one.stop(false), (Status::NotStarted, None));
    assert_eq!(one.abort(), Status::NotStarted);
    assert!(one.start());
    assert!(!one.start());
    assert_eq!(one.abort(), Status::Aborted);
    assert_eq!(one.stop(false), (Status::Aborted, None));
    assert_eq!(one.status(), Status::Stopped);
}

#[test]
fn only_a_stop_without_failover_tears_the_framework_down() {
    let (status, call) = running(true).stop(false);
    let call = call.unwrap();
    assert_eq!(
        (status, call.r#type),
        (Status::Stopped, Some(Type::Teardown as i32))
    );
    assert_eq!(call.framework_id.unwrap().value, "F");
    assert_eq!(running(true).stop(true), (Status::Stopped, None));
}

#[test]
fn who_comes_back_is_reregistered_under_the_same_id() {
    let mut driver = running(true);
    assert_eq!(driver.disconnected(), Some(Callback::Disconnected));
    assert_eq!(driver.disconnected(), None);
    assert_eq!(driver.subscription().framework_id.unwrap().value, "F");
    let again = driver.happened(subscribed(), "m:1");
    assert!(matches!(again, Some(Callback::Reregistered(_))));
}

#[test]
fn a_launch_without_a_master_is_lost() {
    let mut driver = running(true);
    assert!(driver.ask(launch("t")).call.is_some());
    driver.disconnected();
    let asked = driver.ask(launch("t"));
    assert_eq!(asked.call, None);
    let [Callback::Status(status)] = &asked.callbacks[..] else {
        panic!("{asked:?}");
    };
    assert_eq!(
        (status.state, status.task_id.value.as_str()),
        (TaskState::TaskLost as i32, "t")
    );
    assert_eq!(driver.ask(of(Type::Revive)), super::scheduler::Asked::default());
}

#[test]
fn acknowledgements_go_out_as_asked_for() {
    let mut status = TaskStatus {
        agent_id: Some(AgentId {
            value: "A".to_owned(),
        }),
        ..TaskStatus::default()
    };
    assert_eq!(running(true).acknowledge(&status), None);
    status.uuid = Some(vec![1; 16]);
    assert!(running(true).acknowledge(&status).is_some());
    assert_eq!(running(false).acknowledge(&status), None);
    assert!(acknowledgement(&status).is_some());
    let mut stopped = running(true);
    stopped.abort();
    assert_eq!(stopped.acknowledge(&status), None);
}

#[test]
fn suppressed_roles_are_said_again() {
    let mut driver = running(true);
    driver.ask(of(Type::Suppress));
    assert_eq!(driver.subscription().subscribe.unwrap().suppressed_roles, ["*"]);
    driver.ask(Call {
        suppress: Some(call::Suppress {
            roles: vec!["a".to_owned()],
        }),
        ..of(Type::Suppress)
    });
    driver.ask(Call {
        revive: Some(call::Revive {
            roles: vec!["*".to_owned()],
        }),
        ..of(Type::Revive)
    });
    assert_eq!(driver.subscription().subscribe.unwrap().suppressed_roles, ["a"]);
    driver.ask(of(Type::Revive));
    assert!(
        driver
            .subscription()
            .subscribe
            .unwrap()
            .suppressed_roles
            .is_empty()
    );
}

#[test]
fn an_error_aborts() {
    let mut driver = running(true);
    let event = Event {
        r#type: Some(event::Type::Error as i32),
        error: Some(event::Error {
            message: "gone".to_owned(),
        }),
        ..Event::default()
    };
    let told = driver.happened(event, "m:1");
    assert_eq!(told, Some(Callback::Error("gone".to_owned())));
    assert_eq!(driver.status(), Status::Aborted);
    assert_eq!(driver.happened(subscribed(), "m:1"), None);
}

/// A framework that speaks for itself.
mod library {
    use super::*;
    use crate::core::library::{Callback, Dropped, Library};
    use crate::core::{Core, Refusal};
    use prost::Message;

    fn subscribe(id: Option<&str>) -> Call {
        let id = id.map(|id| FrameworkId { value: id.to_owned() });
        Call {
            framework_id: id.clone(),
            subscribe: Some(call::Subscribe {
                framework_info: FrameworkInfo {
                    name: "its own".to_owned(),
                    id,
                    ..FrameworkInfo::default()
                },
                ..call::Subscribe::default()
            }),
            ..of(Type::Subscribe)
        }
    }

    fn framed(kind: Type) -> Call {
        Call {
            framework_id: Some(FrameworkId {
                value: "F".to_owned(),
            }),
            ..of(kind)
        }
    }

    fn connected(driver_of: Option<FrameworkInfo>) -> Library {
        let mut library = Library::new(driver_of);
        assert!(library.start());
        assert_eq!(library.connected(), Some(Callback::Connected));
        library
    }

    fn subscribed_as(driver_of: Option<FrameworkInfo>) -> Library {
        let mut library = connected(driver_of);
        assert_eq!(library.send(subscribe(None)), Ok(None));
        assert!(library.subscribe().is_some());
        let told = library.received(&subscribed().encode_to_vec(), "m:1").unwrap();
        assert!(matches!(&told.callbacks[..], [Callback::Received(_)]));
        library
    }

    #[test]
    fn calls_are_sent_when_their_time_has_come() {
        let mut library = connected(None);
        assert_eq!(library.subscribe(), None);
        assert_eq!(
            library.send(framed(Type::Revive)),
            Err(Dropped::State("CONNECTED"))
        );
        assert_eq!(library.send(subscribe(None)), Ok(None));
        assert_eq!(library.send(subscribe(None)), Err(Dropped::State("SUBSCRIBING")));
        let mut library = subscribed_as(None);
        assert!(matches!(library.send(framed(Type::Revive)), Ok(Some(_))));
        assert_eq!(library.send(subscribe(None)), Err(Dropped::State("SUBSCRIBED")));
        assert_eq!(library.disconnected(), Some(Callback::Disconnected));
        assert_eq!(library.disconnected(), None);
        assert_eq!(
            library.send(framed(Type::Revive)),
            Err(Dropped::State("DISCONNECTED"))
        );
    }

    #[test]
    fn what_is_not_whole_is_not_sent() {
        let mut library = subscribed_as(None);
        let missing = |name: &str| Err(Dropped::Missing(name.to_owned()));
        assert_eq!(library.send(Call::default()), Err(Dropped::Untyped));
        assert_eq!(library.send(of(Type::Revive)), missing("framework_id"));
        assert_eq!(library.send(framed(Type::Accept)), missing("accept"));
        assert_eq!(library.send(of(Type::Subscribe)), missing("subscribe"));
        let mut other = subscribe(Some("F"));
        other.framework_id = None;
        assert_eq!(library.send(other), Err(Dropped::OtherFramework));
    }

    #[test]
    fn what_is_refused_is_told_as_an_event() {
        let mut library = subscribed_as(None);
        let why = Refusal {
            status: "400 Bad Request".to_owned(),
            text: "no".to_owned(),
        };
        let told = library.call_refused(&framed(Type::Accept).encode_to_vec(), why.clone());
        let expected = "Received unexpected '400 Bad Request' (no) for ACCEPT";
        assert_eq!(told, Some(Library::error(expected.to_owned())));
        assert!(library.subscription_refused(why).is_some());
        assert!(library.runs());
    }

    #[test]
    fn one_that_is_made_for_a_framework_is_a_driver_of_it() {
        let mine = FrameworkInfo {
            name: "mine".to_owned(),
            ..FrameworkInfo::default()
        };
        let mut library = subscribed_as(Some(mine));
        library.disconnected();
        library.connected();
        assert_eq!(library.send(subscribe(None)), Ok(None));
        let again = Call::decode(&library.subscribe().unwrap()[..]).unwrap();
        assert_eq!(again.framework_id.unwrap().value, "F");
        assert_eq!(again.subscribe.unwrap().framework_info.name, "mine");
        library.received(&subscribed().encode_to_vec(), "m:1").unwrap();
        let shutdown = Call {
            shutdown: Some(call::Shutdown::default()),
            ..framed(Type::Shutdown)
        };
        assert_eq!(library.send(shutdown), Err(Dropped::Unexpected("SHUTDOWN")));
        assert!(matches!(library.send(framed(Type::Teardown)), Ok(Some(_))));
        assert_eq!(library.status(), Status::Stopped);
    }
}
