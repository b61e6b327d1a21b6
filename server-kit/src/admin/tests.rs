use super::{Admin, HttpLimits, LIMITS, Ready, Registry};
use crate::Listener;
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

async fn admin(limits: HttpLimits) -> (SocketAddr, CancellationToken) {
    let stop = CancellationToken::new();
    let (registry, ready) = (Registry::default(), Ready::default());
    let listener = Listener::bind("127.0.0.1:0", false, None).await.unwrap();
    let admin = Admin::limited(listener, registry, ready, Vec::new(), limits, stop.clone());
    (admin.address(), stop)
}

async fn ask(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    all_of(&mut stream).await
}

async fn all_of(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text).await;
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn one_request_is_answered_and_the_connection_closed() {
    let (address, _stop) = admin(LIMITS).await;
    let answer = ask(address, b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nok\n"), "{answer}");
    let twice = b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2);
    let answer = ask(address, &twice).await;
    assert_eq!(answer.matches("HTTP/1.1 503").count(), 1, "{answer}");
}

#[tokio::test]
async fn a_request_has_a_greatest_length() {
    let (address, _stop) = admin(LIMITS).await;
    let long = format!(
        "GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n",
        "a".repeat(2 * LIMITS.head_bytes_max)
    );
    let answer = ask(address, long.as_bytes()).await;
    assert!(!answer.contains("200 OK"), "{answer}");
}

#[tokio::test]
async fn peers_that_stop_in_the_middle_give_their_seats_back() {
    let limits = HttpLimits {
        connections_max: 4,
        answer_time_max: Some(Duration::from_millis(300)),
        ..LIMITS
    };
    let (address, _stop) = admin(limits).await;
    let mut silent = Vec::new();
    for number in 0..2 * limits.connections_max {
        let mut stream = TcpStream::connect(address).await.unwrap();
        if number % 2 == 0 {
            stream.write_all(b"GET /metrics HTTP/1.1\r\n").await.unwrap();
        }
        silent.push(stream);
    }
    let served = async {
        for mut stream in silent {
            assert_eq!(all_of(&mut stream).await, "");
        }
        // On a busy machine the time may be over before the answer is there.
        while !ask(address, b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            .await
            .ends_with("ok\n")
        {}
    };
    timeout(Duration::from_secs(60), served).await.unwrap();
}
