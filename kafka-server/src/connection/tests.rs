use super::Buffers;
use crate::{Config, Kafka, Limits};
use server_kit::{Random, Registry, SystemClock};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

struct House {
    kafka: Kafka,
    registry: Registry,
    stop: CancellationToken,
}

impl House {
    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        config.listeners[0].bind = "127.0.0.1:0".to_owned();
        change(&mut config);
        let (mut registry, stop) = (Registry::default(), CancellationToken::new());
        let random = Arc::new(Random::from_seed(1));
        let shard = storage::memory::shard();
        let started = Kafka::start(
            config,
            shard,
            SystemClock::new(),
            random,
            &mut registry,
            stop.clone(),
        )
        .await;
        House {
            kafka: started.unwrap(),
            registry,
            stop,
        }
    }

    async fn limited(change: impl FnOnce(&mut Limits)) -> Self {
        Self::with(|config| change(&mut config.limits)).await
    }

    fn address(&self) -> SocketAddr {
        self.kafka.addresses()[0]
    }

    async fn client(&self) -> TcpStream {
        TcpStream::connect(self.address()).await.unwrap()
    }

    fn counted(&self, name: &str) -> u64 {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).unwrap();
        let line = text.lines().find(|line| line.starts_with(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("{name} in {text}"))
            .rsplit(' ')
            .next()
            .unwrap()
            .parse()
            .unwrap()
    }

    async fn until_open(&self, connections: u64) {
        let reached = async {
            while self.counted("smack_kafka_connections") != connections {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(10), reached).await.unwrap();
    }
}

/// A frame of API `key`, with a body.
fn frame(key: i16, version: i16, correlation_id: i32, body: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    frame.extend_from_slice(&(10 + body.len() as i32).to_be_bytes());
    frame.extend_from_slice(&key.to_be_bytes());
    frame.extend_from_slice(&version.to_be_bytes());
    frame.extend_from_slice(&correlation_id.to_be_bytes());
    frame.extend_from_slice(&(-1i16).to_be_bytes());
    frame.extend_from_slice(body);
    frame
}

fn api_versions(correlation_id: i32) -> Vec<u8> {
    frame(18, 0, correlation_id, &[])
}

/// The correlation id of the next answer.
async fn answer(client: &mut TcpStream) -> i32 {
    let read = async {
        let length = client.read_i32().await.unwrap();
        let mut body = vec![0; length as usize];
        client.read_exact(&mut body).await.unwrap();
        i32::from_be_bytes(*body.first_chunk().unwrap())
    };
    timeout(Duration::from_secs(10), read).await.unwrap()
}

async fn is_closed(client: &mut TcpStream) -> bool {
    let read = timeout(Duration::from_secs(10), client.read(&mut [0; 64]))
        .await
        .unwrap();
    !matches!(read, Ok(1..))
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let house = House::with(|_| {}).await;
    let mut client = house.client().await;
    let requests: Vec<u8> = (0..500).flat_map(api_versions).collect();
    client.write_all(&requests).await.unwrap();
    for id in 0..500 {
        assert_eq!(answer(&mut client).await, id);
    }
}

