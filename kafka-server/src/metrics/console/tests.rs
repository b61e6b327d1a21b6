use super::{super::Metrics, TABLE, shown};
use crate::broker::Broker;
use serde_json::{Value, json};
use server_kit::{Connections, Patience, Registry};
use std::{sync::Arc, time::Duration};

#[tokio::test]
async fn a_broker_at_rest_shows_itself_and_what_was_asked() {
    let broker = Broker::in_memory(crate::config::Config::default()).await;
    let patience = Patience {
        idle_max: None,
        write_stall_max: Duration::from_secs(60),
    };
    let metrics = Metrics::register(&mut Registry::default(), Connections::new(patience), &broker);
    let api = TABLE.iter().find(|api| api.name == "Metadata").unwrap();
    metrics.api(api).answered(12, Duration::from_micros(60));
    let view = shown(Arc::downgrade(&broker), metrics.clone(), Arc::default()).await;
    let view = serde_json::to_value(view).unwrap();
    let table = |title: &str| {
        let mut tables = view["tables"].as_array().unwrap().iter();
        tables.find(|table| table["title"] == title).unwrap()["rows"].clone()
    };
    let brokers = table("Brokers");
    assert_eq!(brokers[0][0], "1");
    assert!(
        brokers[0][1]
            .as_str()
            .unwrap()
            .starts_with("PLAINTEXT 127.0.0.1:"),
        "{brokers}"
    );
    assert_eq!((table("Topics"), table("Groups")), (json!([]), json!([])));
    assert_eq!(
        table("Requests"),
        json!([["Metadata", 1.0, 1.0, 100.0, 100.0, 100.0]])
    );
    let cluster = view["facts"].as_array().unwrap().last().unwrap();
    assert_eq!(
        cluster,
        &json!({ "name": "cluster", "unit": "text", "value": broker.cluster_id })
    );
    let weak = Arc::downgrade(&broker);
    drop(broker);
    let gone = serde_json::to_value(shown(weak, metrics, Arc::default()).await).unwrap();
    assert_eq!(
        gone["facts"],
        Value::Array(Vec::new()),
        "a broker that is no more shows nothing"
    );
}
