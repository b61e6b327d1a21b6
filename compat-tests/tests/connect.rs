//! Stock Kafka Connect: a cluster of two workers with connectors for files, a sink that writes to Cassandra, and MirrorMaker 2
//! beside an original Kafka.

use anyhow::{Result, ensure};
use compat_tests::{Both, Broker, Program, Subject, broker, clients, spark};

/// A scenario in Python, which starts Connect's own programs.
fn scenario(name: &str, kafka: &str) -> Result<Program> {
    let python = clients::install(&["python"])?.join("bin/python");
    let jars = clients::install(&["connect"])?;
    let script = broker::folder().join(format!("scenarios/connect/{name}.py"));
    Ok(Program::new(python)
        .args([script])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("JARS", format!("{}/*", jars.display()))
        .env("KAFKA", kafka)
        .seconds_max(400))
}

#[test]
fn files() -> Result<()> {
    let ports = broker::free_ports(2)?;
    let broker = Broker::start(Subject::from_env(), "")?;
    let out = scenario("files", broker.address())?
        .env("PORTS", ports.to_string())
        .run()?;
    ensure!(out.contains("PASS files"), "{out}");
    Ok(())
}

#[test]
fn tables() -> Result<()> {
    let servers = Both::start(&Subject::from_env())?;
    let driver = spark::packages(&clients::install(&["cql-python"])?)?;
    let plugins = clients::install(&["connect-cassandra"])?;
    let out = scenario("tables", servers.kafka())?
        .env("PORTS", broker::free_ports(1)?.to_string())
        .env("CASSANDRA", servers.cassandra()?)
        .env("PLUGINS", plugins)
        .env("PYTHONPATH", driver)
        .run()?;
    ensure!(out.contains("PASS tables"), "{out}");
    Ok(())
}

#[test]
#[ignore = "takes minutes on a busy machine: run it by name"]
fn mirror_both_ways() -> Result<()> {
    let broker = Broker::start(Subject::from_env(), "")?;
    let original = Broker::start(Subject::Original, "")?;
    let out = scenario("mirror", broker.address())?
        .env("OTHER", original.address())
        .run()?;
    ensure!(out.contains("PASS mirror"), "{out}");
    Ok(())
}
