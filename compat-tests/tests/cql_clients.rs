//! The CQL drivers, each through programs of its own; they share one server.

use std::os::unix::fs::symlink;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use compat_tests::cql::gaps;
use compat_tests::cql::wire::{Connection, Options, Outcome};
use compat_tests::{Broker, Program, broker, clients, facts, program};

/// Runs a scenario and compares what it found with what the original gave.
fn judge(client: &str, scenario: &str, program: Program) -> Result<()> {
    gaps::judge(client, scenario, || {
        let out = program
            .args([scenario])
            .env("CQL", Broker::shared_cql()?.address())
            .env("RUN", program::unique())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .run()?;
        facts::compare(client, scenario, &facts::parse(&out)?)
    })
}

fn scenarios(file: &str) -> PathBuf {
    broker::folder().join("scenarios/cql").join(file)
}

/// Apache's Python driver.
mod cassandra_driver {
    fn run(scenario: &str) -> anyhow::Result<()> {
        let python = super::clients::install(&["cql-python"])?.join("bin/python");
        let program = super::Program::new(python).args([super::scenarios("python/driver.py")]);
        super::judge("cql_cassandra_driver", scenario, program)
    }
    compat_tests::scenarios!(run: connect, connect_v3, connect_v4, connect_v4_lz4, connect_v5, connect_v5_lz4,
        types, paging, batches, errors, schema, tracing);
}

/// Scylla's fork of the Python driver.
mod scylla_driver {
    fn run(scenario: &str) -> anyhow::Result<()> {
        let python = super::clients::install(&["cql-scylla"])?.join("bin/python");
        let program = super::Program::new(python).args([super::scenarios("python/driver.py")]);
        super::judge("cql_scylla_driver", scenario, program)
    }
    compat_tests::scenarios!(run: connect, connect_v4_lz4, types, paging, batches, errors, schema, tracing);
}

mod cqlsh {
    fn run(scenario: &str) -> anyhow::Result<()> {
        let python = super::clients::install(&["cql-python"])?.join("bin/python");
        let program = super::Program::new(python).args([super::scenarios("python/shell.py")]);
        super::judge("cqlsh", scenario, program)
    }
    compat_tests::scenarios!(run: statements, describe, copy, expand_and_paging, tracing);
}

mod gocql {
    fn run(scenario: &str) -> anyhow::Result<()> {
        let program = super::clients::install(&["cql-go"])?.join("gocql");
        super::judge("gocql", scenario, super::Program::new(program))
    }
    compat_tests::scenarios!(run: v3, v4, v4_snappy, types, conditional, metadata, errors);
}

/// The Node driver.
mod node {
    fn run(scenario: &str) -> anyhow::Result<()> {
        // Modules are looked up beside the program.
        let packages = super::clients::install(&["cql-node"])?;
        let dir = tempfile::tempdir()?;
        super::symlink(packages.join("node_modules"), dir.path().join("node_modules"))?;
        let file = dir.path().join("driver.mjs");
        std::fs::copy(super::scenarios("node/driver.mjs"), &file)?;
        super::judge("cql_node", scenario, super::Program::new("node").args([file]))
    }
    compat_tests::scenarios!(run: round_trip, batches, errors, metadata);
}

/// The Java drivers; which one is the set of clients.
fn java(set: &str, client: &str, scenario: &str) -> Result<()> {
    let dir = clients::install(&[set])?;
    let class_path = format!("{0}/classes:{0}/lib/*", dir.display());
    let quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=error";
    let program = Program::new("java").args(["-Xmx256m", quiet, "-cp", &class_path, "Driver"]);
    judge(client, scenario, program)
}

mod java_4 {
    fn run(scenario: &str) -> anyhow::Result<()> {
        super::java("cql-java", "cql_java_4", scenario)
    }
    compat_tests::scenarios!(run: newest, v3, v4, types, conditional, errors);
}

mod java_3 {
    fn run(scenario: &str) -> anyhow::Result<()> {
        super::java("cql-java3", "cql_java_3", scenario)
    }
    compat_tests::scenarios!(run: newest, v3, v4_lz4, conditional, metadata, errors);
}

/// The Rust drivers.
mod rust {
    fn scylla(scenario: &str) -> anyhow::Result<()> {
        let program = super::clients::install(&["cql-rust"])?.join("target/debug/scylla");
        super::judge("cql_scylla_rust", scenario, super::Program::new(program))
    }
    compat_tests::scenarios!(scylla: round_trip, conditional, metadata, errors);

    #[test]
    fn cdrs() -> anyhow::Result<()> {
        let program = super::clients::install(&["cql-rust"])?.join("target/debug/cdrs");
        super::judge("cql_cdrs", "all", super::Program::new(program))
    }
}

/// DataStax Bulk Loader: rows from a file, and the same rows into another.
#[test]
fn dsbulk() -> Result<()> {
    gaps::judge("dsbulk", "load_and_unload", load_and_unload)
}

fn load_and_unload() -> Result<()> {
    let server = Broker::shared_cql()?;
    let keyspace = format!("ks_{}", program::unique());
    let mut connection = Connection::open(server.address(), None)?;
    for text in [
        format!(
            "CREATE KEYSPACE {keyspace} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}"
        ),
        format!("CREATE TABLE {keyspace}.t (k int PRIMARY KEY, v text, n double)"),
    ] {
        let answer = connection.query(&text, &Options::default())?;
        ensure!(!matches!(answer.result, Outcome::Error(..)), "{text}: {answer:?}");
    }
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("rows.csv");
    let rows: Vec<_> = (0..1000).map(|k| format!("{k},{k}.5,\"row, {k}\"")).collect();
    std::fs::write(&file, format!("k,n,v\n{}\n", rows.join("\n")))?;
    let jars = format!("{}/*", clients::install(&["cql-dsbulk"])?.display());
    let (host, port) = server
        .address()
        .split_once(':')
        .context("an address without a port")?;
    let loader = |what: &str| {
        Program::new("java")
            .args([
                "-Xmx256m",
                "-cp",
                &jars,
                "com.datastax.oss.dsbulk.runner.DataStaxBulkLoader",
                what,
            ])
            .args([
                "-k", &keyspace, "-t", "t", "-header", "true", "-h", host, "-port", port,
            ])
            // Its driver is older than vectors, which other tables of the server may have.
            .args([
                "--driver.advanced.metadata.schema.refreshed-keyspaces",
                &format!("[\"{keyspace}\"]"),
            ])
            .args(["-logDir".as_ref(), dir.path().as_os_str()])
    };
    loader("load").args(["-url".as_ref(), file.as_os_str()]).run()?;
    let unloaded = loader("unload").run()?;
    let mut again: Vec<_> = unloaded.lines().skip(1).collect();
    again.sort_by_key(|line| line.split(',').next().and_then(|k| k.parse::<u32>().ok()));
    ensure!(again == rows, "what came back differs: {:?}", again.get(..5));
    Ok(())
}
