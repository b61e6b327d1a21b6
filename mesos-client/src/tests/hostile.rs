//! Servers that mean no good.

use super::{master, next, server::Server};
use crate::{
    ClientError, OperatorEvent,
    http::{self, Ask, Connection},
};
use bytes::Bytes;
use mesos_proto::{
    masters::Address,
    v1::master::{Event, event},
};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// Takes what it is sent, says `first`, then `more` for as long as somebody listens.
async fn says(first: &'static str, more: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut asked = [0; 1024];
                let _ = socket.read(&mut asked).await;
                let mut says = first;
                while socket.write_all(says.as_bytes()).await.is_ok() && !more.is_empty() {
                    says = more;
                }
            });
        }
    });
    address
}

async fn get(address: &str) -> Result<Bytes, ClientError> {
    let master = master(address);
    let answer = timeout(Duration::from_secs(20), master.get("/state")).await;
    answer.expect("it is given up in time")
}

#[tokio::test]
async fn a_head_without_an_end_is_given_up() {
    let line = "X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n";
    let answer = get(&says("HTTP/1.1 200 OK\r\n", line).await).await;
    assert!(matches!(answer, Err(ClientError::Unreachable(..))), "{answer:?}");
}

#[tokio::test]
async fn what_is_no_http_is_given_up() {
    for nonsense in ["SSH-2.0-OpenSSH\r\n", "\0\0\0\0", "HTTP/1.1 999999 x\r\n\r\n"] {
        let answer = get(&says(nonsense, "").await).await;
        assert!(
            matches!(answer, Err(ClientError::Unreachable(..))),
            "{nonsense:?} {answer:?}"
        );
    }
}

#[tokio::test]
async fn a_length_is_not_believed() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 1000000000000000\r\n\r\nshort";
    let answer = get(&says(head, "").await).await;
    assert!(matches!(answer, Err(ClientError::Unreachable(..))), "{answer:?}");
}

#[tokio::test]
async fn a_body_without_an_end_is_given_up() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let address = Address::parse(&says(head, "8\r\naaaaaaaa\r\n").await).unwrap();
    let mut connection = Connection::open(&address).await.unwrap();
    let response = connection.ask(&Ask::get("/state")).await.unwrap().unwrap();
    let read = http::all(&address, response, 1 << 20).await;
    assert!(matches!(read, Err(ClientError::TooLarge(_))), "{read:?}");
}

#[tokio::test]
async fn a_refusal_without_an_end_is_cut() {
    let head = "HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n";
    let answer = get(&says(head, "8\r\naaaaaaaa\r\n").await).await;
    assert!(matches!(answer, Err(ClientError::Answered(500, _))), "{answer:?}");
}

#[tokio::test]
async fn a_redirect_to_nowhere_is_an_answer() {
    for location in [
        "",
        "Location: /elsewhere\r\n",
        "Location: //[::\r\n",
        "Location: //h:99999/\r\n",
    ] {
        let head = format!("HTTP/1.1 307 x\r\n{location}Content-Length: 0\r\n\r\n");
        let answer = get(&says(Box::leak(head.into_boxed_str()), "").await).await;
        assert!(
            matches!(answer, Err(ClientError::Answered(307, _))),
            "{location:?} {answer:?}"
        );
    }
}

#[tokio::test]
async fn records_that_are_none_end_the_stream_alone() {
    let server = Server::start().await;
    let stop = CancellationToken::new();
    let mut told = master(&server.address()).operator_events(stop.clone());
    let mut first = Event {
        r#type: Some(event::Type::Subscribed as i32),
        ..Event::default()
    };
    first.subscribed = Some(event::Subscribed::default());
    for nonsense in [
        "18446744073709551615\n",
        "12x",
        "99999999999999999999999",
        "3\n\u{ff}\u{ff}",
    ] {
        let mut stream = server.stream().await;
        stream.say(&first).await;
        stream.say_bytes(Bytes::from_static(nonsense.as_bytes())).await;
        assert_eq!(
            next(&mut told).await,
            OperatorEvent::Up(first.clone()),
            "{nonsense:?}"
        );
        assert_eq!(next(&mut told).await, OperatorEvent::Down, "{nonsense:?}");
    }
    stop.cancel();
}
