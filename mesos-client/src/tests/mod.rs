mod hostile;
mod server;

use crate::*;
use mesos_proto::v1::{
    FrameworkId, FrameworkInfo, TaskId,
    master::{self, Response, response},
    scheduler::{self, Call, call, event},
};
use proptest::prelude::*;
use prost::Message;
use server::{Said, Server};
use server_kit::{Random, SystemClock};
use std::{sync::Arc, time::Duration};
use tokio::{sync::mpsc, time::timeout};
use tokio_util::sync::CancellationToken;

fn master(at: &str) -> Master {
    Master::new(at, SystemClock::new(), Arc::new(Random::from_seed(7))).unwrap()
}

async fn next<T>(told: &mut mpsc::Receiver<T>) -> T {
    let told = timeout(Duration::from_secs(20), told.recv()).await;
    told.expect("something happens in time")
        .expect("the stream goes on")
}

fn subscribed(id: &str, heartbeat: f64) -> scheduler::Event {
    scheduler::Event {
        r#type: Some(event::Type::Subscribed as i32),
        subscribed: Some(event::Subscribed {
            framework_id: FrameworkId { value: id.to_owned() },
            heartbeat_interval_seconds: Some(heartbeat),
            master_info: None,
        }),
        ..scheduler::Event::default()
    }
}

fn heartbeat() -> scheduler::Event {
    scheduler::Event {
        r#type: Some(event::Type::Heartbeat as i32),
        ..scheduler::Event::default()
    }
}

fn rescinded() -> scheduler::Event {
    scheduler::Event {
        r#type: Some(event::Type::Rescind as i32),
        ..scheduler::Event::default()
    }
}

fn kill(task: &str) -> Call {
    Call {
        r#type: Some(call::Type::Kill as i32),
        kill: Some(call::Kill {
            task_id: TaskId {
                value: task.to_owned(),
            },
            ..call::Kill::default()
        }),
        ..Call::default()
    }
}

#[tokio::test]
async fn who_leads_is_asked_once_and_remembered() {
    let leader = Server::start().await;
    leader.answers("/version", 200, b"{}");
    let standby = Server::start().await;
    standby.sends_to(leader.address());
    let master = master(&format!("http://{}/", standby.address()));
    for _ in 0..3 {
        assert_eq!(&master.get("/version").await.unwrap()[..], b"{}");
    }
    assert_eq!(standby.asked().len(), 1);
    assert_eq!(leader.asked().len(), 3);
    // Its connection is kept, since nothing was wrong with it.
    assert_eq!(leader.connections(), 1);
    let missing = master.get("/nothing").await;
    assert!(
        matches!(missing, Err(ClientError::Answered(404, _))),
        "{missing:?}"
    );
}

#[tokio::test]
async fn masters_that_name_each_other_lead_nowhere() {
    let (one, other) = (Server::start().await, Server::start().await);
    one.sends_to(other.address());
    other.sends_to(one.address());
    let asked = master(&one.address()).get("/version").await;
    assert!(matches!(asked, Err(ClientError::NoLeader)), "{asked:?}");
}

#[tokio::test]
async fn of_several_masters_the_next_one_is_asked() {
    let server = Server::start().await;
    server.answers("/version", 200, b"{}");
    let master = master(&format!("127.0.0.1:1, http://{}/", server.address()));
    let away = master.get("/version").await;
    assert!(matches!(away, Err(ClientError::Unreachable(..))), "{away:?}");
    assert_eq!(&master.get("/version").await.unwrap()[..], b"{}");
}

