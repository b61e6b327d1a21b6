use super::*;
use std::collections::BTreeSet;

#[test]
fn names_are_those_the_exporter_makes_of_the_beans() {
    assert!(STANDARD.is_sorted_by_key(|standard| standard.name));
    let original: BTreeSet<&str> = include_str!("original.txt").lines().collect();
    for standard in STANDARD {
        assert!(original.contains(standard.mbean), "{}", standard.mbean);
        let (domain, keys) = standard.mbean.split_once(":type=").unwrap();
        let (kind, name) = keys.split_once(',').unwrap();
        let (_, name) = name.split_once('=').unwrap();
        let name = name.trim_end_matches("PerSec").trim_end_matches("-total");
        let made = format!("{domain}_{kind}_{name}")
            .to_lowercase()
            .replace(['.', '-'], "_");
        assert_eq!(standard.name, made);
    }
}

#[tokio::test]
async fn every_one_is_told_by_a_broker_at_rest() {
    let broker = Broker::in_memory(crate::config::Config::default()).await;
    let patience = server_kit::Patience {
        idle_max: None,
        write_stall_max: std::time::Duration::from_secs(60),
    };
    let mut registry = prometheus_client::registry::Registry::default();
    let connections = server_kit::Connections::new(patience);
    let metrics = Metrics::register(&mut registry, connections, &broker);
    let api = TABLE.iter().find(|api| api.name == "Metadata").unwrap();
    metrics
        .api(api)
        .answered(12, std::time::Duration::from_micros(60));
    broker.errors.add(3, 3);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    let told: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.split(['{', ' ']).next())
        .collect();
    for standard in STANDARD
        .iter()
        .filter(|standard| !standard.labels.contains("partition"))
    {
        let name = match standard.values {
            Values::Counter(_) => format!("{}_total", standard.name),
            _ => standard.name.to_owned(),
        };
        assert!(told.contains(&*name), "{name} in {text}");
    }
    for line in [
        r#"kafka_network_requestmetrics_requests_total{request="Metadata",version="12"} 1"#,
        r#"kafka_network_requestmetrics_errors_total{request="Metadata",error="UNKNOWN_TOPIC_OR_PARTITION"} 1"#,
        r#"kafka_network_requestmetrics_totaltimems{request="Metadata",quantile="0.99"} 0.1"#,
        "kafka_server_replicamanager_underreplicatedpartitions{} 0",
    ] {
        assert!(text.lines().any(|told| told == line), "{line} in {text}");
    }
}
