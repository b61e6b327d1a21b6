//! A scenario of cdrs-tokio. What it finds must be the same on every subject; it is the last line of the output.

use std::error::Error;

use cdrs_tokio::cluster::NodeTcpConfigBuilder;
use cdrs_tokio::cluster::session::{SessionBuilder, TcpSessionBuilder};
use cdrs_tokio::load_balancing::RoundRobinLoadBalancingStrategy;
use cdrs_tokio::query_values;
use cdrs_tokio::types::ByName;
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let keyspace = format!("ks_{}", std::env::var("RUN")?);
    let address = std::env::var("CQL")?;
    let config = NodeTcpConfigBuilder::new()
        .with_contact_point(address.as_str().into())
        .build()
        .await?;
    let session = TcpSessionBuilder::new(RoundRobinLoadBalancingStrategy::new(), config)
        .build()
        .await?;
    let replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}";
    session
        .query(format!(
            "CREATE KEYSPACE {keyspace} WITH replication = {replication}"
        ))
        .await?;
    session
        .query(format!(
            "CREATE TABLE {keyspace}.t (k int PRIMARY KEY, v text, n bigint)"
        ))
        .await?;
    for k in 0..50_i32 {
        let values = query_values!(k, format!("v{k}"), i64::from(k) * 3);
        session
            .query_with_values(
                format!("INSERT INTO {keyspace}.t (k, v, n) VALUES (?, ?, ?)"),
                values,
            )
            .await?;
    }
    let put = session
        .prepare(format!("INSERT INTO {keyspace}.t (k, v, n) VALUES (?, ?, ?)"))
        .await?;
    for k in 50..100_i32 {
        session
            .exec_with_values(&put, query_values!(k, format!("v{k}"), i64::from(k) * 3))
            .await?;
    }
    let rows = session.query(format!("SELECT k, v, n FROM {keyspace}.t")).await?;
    let rows = rows.response_body()?.into_rows().ok_or("no rows")?;
    let mut sum = 0;
    for row in &rows {
        let (k, v, n): (i32, String, i64) = (row.r_by_name("k")?, row.r_by_name("v")?, row.r_by_name("n")?);
        if v != format!("v{k}") {
            return Err(format!("row {k} holds {v}").into());
        }
        sum += n;
    }
    let error = session
        .query(format!("SELECT nope FROM {keyspace}.t"))
        .await
        .err()
        .ok_or("no error")?;
    // Neither the keyspace nor where the server listens is the same twice.
    let error = error.to_string().replace(&keyspace, "KEYSPACE").replace(&address, "SERVER");
    println!("{}", json!({"rows": rows.len(), "sum": sum, "error": error}));
    Ok(())
}
