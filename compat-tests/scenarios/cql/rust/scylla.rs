//! Scenarios of the scylla driver. What a scenario finds must be the same on every subject; it is the last line of the output.

use std::error::Error;

use futures::TryStreamExt;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::statement::batch::{Batch, BatchType};
use scylla::value::{Counter, CqlValue, Row};
use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

async fn open(keyspace: &str) -> Result<Session> {
    let session = SessionBuilder::new()
        .known_node(std::env::var("CQL")?)
        .build()
        .await?;
    let replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}";
    let create = format!("CREATE KEYSPACE IF NOT EXISTS {keyspace} WITH replication = {replication}");
    session.query_unpaged(create, &[]).await?;
    session.use_keyspace(keyspace, false).await?;
    Ok(session)
}

async fn round_trip(session: &Session) -> Result<Value> {
    session
        .query_unpaged(
            "CREATE TABLE t (k int, c text, v bigint, l list<int>, PRIMARY KEY (k, c))",
            &[],
        )
        .await?;
    let put = session
        .prepare("INSERT INTO t (k, c, v, l) VALUES (?, ?, ?, ?)")
        .await?;
    for i in 0..300_i32 {
        session
            .execute_unpaged(&put, (i % 7, format!("c{i:03}"), i64::from(i), vec![i, i + 1]))
            .await?;
    }
    let mut scan = session.prepare("SELECT k, c, v, l FROM t").await?;
    scan.set_page_size(13);
    let rows: Vec<(i32, String, i64, Vec<i32>)> = session
        .execute_iter(scan, &[])
        .await?
        .rows_stream::<(i32, String, i64, Vec<i32>)>()?
        .try_collect()
        .await?;
    let whole = rows
        .iter()
        .all(|(k, _, v, l)| i64::from(*k) == v % 7 && i64::from(l[0]) == *v);
    let one = session
        .query_unpaged("SELECT v FROM t WHERE k = 3 AND c = 'c003'", &[])
        .await?;
    let one = one.into_rows_result()?.single_row::<(i64,)>()?.0;
    Ok(json!({"rows": rows.len(), "whole": whole, "one": one}))
}

async fn conditional(session: &Session) -> Result<Value> {
    session
        .query_unpaged("CREATE TABLE t (k int, c int, v int, PRIMARY KEY (k, c))", &[])
        .await?;
    session
        .query_unpaged("CREATE TABLE n (k int PRIMARY KEY, n counter)", &[])
        .await?;
    let mut applied = Vec::new();
    for _ in 0..2 {
        let answer = session
            .query_unpaged("INSERT INTO t (k, c, v) VALUES (1, 1, 1) IF NOT EXISTS", &[])
            .await?;
        let row: Row = answer.into_rows_result()?.single_row()?;
        applied.push(matches!(row.columns[0], Some(CqlValue::Boolean(true))));
    }
    let mut batch = Batch::new(BatchType::Logged);
    let put = session
        .prepare("INSERT INTO t (k, c, v) VALUES (2, ?, ?)")
        .await?;
    for _ in 0..20 {
        batch.append_statement(put.clone());
    }
    session
        .batch(&batch, (0..20).map(|i| (i, i)).collect::<Vec<(i32, i32)>>())
        .await?;
    let add = session.prepare("UPDATE n SET n = n + ? WHERE k = 1").await?;
    for i in 1..=4 {
        session.execute_unpaged(&add, (Counter(i),)).await?;
    }
    let counter = session
        .query_unpaged("SELECT n FROM n", &[])
        .await?
        .into_rows_result()?
        .single_row::<(Counter,)>()?
        .0;
    let count = session
        .query_unpaged("SELECT count(*) FROM t", &[])
        .await?
        .into_rows_result()?
        .single_row::<(i64,)>()?
        .0;
    Ok(json!({"applied": applied, "counter": counter.0, "count": count}))
}

async fn metadata(session: &Session, keyspace: &str) -> Result<Value> {
    session
        .query_unpaged("CREATE TYPE address (street text, zip int)", &[])
        .await?;
    session
        .query_unpaged(
            "CREATE TABLE t (k int, c text, a frozen<address>, s int static, PRIMARY KEY (k, c))",
            &[],
        )
        .await?;
    session.refresh_metadata().await?;
    let state = session.get_cluster_state();
    let keyspace = state
        .get_keyspace(keyspace)
        .ok_or("the keyspace is not in the metadata")?;
    let table = &keyspace.tables["t"];
    let mut columns: Vec<_> = table
        .columns
        .iter()
        .map(|(name, column)| format!("{name} {:?}", column.kind))
        .collect();
    columns.sort();
    let nodes: Vec<_> = state
        .get_nodes_info()
        .iter()
        .map(|node| json!([node.datacenter, node.rack]))
        .collect();
    Ok(json!({
        "partition key": table.partition_key, "clustering key": table.clustering_key, "columns": columns,
        "types": keyspace.user_defined_types.keys().collect::<Vec<_>>(), "nodes": nodes,
    }))
}

async fn errors(session: &Session) -> Result<Value> {
    session
        .query_unpaged("CREATE TABLE t (k int PRIMARY KEY)", &[])
        .await?;
    let mut shown = serde_json::Map::new();
    for text in [
        "SELECT nope FROM t",
        "SELEC",
        "SELECT * FROM system_schema.scylla_tables",
    ] {
        let error = session.query_unpaged(text, &[]).await.err().ok_or("no error")?;
        shown.insert(text.to_owned(), error.to_string().into());
    }
    Ok(shown.into())
}

#[tokio::main]
async fn main() -> Result<()> {
    let keyspace = format!("ks_{}", std::env::var("RUN")?);
    let session = open(&keyspace).await?;
    let facts = match std::env::args().nth(1).as_deref() {
        Some("round_trip") => round_trip(&session).await?,
        Some("conditional") => conditional(&session).await?,
        Some("metadata") => metadata(&session, &keyspace).await?,
        Some("errors") => errors(&session).await?,
        other => return Err(format!("no scenario {other:?}").into()),
    };
    println!("{}", facts.to_string().replace(&keyspace, "KEYSPACE"));
    Ok(())
}