#[tokio::test]
async fn operators_ask_in_protobuf() {
    let server = Server::start().await;
    let health = Response {
        r#type: Some(response::Type::GetHealth as i32),
        get_health: Some(response::GetHealth { healthy: true }),
        ..Response::default()
    };
    server.answers("/api/v1", 200, &health.encode_to_vec());
    let call = master::Call {
        r#type: Some(master::call::Type::GetHealth as i32),
        ..master::Call::default()
    };
    let master = master(&server.address());
    assert_eq!(master.operator(call.clone()).await.unwrap(), health);
    assert_eq!(server.asked()[0].message, call.encode_to_vec());
    server.answers("/api/v1", 200, b"\xff\xff\xff");
    let answered = master.operator(call).await;
    assert!(matches!(answered, Err(ClientError::Malformed(_))), "{answered:?}");
}

#[tokio::test]
async fn a_framework_comes_back_by_its_id() {
    let server = Server::start().await;
    let stop = CancellationToken::new();
    let (framework, mut told) =
        Framework::start(master(&server.address()), FrameworkInfo::default(), stop.clone());
    let unheard = framework.call(kill("early")).await;
    assert!(matches!(unheard, Err(ClientError::NotSubscribed)), "{unheard:?}");

    let mut stream = server.stream().await;
    stream.say(&subscribed("f-1", 15.0)).await;
    let Happened::Subscribed { framework_id, .. } = next(&mut told).await else {
        panic!("it is not told that it is subscribed");
    };
    assert_eq!(framework_id.value, "f-1");
    stream.say(&heartbeat()).await;
    stream.say(&rescinded()).await;
    assert_eq!(next(&mut told).await, Happened::Event(rescinded()));

    framework.call(kill("t")).await.unwrap();
    framework.call(kill("u")).await.unwrap();
    let calls = server.calls();
    let [one, two] = &calls[..] else {
        panic!("two calls, not {}", calls.len());
    };
    for (said, task) in [(one, "t"), (two, "u")] {
        assert_eq!(said.stream_id.as_deref(), Some(stream.id.as_str()));
        let call = Call::decode(&said.message[..]).unwrap();
        assert_eq!(call.framework_id.unwrap().value, "f-1");
        assert_eq!(call.kill.unwrap().task_id.value, task);
    }

    drop(stream);
    assert_eq!(next(&mut told).await, Happened::Disconnected);
    let mut stream = server.stream().await;
    let Said { message, .. } = server.asked().pop().unwrap();
    let subscribe = Call::decode(&message[..]).unwrap();
    assert_eq!(subscribe.framework_id.unwrap().value, "f-1");
    assert_eq!(
        subscribe.subscribe.unwrap().framework_info.id.unwrap().value,
        "f-1"
    );
    stream.say(&subscribed("f-1", 15.0)).await;
    assert!(matches!(next(&mut told).await, Happened::Subscribed { .. }));

    stop.cancel();
    assert_eq!(timeout(Duration::from_secs(5), told.recv()).await.unwrap(), None);
    let stopped = framework.call(kill("late")).await;
    assert!(matches!(stopped, Err(ClientError::NotSubscribed)), "{stopped:?}");
}

#[tokio::test]
async fn a_refused_call_leaves_the_stream_and_one_without_an_answer_ends_it() {
    let server = Server::start().await;
    let stop = CancellationToken::new();
    let (framework, mut told) =
        Framework::start(master(&server.address()), FrameworkInfo::default(), stop.clone());
    let mut stream = server.stream().await;
    stream.say(&subscribed("f", 15.0)).await;
    next(&mut told).await;
    server.refuses_calls("Failed to validate");
    match framework.call(kill("t")).await {
        Err(ClientError::Answered(400, why)) => assert_eq!(why, "Failed to validate"),
        other => panic!("{other:?}"),
    }
    stream.say(&rescinded()).await;
    assert_eq!(next(&mut told).await, Happened::Event(rescinded()));
    server.breaks_calls();
    let broken = framework.call(kill("t")).await;
    assert!(matches!(broken, Err(ClientError::Answered(503, _))), "{broken:?}");
    assert_eq!(next(&mut told).await, Happened::Disconnected);
    stop.cancel();
}

