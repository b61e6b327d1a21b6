use super::{Driver, Listener, Thrown};
use crate::core::scheduler::{Callback, Scheduler, Subscription};
use mesos_proto::v1::{
    FrameworkId,
    scheduler::{
        Call, Event,
        call::Type,
        event::{self, Subscribed},
    },
};
use prost::Message;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(60);

/// Tells the test what the framework is told.
struct Tells(SyncSender<Callback>);

impl Listener<Callback> for Tells {
    fn tell(&self, callback: Callback) -> Result<(), Thrown> {
        self.0.send(callback).map_err(|_| Thrown)
    }
}

/// A master that takes connections when the test wants one.
struct Master(TcpListener);

impl Master {
    fn start() -> Self {
        Master(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    /// The next connection, and the call that comes over it.
    fn called(&self) -> (TcpStream, Call) {
        let (stream, _) = self.0.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap());
        let mut length = 0;
        loop {
            let mut line = String::new();
            lines.read_line(&mut line).unwrap();
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        lines.read_exact(&mut body).unwrap();
        (stream, Call::decode(&body[..]).unwrap())
    }

    /// Takes a subscription.
    fn subscribed(&self) -> TcpStream {
        let (mut stream, call) = self.called();
        assert_eq!(call.r#type, Some(Type::Subscribe as i32));
        let event = Event {
            r#type: Some(event::Type::Subscribed as i32),
            subscribed: Some(Subscribed {
                framework_id: FrameworkId {
                    value: "F".to_owned(),
                },
                ..Subscribed::default()
            }),
            ..Event::default()
        };
        let event = event.encode_to_vec();
        let head = "HTTP/1.1 200 OK\r\nMesos-Stream-Id: s\r\n\r\n";
        writeln!(stream, "{head}{}", event.len()).unwrap();
        stream.write_all(&event).unwrap();
        stream
    }

    fn driver(&self) -> (Arc<Driver<Scheduler>>, Receiver<Callback>) {
        let (tells, told) = sync_channel(16);
        let driver = Driver::of_scheduler(Subscription::default(), None, Box::new(Tells(tells))).unwrap();
        driver.start(&self.0.local_addr().unwrap().to_string());
        (driver, told)
    }
}

fn revive() -> Call {
    Call {
        r#type: Some(Type::Revive as i32),
        ..Call::default()
    }
}

#[test]
fn a_call_without_an_answer_ends_the_stream_and_begins_another() {
    let master = Master::start();
    let (driver, told) = master.driver();
    let _first = master.subscribed();
    assert!(matches!(
        told.recv_timeout(PATIENCE),
        Ok(Callback::Registered(..))
    ));
    driver.ask(revive());
    let (unanswered, call) = master.called();
    assert_eq!(call.r#type, Some(Type::Revive as i32));
    drop(unanswered);
    assert_eq!(told.recv_timeout(PATIENCE), Ok(Callback::Disconnected));
    let _second = master.subscribed();
    assert!(matches!(
        told.recv_timeout(PATIENCE),
        Ok(Callback::Reregistered(..))
    ));
    driver.stop(true);
}

#[test]
fn a_call_that_is_refused_changes_nothing() {
    let master = Master::start();
    let (driver, told) = master.driver();
    let _stream = master.subscribed();
    assert!(matches!(
        told.recv_timeout(PATIENCE),
        Ok(Callback::Registered(..))
    ));
    driver.ask(revive());
    let (mut refused, _) = master.called();
    write!(
        refused,
        "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno"
    )
    .unwrap();
    driver.ask(revive());
    let (mut accepted, call) = master.called();
    assert_eq!(call.r#type, Some(Type::Revive as i32));
    write!(accepted, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n").unwrap();
    assert!(told.try_recv().is_err());
    driver.stop(true);
}
