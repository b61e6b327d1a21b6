//! Spark 4.0, whose jobs run inside of one process: it reads and writes Kafka, and Cassandra by the newest connector there is.

use anyhow::{Result, ensure};
use compat_tests::{Both, Program, Subject, broker, clients, program, spark};

/// The shell of Cassandra, which makes what the application writes to.
fn define(cassandra: &str, keyspace: &str) -> Result<()> {
    let (host, port) = cassandra.split_once(':').unwrap_or((cassandra, "9042"));
    let statements = format!(
        "CREATE KEYSPACE {keyspace} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}; \
         CREATE TABLE {keyspace}.sums (meter text, hour bigint, watts bigint, PRIMARY KEY (meter, hour))"
    );
    Program::new(clients::install(&["cql-python"])?.join("bin/python"))
        .args(["-W", "ignore", "-m", "cqlshlib"])
        .args([host, port, "-e", &statements])
        .run()?;
    Ok(())
}

#[test]
#[ignore = "downloads 400 MB: run it by name"]
fn readings() -> Result<()> {
    let servers = Both::start(&Subject::from_env())?;
    let (run, cassandra) = (program::unique(), servers.cassandra()?);
    define(&cassandra, &format!("spark4_{run}"))?;
    let (host, port) = cassandra.split_once(':').unwrap_or((&cassandra, "9042"));
    let settings = [
        ("spark.sql.shuffle.partitions", "2"),
        ("spark.cassandra.connection.host", host),
        ("spark.cassandra.connection.port", port),
    ];
    let connectors = clients::install(&["spark4-connectors"])?.join("lib");
    let out = spark::submit_to("spark4", "local[2]", &settings)?
        .args(["--jars", &spark::jars(&connectors)?])
        .args([broker::folder().join("scenarios/spark4/readings.py")])
        .env("KAFKA", servers.kafka())
        .env("RUN", &run)
        .run()?;
    ensure!(out.contains("PASS readings"), "{out}");
    Ok(())
}