#[tokio::test]
async fn a_request_may_arrive_byte_by_byte() {
    let house = House::with(|_| {}).await;
    let mut client = house.client().await;
    for byte in api_versions(7) {
        client.write_all(&[byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(answer(&mut client).await, 7);
}

#[tokio::test]
async fn hostile_bytes_close_their_connection_alone() {
    let house = House::limited(|limits| limits.request_bytes_max = 1 << 20).await;
    let mut other = house.client().await;
    let mut hostile: Vec<Vec<u8>> = vec![
        (-1i32).to_be_bytes().to_vec(),
        0i32.to_be_bytes().to_vec(),
        i32::MAX.to_be_bytes().to_vec(),
        i32::MIN.to_be_bytes().to_vec(),
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        frame(12345, 0, 1, &[]),
        frame(3, 99, 1, &[]),
        frame(3, 12, 1, &[0xff; 32]),
    ];
    let random = Random::from_seed(7);
    for length in 1..64i32 {
        let mut bytes = length.to_be_bytes().to_vec();
        bytes.extend((0..length).map(|_| random.below(256) as u8));
        bytes[4] |= 0x40; // no API has such a key
        hostile.push(bytes);
    }
    for (id, bytes) in hostile.into_iter().enumerate() {
        let mut client = house.client().await;
        client.write_all(&bytes).await.unwrap();
        assert!(is_closed(&mut client).await, "{bytes:?}");
        other.write_all(&api_versions(id as i32)).await.unwrap();
        assert_eq!(answer(&mut other).await, id as i32);
    }
    house.until_open(1).await;
}

#[tokio::test]
async fn what_came_before_a_wrong_request_is_answered() {
    let house = House::with(|_| {}).await;
    let mut client = house.client().await;
    let mut bytes = api_versions(1);
    bytes.extend((-5i32).to_be_bytes());
    client.write_all(&bytes).await.unwrap();
    assert_eq!(answer(&mut client).await, 1);
    assert!(is_closed(&mut client).await);
}

#[tokio::test]
async fn a_peer_that_leaves_within_a_frame_is_forgotten() {
    let house = House::with(|_| {}).await;
    let mut client = house.client().await;
    client.write_all(&api_versions(1)[..9]).await.unwrap();
    house.until_open(1).await;
    drop(client);
    house.until_open(0).await;
    assert_eq!(house.counted("smack_kafka_connections_broken_total"), 1);
}

#[tokio::test]
async fn connections_are_limited_by_address() {
    let house = House::limited(|limits| limits.connections_per_ip_max = 2).await;
    let mut first = house.client().await;
    let _second = house.client().await;
    house.until_open(2).await;
    assert!(is_closed(&mut house.client().await).await);
    first.write_all(&api_versions(1)).await.unwrap();
    assert_eq!(answer(&mut first).await, 1);
    drop(first);
    house.until_open(1).await;
    let mut third = house.client().await;
    third.write_all(&api_versions(2)).await.unwrap();
    assert_eq!(answer(&mut third).await, 2);
}

#[tokio::test]
async fn who_comes_when_all_seats_are_taken_waits_for_one() {
    let house = House::limited(|limits| limits.connections_max = 1).await;
    let mut first = house.client().await;
    house.until_open(1).await;
    let mut second = house.client().await;
    second.write_all(&api_versions(2)).await.unwrap();
    first.write_all(&api_versions(1)).await.unwrap();
    assert_eq!(answer(&mut first).await, 1);
    let early = timeout(Duration::from_millis(100), second.read_u8()).await;
    assert!(early.is_err(), "answered, or closed: {early:?}");
    drop(first);
    assert_eq!(answer(&mut second).await, 2);
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let house = House::limited(|limits| limits.connections_idle_max = Some(Duration::from_secs(1))).await;
    let mut client = house.client().await;
    client.write_all(&api_versions(1)).await.unwrap();
    assert_eq!(answer(&mut client).await, 1);
    assert!(is_closed(&mut client).await);
}

#[tokio::test]
async fn a_client_that_takes_no_answer_is_closed() {
    let house = House::limited(|limits| limits.write_stall_max = Duration::from_secs(1)).await;
    let client = house.client().await;
    let requests: Vec<u8> = (0..1000).flat_map(api_versions).collect();
    // The client never reads: sooner or later the server takes no more, and then gives up.
    while client.writable().await.is_ok() {
        match client.try_write(&requests) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                if house.counted("smack_kafka_connections") == 0 {
                    break;
                }
                sleep(Duration::from_millis(20)).await;
            }
            Err(_) => break,
            Ok(_) => {}
        }
    }
    house.until_open(0).await;
}

#[tokio::test]
async fn a_stop_answers_what_was_taken() {
    let house = House::with(|_| {}).await;
    let (mut busy, mut idle) = (house.client().await, house.client().await);
    house.until_open(2).await;
    busy.write_all(&api_versions(1)).await.unwrap();
    assert_eq!(answer(&mut busy).await, 1);
    house.stop.cancel();
    assert!(is_closed(&mut busy).await && is_closed(&mut idle).await);
    timeout(Duration::from_secs(5), house.kafka.stopped())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_proxy_says_who_the_client_is() {
    let house = House::with(|config| config.listeners[0].proxy_protocol = true).await;
    let mut client = house.client().await;
    client
        .write_all(b"PROXY TCP4 10.0.0.1 10.0.0.2 4000 9092\r\n")
        .await
        .unwrap();
    client.write_all(&api_versions(1)).await.unwrap();
    assert_eq!(answer(&mut client).await, 1);
    let mut plain = house.client().await;
    plain.write_all(&api_versions(1)).await.unwrap();
    assert!(is_closed(&mut plain).await);
}

#[tokio::test]
async fn a_large_request_takes_its_share_of_the_bytes_in_flight() {
    let house = House::limited(|limits| {
        limits.request_bytes_max = 4 << 20;
        limits.in_flight_bytes_max = 4 << 20;
    })
    .await;
    // Three peers promise much and send little: they hold no more than a little.
    let mut silent = Vec::new();
    for _ in 0..3 {
        let mut client = house.client().await;
        client.write_all(&(4i32 << 20).to_be_bytes()).await.unwrap();
        silent.push(client);
    }
    house.until_open(3).await;
    let mut client = house.client().await;
    let large = frame(18, 0, 9, &vec![0; 900 << 10]);
    client.write_all(&large).await.unwrap();
    assert!(matches!(answer(&mut client).await, 9));
}

#[tokio::test]
async fn ipv6() {
    let house = House::with(|config| config.listeners[0].bind = "[::1]:0".to_owned()).await;
    let mut client = house.client().await;
    client.write_all(&api_versions(3)).await.unwrap();
    assert_eq!(answer(&mut client).await, 3);
}

#[test]
fn memory_of_large_requests_is_used_again_once_nobody_reads_it() {
    let buffers = Buffers::default();
    let mut first = buffers.take(100_000);
    first.extend_from_slice(&[1; 100_000]);
    let (place, frame) = (first.as_ptr(), first.split().freeze());
    buffers.keep(first);
    let mut second = buffers.take(100_000);
    second.extend_from_slice(&[2; 100_000]);
    assert!(
        frame.iter().all(|byte| *byte == 1),
        "a request being read was overwritten"
    );
    drop(frame);
    let third = buffers.take(90_000);
    assert!(third.is_empty());
    assert_eq!(third.as_ptr(), place);
}

#[tokio::test]
async fn a_stop_frees_the_port_though_somebody_stays() {
    let house = House::with(|_| {}).await;
    let client = house.client().await;
    let requests: Vec<u8> = (0..1000).flat_map(api_versions).collect();
    // Who never reads holds the connection up, once the server can write no more.
    while timeout(Duration::from_secs(1), client.writable()).await.is_ok() {
        _ = client.try_write(&requests);
    }
    house.stop.cancel();
    let freed = async {
        while std::net::TcpListener::bind(house.address()).is_err() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(40), freed).await.unwrap();
}
