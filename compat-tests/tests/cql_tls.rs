//! The CQL server over TLS, with and without certificates of clients: a stock driver gets the same as without.

use anyhow::{Result, ensure};
use compat_tests::certificate::Certificate;
use compat_tests::{Broker, Program, Subject, broker, clients, facts, program};
use std::fs;

#[test]
fn tls() -> Result<()> {
    if Subject::from_env() != Subject::Smack {
        return Ok(());
    }
    let certificate = Certificate::make()?.for_client()?;
    let path = |name: &str| certificate.path(name);
    let port = broker::free_ports(2)?;
    let (open, closed) = (port, port + 1);
    let (server, key, ca) = (path("ca.pem"), path("key.pem"), path("ca.pem"));
    let tls = format!("certificates = {server:?}, key = {key:?}");
    let dir = tempfile::tempdir()?;
    fs::write(
        dir.path().join("smack.toml"),
        format!(
            "[[cql.listeners]]\nbind = \"127.0.0.1:0\"\n\
             [[cql.listeners]]\nbind = \"127.0.0.1:{open}\"\ntls = {{ {tls} }}\n\
             [[cql.listeners]]\nbind = \"127.0.0.1:{closed}\"\n\
             tls = {{ {tls}, client_ca = {ca:?}, client_required = true }}\n"
        ),
    )?;
    let _server = Broker::start_cql_at(Subject::Smack, dir.path())?;
    let python = clients::install(&["cql-python"])?.join("bin/python");
    let driver = |scenario: &str, port: u16| {
        Program::new(&python)
            .args([broker::folder().join("scenarios/cql/python/driver.py")])
            .args([scenario])
            .env("CQL", format!("127.0.0.1:{port}"))
            .env("RUN", program::unique())
            .env("TLS_CA", &ca)
            .env("PYTHONDONTWRITEBYTECODE", "1")
    };
    let known = |program: Program| {
        program
            .env("TLS_CERTIFICATE", path("client.pem"))
            .env("TLS_KEY", path("client.key"))
    };
    for (scenario, program) in [
        ("connect_v5_lz4", driver("connect_v5_lz4", open)),
        ("paging", driver("paging", open)),
        ("paging", known(driver("paging", closed))),
    ] {
        facts::compare("cql_cassandra_driver", scenario, &facts::parse(&program.run()?)?)?;
    }
    ensure!(
        driver("connect_v4", closed).run().is_err(),
        "nobody in particular was let in"
    );
    Ok(())
}
