use super::*;
use crate::{
    core::{
        cluster::Cluster,
        generator::{Hosts, generate},
        tests::made::{agent, framework, state, task},
    },
    metrics::Metrics,
};
use prometheus_client::registry::Registry;
use serde_json::Value;
use server_kit::{HttpLimits, Listener, Random, serve_http};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

async fn got(path: &str) -> (u16, String) {
    let config = Config::default();
    let naming = config.naming(Vec::new()).unwrap();
    let tasks = vec![task("web.1", "web", 1, &[(31000, 31000)])];
    let cluster = Cluster::of(&state(vec![agent(1)], vec![framework("f", "f", "")], tasks));
    let leader = ("10.0.0.100".to_owned(), 5050);
    let mut zone = generate(&naming, &cluster, Some(&leader), &Hosts::default());
    zone.serial = 7;
    let metrics = Metrics::register(&mut Registry::default());
    let responder = Responder::new(&config, Arc::new(Random::from_seed(1)), metrics);
    responder.publish(zone);
    let routes = routes(Arc::new(config), Arc::new(responder));
    let listener = Listener::bind("127.0.0.1:0", false, None).await.unwrap();
    let address = listener.address();
    let stop = CancellationToken::new();
    let limits = HttpLimits {
        connections_max: 1,
        head_bytes_max: 16 << 10,
        head_time_max: Duration::from_secs(5),
        answer_time_max: Some(Duration::from_secs(5)),
    };
    tokio::spawn(serve_http(
        listener,
        routes,
        limits,
        TaskTracker::new(),
        stop.clone(),
    ));
    let mut socket = TcpStream::connect(address).await.unwrap();
    let ask = format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n");
    socket.write_all(ask.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    stop.cancel();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

async fn json(path: &str) -> Value {
    let (status, body) = got(path).await;
    assert_eq!(status, 200, "{path}");
    serde_json::from_str(&body).unwrap()
}

#[tokio::test]
async fn hosts_and_services_are_listed() {
    assert_eq!(
        json("/v1/hosts/Leader.mesos").await,
        json!([{ "host": "leader.mesos.", "ip": "10.0.0.100" }])
    );
    assert_eq!(
        json("/v1/hosts/nobody.mesos.").await,
        json!([{ "host": "", "ip": "" }])
    );
    let services = json("/v1/services/_web._tcp.f.mesos").await;
    assert_eq!(services[0]["service"], "_web._tcp.f.mesos");
    assert_eq!(services[0]["ip"], "10.0.0.1");
    assert_eq!(services[0]["port"], "31000");
    assert!(
        services[0]["host"]
            .as_str()
            .unwrap()
            .ends_with("-s1.f.slave.mesos.")
    );
    assert_eq!(
        json("/v1/services/_nobody._tcp.f.mesos").await,
        json!([{ "service": "", "host": "", "ip": "", "port": "" }])
    );
    let (status, _) = got("/v1/hosts/leader.mesos/ports").await;
    assert_eq!(status, 501);
}

#[tokio::test]
async fn everything_can_be_seen() {
    let version = json("/v1/version").await;
    assert_eq!(version["Service"], "Mesos-DNS");
    let config = json("/v1/config").await;
    assert_eq!(
        (&config["Domain"], &config["SOASerial"]),
        (&json!("mesos"), &json!(7))
    );
    let listed = json("/v1/enumerate").await;
    assert_eq!(listed["frameworks"][0]["tasks"][0]["id"], "web.1");
    let zone = json("/v1/axfr").await;
    assert_eq!(zone["Serial"], 7);
    assert_eq!(zone["Domain"], "mesos");
    assert_eq!(zone["Records"]["As"]["leader.mesos."], json!(["10.0.0.100"]));
    assert_eq!(
        zone["Records"]["SRVs"]["_leader._tcp.mesos."],
        json!(["leader.mesos.:5050"])
    );
    assert_eq!(zone["Records"]["AAAAs"], json!({}));
}
