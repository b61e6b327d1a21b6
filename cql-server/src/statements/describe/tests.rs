use crate::{
    core::schema::{Schema, system::Node},
    statements::{Statement, ddl::Circumstances},
    syntax::parse,
};
use serde::Deserialize;
use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};
use uuid::Uuid;

/// One session: each statement with what Apache Cassandra 5.0.9 answered.
const RECORDED: &str = include_str!("recorded.jsonl");

#[derive(Deserialize)]
struct Step {
    statement: String,
    rows: Vec<Vec<String>>,
    error: Option<String>,
}

fn node() -> Node {
    Node {
        cluster_name: "Test Cluster".to_owned(),
        host_id: Uuid::nil(),
        schema_version: Uuid::nil(),
        tokens: vec![0],
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        port: 9042,
        site: Arc::default(),
        settings: Arc::default(),
        started_s: 0,
    }
}

#[test]
fn what_is_described_is_what_the_original_describes() {
    let mut schema = Schema::default();
    let mut keyspace: Option<String> = None;
    for line in RECORDED.lines() {
        let step: Step = serde_json::from_str(line).unwrap();
        let text = &step.statement;
        let statement = parse(text)
            .unwrap_or_else(|error| panic!("{text}: {error}"))
            .statement;
        let cx = Circumstances {
            keyspace: keyspace.as_deref().map(Into::into),
            now_us: 1,
            id: Uuid::nil(),
            materialized_views_enabled: true,
            site: Arc::default(),
        };
        let answer = match statement {
            Statement::Ddl(ddl) => ddl.apply(&schema, &cx).map(|applied| {
                schema = applied.schema;
                Vec::new()
            }),
            Statement::Use(change) => {
                keyspace = Some(change.keyspace);
                Ok(Vec::new())
            }
            Statement::Describe(describe) => describe
                .rows(&schema, &node(), keyspace.as_deref())
                .map(|described| described.rows),
            other => panic!("unexpected {other:?}"),
        };
        match (answer, &step.error) {
            (Ok(rows), None) => assert_eq!(rows, step.rows, "{text}"),
            (Err(error), Some(message)) => assert_eq!(error.to_string(), *message, "{text}"),
            (ours, theirs) => panic!("{text}: {ours:?}, but {theirs:?}"),
        }
    }
}