#[tokio::test]
async fn what_a_master_does_not_want_ends() {
    let server = Server::start().await;
    server.refuses_streams("Framework 'f' is not authorized");
    let start = || {
        let info = FrameworkInfo::default();
        Framework::start(master(&server.address()), info, CancellationToken::new())
    };
    let (_, mut told) = start();
    let refused = Happened::Refused("Framework 'f' is not authorized".to_owned());
    assert_eq!(next(&mut told).await, refused);
    assert_eq!(told.recv().await, None);

    server.takes_streams();
    let (_framework, mut told) = start();
    let mut stream = server.stream().await;
    stream.say(&subscribed("f", 15.0)).await;
    next(&mut told).await;
    let mut removed = rescinded();
    removed.r#type = Some(event::Type::Error as i32);
    removed.error = Some(event::Error {
        message: "Framework has been removed".to_owned(),
    });
    stream.say(&removed).await;
    let refused = Happened::Refused("Framework has been removed".to_owned());
    assert_eq!(next(&mut told).await, refused);
    assert_eq!(told.recv().await, None);
}

#[tokio::test]
async fn a_master_that_falls_silent_is_left() {
    let server = Server::start().await;
    let stop = CancellationToken::new();
    let info = FrameworkInfo::default();
    let (_framework, mut told) = Framework::start(master(&server.address()), info, stop.clone());
    let mut stream = server.stream().await;
    // Five heartbeats may be missed, which is a second here.
    stream.say(&subscribed("f", 0.2)).await;
    next(&mut told).await;
    assert_eq!(next(&mut told).await, Happened::Disconnected);
    stop.cancel();
}

#[tokio::test]
async fn operators_hear_what_happens_and_that_they_do_not() {
    let server = Server::start().await;
    let stop = CancellationToken::new();
    let mut told = master(&server.address()).operator_events(stop.clone());
    let event = |kind: master::event::Type| master::Event {
        r#type: Some(kind as i32),
        ..master::Event::default()
    };
    let mut first = event(master::event::Type::Subscribed);
    first.subscribed = Some(master::event::Subscribed::default());
    for _ in 0..2 {
        let mut stream = server.stream().await;
        stream.say(&first).await;
        stream.say(&event(master::event::Type::Heartbeat)).await;
        stream.say(&event(master::event::Type::AgentRemoved)).await;
        assert_eq!(next(&mut told).await, OperatorEvent::Up(first.clone()));
        let removed = OperatorEvent::Up(event(master::event::Type::AgentRemoved));
        assert_eq!(next(&mut told).await, removed);
        drop(stream);
        assert_eq!(next(&mut told).await, OperatorEvent::Down);
    }
    stop.cancel();
    assert_eq!(timeout(Duration::from_secs(5), told.recv()).await.unwrap(), None);
}

#[test]
fn names_of_masters_are_read_as_they_are_given() {
    let named = |name| Master::new(name, SystemClock::new(), Arc::new(Random::from_seed(1)));
    for name in ["h:5050", "http://h:5050", "http://h:5050/", " h:5050 "] {
        let leader = named(name).unwrap().leader().unwrap();
        assert_eq!(leader.to_string(), "h:5050", "{name}");
    }
    for name in [
        "",
        "https://h:5050",
        "http://h:5050/path",
        "zk://h",
        "h",
        "h:1,",
        "h:1,zk://h/m",
    ] {
        assert!(named(name).is_err(), "{name}");
    }
}

proptest! {
    #[test]
    fn pauses_grow_to_a_bound_and_differ(seed: u64) {
        let random = Random::from_seed(seed);
        let mut backoff = crate::backoff::Backoff::new();
        let mut most = Duration::from_millis(100);
        for _ in 0..12 {
            let pause = backoff.next_pause(&random);
            prop_assert!(pause >= most / 2 && pause <= most, "{:?} of {:?}", pause, most);
            most = (most * 2).min(Duration::from_secs(10));
        }
        backoff.reset();
        prop_assert!(backoff.next_pause(&random) <= Duration::from_millis(100));
    }
}
