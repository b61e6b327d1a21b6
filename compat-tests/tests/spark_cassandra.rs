//! Stock applications of Spark, Kafka and Cassandra at once, one in Scala and one in Python: events come from a topic by each of
//! Spark's ways, go into tables, are joined, counted and written back. First inside of one process, then on Mesos, all of it
//! against one smack.

use anyhow::{Result, ensure};
use compat_tests::{Both, Program, Subject, broker, clients, spark};

/// The masters that applications run on.
fn masters(servers: &Both) -> Result<Vec<String>> {
    let mut masters = vec!["local[2]".to_owned()];
    if !servers.is_original() {
        masters.push(format!("mesos://{}", servers.mesos()?));
    }
    Ok(masters)
}

fn submit(servers: &Both, master: &str) -> Result<Program> {
    let cassandra = servers.cassandra()?;
    let (host, port) = cassandra.split_once(':').unwrap_or((&cassandra, "9042"));
    let catalog = "com.datastax.spark.connector.datasource.CassandraCatalog";
    let extensions = "com.datastax.spark.connector.CassandraSparkExtensions";
    let settings = [
        ("spark.cores.max", "2"),
        ("spark.sql.shuffle.partitions", "2"),
        ("spark.cassandra.connection.host", host),
        ("spark.cassandra.connection.port", port),
        ("spark.sql.extensions", extensions),
        ("spark.sql.catalog.cassandra", catalog),
    ];
    let connectors = clients::install(&["spark-connectors"])?.join("lib");
    Ok(spark::submit(master, &settings)?
        .args(["--jars", &spark::jars(&connectors)?])
        .env("KAFKA", servers.kafka())
        .env("CASSANDRA", cassandra))
}

#[test]
fn campaigns_in_scala() -> Result<()> {
    let application = clients::install(&["spark-cassandra"])?.join("campaigns.jar");
    let servers = Both::start(&Subject::from_env())?;
    let _alone = spark::alone()?;
    for master in masters(&servers)? {
        let out = submit(&servers, &master)?
            .args(["--class", "Campaigns"])
            .args([&application])
            .run()?;
        ensure!(out.contains("PASS campaigns"), "{master}: {out}");
    }
    Ok(())
}

#[test]
fn campaigns_in_python() -> Result<()> {
    let drivers = ["cql-python", "python"].map(|set| spark::packages(&clients::install(&[set])?));
    let [cassandra, kafka] = drivers;
    let packages = format!("{}:{}", cassandra?.display(), kafka?.display());
    let servers = Both::start(&Subject::from_env())?;
    let _alone = spark::alone()?;
    for master in masters(&servers)? {
        let out = submit(&servers, &master)?
            .args([broker::folder().join("scenarios/spark-python/campaigns.py")])
            .env("PYTHONPATH", &packages)
            .run()?;
        ensure!(out.contains("PASS campaigns"), "{master}: {out}");
    }
    Ok(())
}
